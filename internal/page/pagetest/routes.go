package pagetest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
)

// filePrefix begins the name of a route that shows no page: "file:qr.svg",
// "file:redirect-back".
const filePrefix = "file:"

// Routes fails for each GET route of a pages router that nobody would look at: it must
// carry the name of a page with samples, or one that says that it shows no page.
func Routes(t *testing.T, r *mux.Router, k *page.Kit) {
	t.Helper()
	faults, seen := routeFaults(r, k)
	if seen == 0 {
		t.Error("the router has no routes")
	}
	for _, fault := range faults {
		t.Error(fault)
	}
}

func routeFaults(r *mux.Router, k *page.Kit) (faults []string, seen int) {
	err := r.Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		// No methods means all of them.
		if methods, err := route.GetMethods(); route.GetHandler() == nil || (err == nil && !slices.Contains(methods, http.MethodGet)) {
			return nil
		}
		seen++
		path, err := route.GetPathTemplate()
		if err != nil {
			path = "a route without a path"
		}
		switch name := route.GetName(); {
		case name == "":
			faults = append(faults, path+": the route has no name: give it that of its page, or "+filePrefix+"WHAT if it shows none")
		case !strings.HasPrefix(name, filePrefix) && !k.Has(name):
			faults = append(faults, path+": there is no page "+name+" with samples")
		}
		return nil
	})
	if err != nil {
		faults = append(faults, err.Error())
	}
	return faults, seen
}
