package node

import (
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

//go:embed templates catalogs
var pageFiles embed.FS

// pages are the region's public face on this node. They work without script, keep
// nothing, and say how old what they show is.
type pages struct {
	n             *Node
	kit           *page.Kit
	region        page.View[regionPage]
	organisations page.View[organisationsPage]
	hobbels       page.View[hobbelsPage]
	log           page.View[logPage]
	check         page.View[checkPage]
}

func newPages(n *Node) (*pages, error) {
	p := &pages{n: n}
	var err error
	p.kit, err = page.New(page.Options{Owner: n.founding.name, Sources: []fs.FS{pageFiles}, Nav: []page.Link{
		{Key: "node.nav.region", Path: "/"}, {Key: "node.nav.organisations", Path: "/organisations"},
		{Key: "node.nav.hobbels", Path: "/hobbels"}, {Key: "node.nav.log", Path: "/log"}, {Key: "node.nav.check", Path: "/check"},
	}})
	if err != nil {
		return nil, err
	}
	p.region, err = page.NewView(p.kit, "region", regionSamples()...)
	if err != nil {
		return nil, err
	}
	if p.organisations, err = page.NewView(p.kit, "organisations", organisationsSamples()...); err != nil {
		return nil, err
	}
	if p.hobbels, err = page.NewView(p.kit, "hobbels", hobbelsSamples()...); err != nil {
		return nil, err
	}
	if p.log, err = page.NewView(p.kit, "log", logSamples()...); err != nil {
		return nil, err
	}
	p.check, err = page.NewView(p.kit, "check", checkSamples()...)
	return p, err
}

// mount names each route after its page, so that a test can hold it against the samples.
func (p *pages) mount(r *mux.Router) {
	get := func(path, name string, h http.HandlerFunc) {
		r.HandleFunc(path, h).Methods(http.MethodGet, http.MethodHead).Name(name)
	}
	get("/", "region", p.showRegion)
	get("/organisations", "organisations", p.showOrganisations)
	get("/hobbels", "hobbels", p.showHobbels)
	get("/log", "log", p.showLog)
	get("/check", "check", p.showCheck)
	r.HandleFunc("/check", p.postCheck).Methods(http.MethodPost)
	r.PathPrefix(page.AssetPath).Handler(p.kit.Assets()).Name("file:assets")
	r.NotFoundHandler = p.kit.NotFound()
}

func (p *pages) rendered(err error) {
	if err != nil {
		p.n.log.Error("page failed", "error", err)
	}
}

// source is what every page says of where it comes from.
type source struct {
	Node string
	Age  time.Duration // since this node last heard from a leader
}

type regionPage struct {
	Name          string
	Members       []registry.MemberRecord
	Organisations int // admitted now
	Breakthroughs int
	Hobbels       int
	Leaves        uint64
	Source        source
}

// view reads the state as it is here. A node that knows nothing yet shows empty pages.
func (p *pages) view(w http.ResponseWriter, r *http.Request, fn func(registry.View, source)) bool {
	err := p.n.View(r.Context(), registry.Stale, func(v registry.View, info registry.ReadInfo) error {
		fn(v, source{info.Node, time.Duration(info.Age) * time.Second})
		return nil
	})
	if err != nil {
		p.rendered(err)
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken}))
	}
	return err == nil
}

func (p *pages) showRegion(w http.ResponseWriter, r *http.Request) {
	now := p.n.cfg.Clock()
	data := regionPage{Name: p.n.founding.name}
	ok := p.view(w, r, func(v registry.View, s source) {
		data.Source, data.Leaves = s, v.AsOf
		if v.AsOf == 0 {
			return
		}
		region := v.Region(now)
		data.Name = region.Name
		for _, m := range region.Members {
			if m.Removed == 0 {
				data.Members = append(data.Members, m)
			}
		}
		for _, o := range v.Organisations(now).Organisations {
			if len(admittedRoles(o)) > 0 {
				data.Organisations++
			}
		}
		for _, h := range v.Hobbels(now).Hobbels {
			data.Hobbels++
			if h.Status == registry.Doorbraak {
				data.Breakthroughs++
			}
		}
	})
	if ok {
		p.rendered(p.region.Render(w, r, http.StatusOK, data))
	}
}

type organisationsPage struct {
	Organisations []organisationRow
	At            time.Time
	Source        source
}

type organisationRow struct {
	ID, Name, Registration string
	Erased                 bool
	Roles                  []roleRow
}

type roleRow struct {
	Role     registry.Role
	Code     registry.Code
	Admitted bool
	Until    time.Time
	Types    []paspoort.Text
	Purposes []string
	Reason   string // of a suspension or withdrawal: decisions are public with their reason
}

func admittedRoles(o registry.Organisation) []registry.Role {
	var out []registry.Role
	for _, r := range o.Roles {
		if r.Admitted {
			out = append(out, r.Role)
		}
	}
	return out
}

func (p *pages) showOrganisations(w http.ResponseWriter, r *http.Request) {
	data := organisationsPage{At: p.n.cfg.Clock()}
	ok := p.view(w, r, func(v registry.View, s source) {
		data.Source = s
		if v.AsOf == 0 {
			return
		}
		for _, o := range v.Organisations(data.At).Organisations {
			data.Organisations = append(data.Organisations, newOrganisationRow(o))
		}
	})
	if ok {
		p.rendered(p.organisations.Render(w, r, http.StatusOK, data))
	}
}

func newOrganisationRow(o registry.Organisation) organisationRow {
	row := organisationRow{ID: o.ID, Name: o.Name, Registration: o.Registration, Erased: o.Erased}
	for _, role := range o.Roles {
		out := roleRow{Role: role.Role, Code: role.Code, Admitted: role.Admitted}
		if n := len(role.Standing.Grants); n > 0 {
			grant := role.Standing.Grants[n-1]
			out.Until, out.Purposes = time.Unix(grant.Until, 0).UTC(), grant.Purposes
			for _, vct := range grant.Types {
				name := paspoort.Text{NL: vct, EN: vct}
				if t, err := paspoort.TypeOf(vct); err == nil {
					name = t.Name()
				}
				out.Types = append(out.Types, name)
			}
		}
		if n := len(role.Standing.Suspensions); n > 0 && role.Code == registry.CodeSuspended {
			out.Reason = role.Standing.Suspensions[n-1].Reason
		}
		if n := len(role.Standing.Withdrawals); n > 0 && (role.Code == registry.CodeWithdrawn || role.Code == registry.CodeFraud) {
			out.Reason = role.Standing.Withdrawals[n-1].Reason
		}
		row.Roles = append(row.Roles, out)
	}
	return row
}

type hobbelsPage struct {
	Catalogue string
	Hobbels   []hobbelRow
	Source    source
}

type hobbelRow struct {
	ID               string
	Title, Doorbraak registry.Text
	Status           registry.HobbelStatus
	Since            time.Time // zero while open
	Evidence         []registry.Evidence
}

func (p *pages) showHobbels(w http.ResponseWriter, r *http.Request) {
	var data hobbelsPage
	ok := p.view(w, r, func(v registry.View, s source) {
		data.Source = s
		if v.AsOf == 0 {
			return
		}
		list := v.Hobbels(p.n.cfg.Clock())
		data.Catalogue = list.Catalogue
		for _, h := range list.Hobbels {
			row := hobbelRow{ID: h.ID, Title: h.Title, Doorbraak: h.Doorbraak, Status: h.Status}
			if n := len(h.History); n > 0 {
				row.Since, row.Evidence = time.Unix(h.History[n-1].Since, 0).UTC(), h.History[n-1].Evidence
			}
			data.Hobbels = append(data.Hobbels, row)
		}
	})
	if ok {
		p.rendered(p.hobbels.Render(w, r, http.StatusOK, data))
	}
}

type logPage struct {
	Status Status
	Newest []logRow // newest first
}

type logRow struct {
	Index   uint64
	Kind    registry.Kind
	Time    time.Time
	Event   string
	Covered bool // under the checkpoint that this node serves
}

const logRows = 20

func (p *pages) showLog(w http.ResponseWriter, r *http.Request) {
	data := logPage{Status: p.n.Status()}
	covered := p.n.covered()
	for i := data.Status.Leaves; i > 0 && len(data.Newest) < logRows; i-- {
		leaf, err := p.n.leaf(i - 1)
		if err != nil {
			p.rendered(err)
			p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken}))
			return
		}
		data.Newest = append(data.Newest, logRow{i - 1, leaf.Event.Kind, time.Unix(leaf.LogTime, 0).UTC(), leaf.Event.ID(), i-1 < covered})
	}
	p.rendered(p.log.Render(w, r, http.StatusOK, data))
}

type checkPage struct {
	On      bool
	Problem string // key of a sentence: empty, many, large, unreadable
	Most    int    // credentials at once
	Verdict *paspoort.Verdict
	Source  source
}

func (p *pages) showCheck(w http.ResponseWriter, r *http.Request) {
	p.rendered(p.check.Render(w, r, http.StatusOK, p.newCheckPage()))
}

// Many says that each credential needs a number above it.
func (c checkPage) Many() bool { return c.Verdict != nil && len(c.Verdict.Credentials) > 1 }

// Number is what people count from one.
func (checkPage) Number(i int) int { return i + 1 }

// mostChecked is how many credentials a person looks through on one page.
const mostChecked = 25

func (p *pages) newCheckPage() checkPage {
	return checkPage{On: p.n.checker != nil, Most: mostChecked, Source: source{Node: p.n.cfg.ID}}
}

// postCheck checks what was pasted or chosen. The whole body stays below the limit, and
// the form is read with that much memory, so that nothing of it ever reaches a disk.
func (p *pages) postCheck(w http.ResponseWriter, r *http.Request) {
	data := p.newCheckPage()
	if !data.On {
		p.rendered(p.check.Render(w, r, http.StatusNotFound, data))
		return
	}
	text, problem := formCredential(w, r)
	shown := presentations(text)
	if len(shown) > mostChecked {
		problem = "many"
	}
	if problem != "" {
		data.Problem = problem
		status := http.StatusBadRequest
		if problem == "large" || problem == "many" {
			status = http.StatusRequestEntityTooLarge
		}
		p.rendered(p.check.Render(w, r, status, data))
		return
	}
	verdict, err := p.n.check(r.Context(), evidence.Request{Flow: paspoort.File, Presentations: shown})
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken, Next: "/check"}))
		}
		return
	}
	data.Verdict = &verdict
	p.rendered(p.check.Render(w, r, http.StatusOK, data))
}

// formCredential finds the credentials in the form: the file that was chosen, else the
// pasted text.
func formCredential(w http.ResponseWriter, r *http.Request) (text, problem string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxVerifyBody)
	err := r.ParseMultipartForm(2 * maxVerifyBody)
	if errors.Is(err, http.ErrNotMultipart) {
		err = r.ParseForm()
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", "large"
	case err != nil:
		return "", "unreadable"
	}
	text = r.PostFormValue("credential")
	if file, _, err := r.FormFile("file"); err == nil {
		raw, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			return "", "unreadable"
		}
		if len(raw) > 0 {
			text = string(raw)
		}
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", "empty"
	}
	return text, ""
}
