package node

import (
	"embed"
	"io/fs"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/registry"
)

//go:embed templates catalogs assets
var pageFiles embed.FS

// pages are the region's public face on this node. They work without script, keep
// nothing, and say how old what they show is.
type pages struct {
	n             *Node
	kit           *page.Kit
	region        page.View[regionPage]
	organisations page.View[organisationsPage]
	organisation  page.View[organisationPage]
	decisions     page.View[decisionsPage]
	decision      page.View[decisionPage]
	application   page.View[decisionPage]
	hobbels       page.View[hobbelsPage]
	hobbel        page.View[hobbelPage]
	log           page.View[logPage]
	check         page.View[checkPage]
}

func newPages(n *Node) (*pages, error) {
	p := &pages{n: n}
	var err error
	p.kit, err = page.New(page.Options{Owner: n.founding.name, Sources: []fs.FS{pageFiles}, Nav: []page.Link{
		{Key: "node.nav.region", Path: "/"}, {Key: "node.nav.organisations", Path: "/organisations"},
		{Key: "node.nav.hobbels", Path: "/hobbels"}, {Key: "node.nav.decisions", Path: "/decisions"}, {Key: "node.nav.log", Path: "/log"}, {Key: "node.nav.check", Path: "/check"},
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
	if p.organisation, err = page.NewView(p.kit, "organisation", organisationSamples()...); err != nil {
		return nil, err
	}
	if p.decisions, err = page.NewView(p.kit, "decisions", decisionsSamples()...); err != nil {
		return nil, err
	}
	if p.decision, err = page.NewView(p.kit, "decision", decisionSamples()...); err != nil {
		return nil, err
	}
	if p.application, err = page.NewView(p.kit, "application", applicationSamples()...); err != nil {
		return nil, err
	}
	if p.hobbels, err = page.NewView(p.kit, "hobbels", hobbelsSamples()...); err != nil {
		return nil, err
	}
	if p.hobbel, err = page.NewView(p.kit, "hobbel", hobbelSamples()...); err != nil {
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
	get("/organisations/{id}", "organisation", p.showOrganisation)
	get("/decisions", "decisions", p.showDecisions)
	get("/decisions/{id}", "decision", p.showDecision)
	get("/applications/{id}", "application", p.showApplication)
	get("/hobbels", "hobbels", p.showHobbels)
	get("/hobbels/{id}", "hobbel", p.showHobbel)
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
