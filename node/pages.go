package node

import (
	"embed"
	"errors"
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
	regions       page.View[regionsPage]
	neighbour     page.View[neighbourPage]
	decisions     page.View[decisionsPage]
	decision      page.View[decisionPage]
	application   page.View[decisionPage]
	hobbels       page.View[hobbelsPage]
	hobbel        page.View[hobbelPage]
	functions     page.View[functionsPage]
	function      page.View[functionPage]
	modules       page.View[modulesPage]
	module        page.View[modulePage]
	log           page.View[logPage]
	check         page.View[checkPage]
}

func newPages(n *Node) (*pages, error) {
	p := &pages{n: n}
	var err error
	p.kit, err = page.New(page.Options{Owner: n.founding.name, Sources: []fs.FS{pageFiles}, Nav: []page.Link{
		{Key: "node.nav.region", Path: "/"}, {Key: "node.nav.functions", Path: "/functions"}, {Key: "node.nav.modules", Path: "/modules"},
		{Key: "node.nav.hobbels", Path: "/hobbels"}, {Key: "node.nav.organisations", Path: "/organisations"}, {Key: "node.nav.decisions", Path: "/decisions"},
		{Key: "node.nav.regions", Path: "/regions"},
		{Key: "node.nav.check", Path: "/check"},
	}})
	if err != nil {
		return nil, err
	}
	return p, errors.Join(
		view(p.kit, &p.region, "region", regionSamples()), view(p.kit, &p.log, "log", logSamples()), view(p.kit, &p.check, "check", checkSamples()),
		view(p.kit, &p.organisations, "organisations", organisationsSamples()), view(p.kit, &p.organisation, "organisation", organisationSamples()),
		view(p.kit, &p.regions, "regions", regionsSamples()), view(p.kit, &p.neighbour, "neighbour", neighbourSamples()),
		view(p.kit, &p.decisions, "decisions", decisionsSamples()), view(p.kit, &p.decision, "decision", decisionSamples()),
		view(p.kit, &p.application, "application", applicationSamples()),
		view(p.kit, &p.hobbels, "hobbels", hobbelsSamples()), view(p.kit, &p.hobbel, "hobbel", hobbelSamples()),
		view(p.kit, &p.functions, "functions", functionsSamples()), view(p.kit, &p.function, "function", functionSamples()),
		view(p.kit, &p.modules, "modules", modulesSamples()), view(p.kit, &p.module, "module", moduleSamples()),
	)
}

func view[T any](k *page.Kit, v *page.View[T], name string, samples []page.Sample[T]) error {
	made, err := page.NewView(k, name, samples...)
	*v = made
	return err
}

// mount names each route after its page, so that a test can hold it against the samples.
func (p *pages) mount(r *mux.Router) {
	get := func(path, name string, h http.HandlerFunc) {
		r.HandleFunc(path, h).Methods(http.MethodGet, http.MethodHead).Name(name)
	}
	get("/", "region", p.showRegion)
	get("/organisations", "organisations", p.showOrganisations)
	get("/organisations/{id}", "organisation", p.showOrganisation)
	get("/regions", "regions", p.showRegions)
	get("/regions/{genesis:[0-9a-f]{64}}", "neighbour", p.showNeighbour)
	get("/regions/{genesis:[0-9a-f]{64}}/organisations/{id}", "organisation", p.showForeignOrganisation)
	get("/decisions", "decisions", p.showDecisions)
	get("/decisions/{id}", "decision", p.showDecision)
	get("/applications/{id}", "application", p.showApplication)
	get("/functions", "functions", p.showFunctions)
	get("/functions/{id}", "function", p.showFunction)
	get("/modules", "modules", p.showModules)
	get("/modules/{id}", "module", p.showModule)
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
	Members       []partyRow
	Organisations int // admitted now
	Breakthroughs int
	Hobbels       int
	Functions     int
	Modules       int
	Criteria      string
	CriteriaText  *registry.CriteriaText
	Continues     *registry.Continuation // it goes on where another region stopped
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

// showOne shows the page of one thing by its id, or says that there is none; all is the page on
// which the others are.
func showOne[T any](p *pages, w http.ResponseWriter, r *http.Request, shown page.View[T], all string, find func(registry.View, string, source, time.Time) (T, error)) {
	now, id := p.n.cfg.Clock(), mux.Vars(r)["id"]
	var data T
	var unknown error
	ok := p.view(w, r, func(v registry.View, s source) { data, unknown = find(v, id, s, now) })
	switch {
	case !ok:
	case unknown != nil:
		p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.NotFound, Next: all}))
	default:
		p.rendered(shown.Render(w, r, http.StatusOK, data))
	}
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
		data.Criteria, data.CriteriaText, data.Continues = region.Criteria, region.Text, region.Continues
		one := registry.ListingQuery{Limit: 1}
		data.Functions, data.Modules = v.Functions(one, now).Total, v.Modules(one, now).Total
		who := newNames(v, now)
		for _, m := range region.Members {
			if m.Removed == 0 {
				data.Members = append(data.Members, who.member(m.ID))
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
