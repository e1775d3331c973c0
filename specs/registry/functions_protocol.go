package registry

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// The part of the protocol that is about function profiles and modules: both halves.

// Pages of an answer.
const (
	listingPage  = 100
	maxListing   = 200 // of the largest documents they stay below maxAnswer
	maxQueryText = 200
)

// FunctionsAnswer is a page of function profiles with what it was read from.
type FunctionsAnswer struct {
	ListingPage[FunctionProfile]
	Read ReadInfo `json:"read"`
}

// ModulesAnswer is a page of modules with what it was read from.
type ModulesAnswer struct {
	ListingPage[Module]
	Read ReadInfo `json:"read"`
}

// FunctionAnswer is one function profile, with its steps and what it was read from.
type FunctionAnswer struct {
	Moment
	FunctionView
	Read  ReadInfo      `json:"read"`
	Steps []ListingStep `json:"steps"`
}

// ModuleAnswer is one module, with its steps and what it was read from.
type ModuleAnswer struct {
	Moment
	ModuleView
	Read  ReadInfo      `json:"read"`
	Steps []ListingStep `json:"steps"`
}

// listingRoutes adds the routes to the server half.
func (s server) listingRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/functions", s.functions)
	mux.HandleFunc("GET /v1/functions/{id}", s.function)
	mux.HandleFunc("GET /v1/modules", s.modules)
	mux.HandleFunc("GET /v1/modules/{id}", s.module)
	mux.HandleFunc("GET /v1/schemas/function", schemaHandler(functionSchema))
	mux.HandleFunc("GET /v1/schemas/module", schemaHandler(moduleSchema))
}

func (s server) functions(w http.ResponseWriter, r *http.Request) {
	q, err := parseListingQuery(r.URL.Query())
	if err != nil {
		fail(w, err)
		return
	}
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		return FunctionsAnswer{v.Functions(q, at), info}, nil
	})
}

func (s server) modules(w http.ResponseWriter, r *http.Request) {
	q, err := parseListingQuery(r.URL.Query())
	if err != nil {
		fail(w, err)
		return
	}
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		return ModulesAnswer{v.Modules(q, at), info}, nil
	})
}

func (s server) function(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		f, steps, err := v.Function(r.PathValue("id"), at)
		if err != nil {
			return nil, ErrNotFound.with("no function profile with this id")
		}
		return FunctionAnswer{v.moment(at), f, info, steps}, nil
	})
}

func (s server) module(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		m, steps, err := v.Module(r.PathValue("id"), at)
		if err != nil {
			return nil, ErrNotFound.with("no module with this id")
		}
		return ModuleAnswer{v.moment(at), m, info, steps}, nil
	})
}

func schemaHandler(schema []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/schema+json")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Length", strconv.Itoa(len(schema)))
		_, _ = w.Write(schema)
	}
}

// parseListingQuery reads a question from the parameters of an address: q, skill (repeated),
// place, sector, owner, closed, after and limit. It fails with [ErrRequest].
func parseListingQuery(v url.Values) (ListingQuery, error) {
	q := ListingQuery{
		Text: v.Get("q"), Skills: slices.DeleteFunc(v["skill"], func(s string) bool { return s == "" }), Place: v.Get("place"),
		Sector: v.Get("sector"), Owner: v.Get("owner"), After: v.Get("after"), Limit: listingPage,
	}
	if len(q.Text) > maxQueryText || len(q.Place) > maxQueryText || len(q.Sector) > maxQueryText || len(q.Skills) > 16 {
		return ListingQuery{}, ErrRequest.with("ask with fewer words: %d bytes a field and 16 skills at most", maxQueryText)
	}
	switch v.Get("closed") {
	case "", "false":
	case "true":
		q.Closed = true
	default:
		return ListingQuery{}, ErrRequest.with("closed is true or false")
	}
	if s := v.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > maxListing {
			return ListingQuery{}, ErrRequest.with("limit is 1 to %d", maxListing)
		}
		q.Limit = n
	}
	return q, nil
}

func (q ListingQuery) values(w When) url.Values {
	v := w.values()
	for name, value := range map[string]string{"q": q.Text, "place": q.Place, "sector": q.Sector, "owner": q.Owner, "after": q.After} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for _, uri := range q.Skills {
		v.Add("skill", uri)
	}
	if q.Closed {
		v.Set("closed", "true")
	}
	if q.Limit > 0 {
		v.Set("limit", strconv.Itoa(q.Limit))
	}
	return v
}

// Functions asks for a page of function profiles.
func (c Client) Functions(ctx context.Context, q ListingQuery, w When) (FunctionsAnswer, error) {
	var out FunctionsAnswer
	return out, c.get(ctx, "/v1/functions", q.values(w), &out)
}

// Modules asks for a page of modules.
func (c Client) Modules(ctx context.Context, q ListingQuery, w When) (ModulesAnswer, error) {
	var out ModulesAnswer
	return out, c.get(ctx, "/v1/modules", q.values(w), &out)
}

// Function asks for one function profile.
func (c Client) Function(ctx context.Context, id string, w When) (FunctionAnswer, error) {
	var out FunctionAnswer
	return out, c.get(ctx, "/v1/functions/"+url.PathEscape(id), w.values(), &out)
}

// Module asks for one module.
func (c Client) Module(ctx context.Context, id string, w When) (ModuleAnswer, error) {
	var out ModuleAnswer
	return out, c.get(ctx, "/v1/modules/"+url.PathEscape(id), w.values(), &out)
}

// AllFunctions takes the whole list of open function profiles, all parts of it as of one
// moment: the node learns that somebody wants the list, and not what for.
func (c Client) AllFunctions(ctx context.Context, w When) ([]FunctionView, Moment, error) {
	return allListings(w, func(q ListingQuery, w When) (ListingPage[FunctionProfile], error) {
		a, err := c.Functions(ctx, q, w)
		return a.ListingPage, err
	})
}

// AllModules takes the whole list of open modules, as [Client.AllFunctions] does.
func (c Client) AllModules(ctx context.Context, w When) ([]ModuleView, Moment, error) {
	return allListings(w, func(q ListingQuery, w When) (ListingPage[Module], error) {
		a, err := c.Modules(ctx, q, w)
		return a.ListingPage, err
	})
}

// maxAllListings bounds what a node can make a client keep.
const maxAllListings = 20000

func allListings[T Document](w When, page func(ListingQuery, When) (ListingPage[T], error)) ([]ListingView[T], Moment, error) {
	q := ListingQuery{Limit: maxListing}
	var out []ListingView[T]
	for {
		p, err := page(q, w)
		if err != nil {
			return nil, Moment{}, err
		}
		out = append(out, p.Items...)
		if p.Next == "" {
			return out, p.Moment, nil
		}
		if len(p.Items) == 0 || len(out) > maxAllListings {
			return nil, Moment{}, ErrResponse.with("a list without end")
		}
		q.After, w.At, w.AsOf = p.Next, p.At, p.AsOf
	}
}
