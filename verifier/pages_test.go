package verifier

import (
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page/pagetest"
)

func TestPages(t *testing.T) {
	v := &Verifier{config: Config{Name: "Machinefabriek Ossekamp"}}
	if err := v.makePages(); err != nil {
		t.Fatal(err)
	}
	pagetest.Run(t, v.kit)
	pagetest.Readable(t, v.kit)
	r := mux.NewRouter()
	v.pageRoutes(r)
	pagetest.Routes(t, r, v.kit)
}
