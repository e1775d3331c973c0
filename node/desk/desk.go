// Package desk is where a member of a region decides: pages on the member's own machine that
// show what waits, the criteria and what an applicant rests on, and take the decision.
//
// The desk reads a verified copy of the registry, so that no node can show it one thing and
// have another approved, and it signs with the member's key, which stays with the caller.
// Nothing leaves but the signed event. It listens on this machine only, lets in who opens the
// link that it announces, and keeps nothing: not a wallet, not a node, and no pages for the
// public.
//
//	d, err := desk.New(desk.Config{Copy: follower, Region: client, Member: party, Host: "127.0.0.1:4711",
//		Clock: time.Now, Announce: func(link string) { fmt.Println(link) }})
//	err = web.Serve(ctx, listener, d.Handler(), nil)
package desk

import (
	"context"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

//go:embed templates catalogs assets
var files embed.FS

// A Copy is a verified copy of the region's registry, such as an evidence.Follower.
type Copy interface {
	// Read lets fn ask questions of the state; the view is not to be used after.
	Read(ctx context.Context, fn func(registry.View, paspoort.RegistryFacts) error) error
	// Refresh takes what the nodes have beyond the copy.
	Refresh(ctx context.Context) error
}

// Config of a desk. All but Log is needed.
type Config struct {
	Copy   Copy
	Region *govern.Client
	Member registry.Party // who decides here, with the key
	// Host is the host:port on which the desk listens. Requests that name another are
	// refused: a page elsewhere must not reach it by a name of its own.
	Host  string
	Clock func() time.Time
	// Announce tells the person a link that opens the desk, once.
	Announce func(link string)
	Log      *slog.Logger
}

// Desk is the pages of one member.
type Desk struct {
	c   Config
	id  string // of the member
	kit *page.Kit
	sessions

	waits         page.View[waitsPage]
	proposal      page.View[proposalPage]
	organisations page.View[organisationsPage]
	organisation  page.View[organisationPage]
	closed        page.View[closedPage]
}

// New checks the configuration and announces the first link.
func New(c Config) (*Desk, error) {
	id, ok := strings.CutPrefix(c.Member.Name, registry.MemberParty(""))
	switch {
	case !ok || id == "":
		return nil, errors.New("desk: only a member of a region decides; an organisation uses the commands")
	case c.Copy == nil || c.Region == nil || c.Member.Key == nil || c.Host == "" || c.Clock == nil || c.Announce == nil:
		return nil, errors.New("desk: something is missing in the configuration")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{c: c, id: id}
	if err := d.views(); err != nil {
		return nil, err
	}
	return d, d.announce()
}

func (d *Desk) views() (err error) {
	d.kit, err = page.New(page.Options{Sources: []fs.FS{files}, Member: []page.Link{
		{Key: "desk.nav.waits", Path: "/"}, {Key: "desk.nav.organisations", Path: "/organisations"},
	}})
	if err != nil {
		return err
	}
	if d.waits, err = page.NewView(d.kit, "waits", waitsSamples()...); err != nil {
		return err
	}
	if d.proposal, err = page.NewView(d.kit, "proposal", proposalSamples()...); err != nil {
		return err
	}
	if d.organisations, err = page.NewView(d.kit, "organisations", organisationsSamples()...); err != nil {
		return err
	}
	if d.organisation, err = page.NewView(d.kit, "organisation", organisationSamples()...); err != nil {
		return err
	}
	d.closed, err = page.NewView(d.kit, "closed", closedSamples()...)
	return err
}

// Handler is the whole desk.
func (d *Desk) Handler() http.Handler {
	site := web.New(web.Options{Role: "desk", Log: d.c.Log, Clock: d.c.Clock, MaxBody: 64 << 10})
	d.mount(site.Pages)
	return d.ownHost(site.Handler())
}

// mount names each route after its page, so that a test can hold it against the samples.
func (d *Desk) mount(r *mux.Router) {
	get := func(path, name string, h http.HandlerFunc) {
		r.HandleFunc(path, h).Methods(http.MethodGet, http.MethodHead).Name(name)
	}
	post := func(path string, h http.HandlerFunc) { r.HandleFunc(path, d.in(h)).Methods(http.MethodPost) }
	get("/in", "closed", d.showClosed)
	r.HandleFunc("/open", d.open).Methods(http.MethodGet).Name("file:session") // a HEAD must not use the link up
	get("/", "waits", d.in(d.showWaits))
	get("/proposals/{id}", "proposal", d.in(d.showProposal))
	get("/organisations", "organisations", d.in(d.showOrganisations))
	get("/organisations/{id}", "organisation", d.in(d.showOrganisation))
	post("/proposals/{id}", d.decide)
	post("/organisations/{id}", d.measure)
	post("/leave", d.leave)
	post("/session/stay", d.stay)
	r.PathPrefix(page.AssetPath).Handler(d.kit.Assets()).Name("file:assets")
	r.NotFoundHandler = d.kit.NotFound()
}

// ownHost refuses requests that name another host than the desk's own: a name that somebody
// points at this machine (DNS rebinding).
func (d *Desk) ownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Host != d.c.Host {
			http.Error(w, "This desk is at http://"+d.c.Host, http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// shown logs a page that failed.
func (d *Desk) shown(err error) {
	if err != nil {
		d.c.Log.Error("page failed", "error", err)
	}
}

// read asks the copy, after taking what is new. A region that cannot be reached is shown as
// it was, with its age.
func (d *Desk) read(w http.ResponseWriter, r *http.Request, fn func(registry.View, source) error) bool {
	s := source{Member: d.id}
	ctx, cancel := context.WithTimeout(r.Context(), refreshWait)
	s.Away = d.c.Copy.Refresh(ctx) != nil
	cancel()
	err := d.c.Copy.Read(r.Context(), func(v registry.View, facts paspoort.RegistryFacts) error {
		s.Region, s.Age = facts.Name, d.c.Clock().Sub(facts.Time)
		for _, m := range v.Region(d.c.Clock()).Members {
			if m.ID == d.id {
				s.Member = m.Name
			}
		}
		return fn(v, s)
	})
	switch {
	case err == nil:
		return true
	case errors.Is(err, registry.ErrUnknown):
		d.shown(d.kit.Fault(w, r, page.Fault{Kind: page.NotFound}))
	default:
		d.c.Log.Warn("the copy of the registry cannot be read", "error", err)
		d.shown(d.kit.Fault(w, r, page.Fault{Kind: page.Elsewhere}))
	}
	return false
}

// refreshWait is how long a page waits for the nodes.
const refreshWait = 5 * time.Second

// source says of whom and from when a page is.
type source struct {
	Member, Region string
	Age            time.Duration
	Away           bool // no node answered
}
