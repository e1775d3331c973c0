package page

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"time"
)

// View is one page with the type of its data.
type View[T any] struct {
	kit  *Kit
	name string
}

// Sample is a page in one state, with data that could be real. Samples are how
// pages are tested and looked at.
type Sample[T any] struct {
	Name  string // of the state: "open", "taken", "empty"
	Data  T
	Frame Frame // of the reader's session, if the page is shown in one
}

// Rendering is one sample in one language.
type Rendering struct {
	Page, State string
	Lang        Language
	// HTML makes the page.
	HTML func() ([]byte, error)
}

// sampleLeft is what the session of a sample has left, unless its frame says.
const sampleLeft = 30 * time.Minute

// NewView gives the page by its name and registers its samples: every state that
// the page can be in, at least one. ErrNoPage when no source has it. Views are made at
// start.
func NewView[T any](k *Kit, name string, samples ...Sample[T]) (View[T], error) {
	if _, ok := k.pages[name]; !ok {
		return View[T]{}, fmt.Errorf("%w: %q", ErrNoPage, name)
	}
	if len(samples) == 0 {
		return View[T]{}, fmt.Errorf("page: %q has no samples: nobody would ever look at it", name)
	}
	for _, s := range samples {
		if s.Frame.SignedIn && s.Frame.Now.IsZero() { // else a script would find the session over long ago
			s.Frame.Now = s.Frame.End().Add(-sampleLeft)
		}
		for _, lang := range k.languages {
			k.samples = append(k.samples, Rendering{name, s.Name, lang, func() ([]byte, error) {
				return k.execute(name, lang, WithFrame(httptest.NewRequest(http.MethodGet, "/"+name, nil), s.Frame), s.Data)
			}})
		}
	}
	return View[T]{k, name}, nil
}

// Languages are those of the kit, the default first.
func (k *Kit) Languages() []Language { return slices.Clone(k.languages) }

// Texts are those of one language by key, a text that counts in its two forms.
func (k *Kit) Texts(lang Language) map[string][]string {
	out := map[string][]string{}
	if c := k.catalogs[lang]; c != nil {
		for key, t := range c.texts {
			out[key] = []string{t.Other}
			if t.count {
				out[key] = append(out[key], t.One)
			}
		}
	}
	return out
}

// Has says whether the kit has a page of this name with samples.
func (k *Kit) Has(name string) bool {
	return slices.ContainsFunc(k.samples, func(s Rendering) bool { return s.Page == name })
}

// Samples are the registered states of all pages in all languages.
func (k *Kit) Samples() []Rendering { return k.samples }

// Render answers with the page in the reader's language. When the template fails
// nothing of it is sent: the answer is a plain 500, and the error is returned for
// the log.
func (v View[T]) Render(w http.ResponseWriter, r *http.Request, status int, data T) error {
	lang := v.kit.language(w, r)
	body, err := v.kit.execute(v.name, lang, r, data)
	if err != nil {
		http.Error(w, "Er ging iets mis. Probeer het later nog eens. / Something went wrong. Try again later.", http.StatusInternalServerError)
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang.Tag())
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the reader may be gone
	}
	return nil
}

// Fault is the page that says what went wrong and what to do.
type Fault struct {
	// Kind is one of the kinds below.
	Kind FaultKind
	// Next is where the one button leads; empty means the start page.
	Next string
}

// FaultKind is a kind of fault that a person can meet.
type FaultKind string

// The kinds of faults. Each has a title and a sentence in the catalogs.
const (
	NotFound  FaultKind = "notfound"
	Gone      FaultKind = "gone"      // it was there: used, withdrawn or expired
	BadInput  FaultKind = "badinput"  // what was sent cannot be read
	Refused   FaultKind = "refused"   // this may not be done, or not from here
	Broken    FaultKind = "broken"    // our fault
	Elsewhere FaultKind = "elsewhere" // another party does not answer
	Busy      FaultKind = "busy"      // too many at once: nothing was done, try again soon
)

var faultSamples = []Sample[Fault]{
	{Name: "not-found", Data: Fault{Kind: NotFound}}, {Name: "gone", Data: Fault{Kind: Gone}}, {Name: "bad-input", Data: Fault{Kind: BadInput, Next: "/check"}},
	{Name: "refused", Data: Fault{Kind: Refused}}, {Name: "broken", Data: Fault{Kind: Broken}}, {Name: "elsewhere", Data: Fault{Kind: Elsewhere}}, {Name: "busy", Data: Fault{Kind: Busy}},
}

var faultStatus = map[FaultKind]int{
	NotFound: http.StatusNotFound, Gone: http.StatusGone, BadInput: http.StatusBadRequest,
	Refused: http.StatusForbidden, Broken: http.StatusInternalServerError, Elsewhere: http.StatusBadGateway, Busy: http.StatusServiceUnavailable,
}

// Fault answers with the page of a fault, with its status.
func (k *Kit) Fault(w http.ResponseWriter, r *http.Request, f Fault) error {
	status, known := faultStatus[f.Kind]
	if !known {
		return errors.Join(fmt.Errorf("page: no such fault: %q", f.Kind), k.Fault(w, r, Fault{Kind: Broken}))
	}
	if f.Next == "" {
		f.Next = "/"
	}
	return k.fault.Render(w, r, status, f)
}

// NotFound is the handler for pages that do not exist.
func (k *Kit) NotFound() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = k.Fault(w, r, Fault{Kind: NotFound}) // a template that fails is caught by the samples
	})
}
