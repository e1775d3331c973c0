package desk

import (
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page/pagetest"
)

func TestPages(t *testing.T) {
	d := &Desk{}
	if err := d.views(); err != nil {
		t.Fatal(err)
	}
	pagetest.Run(t, d.kit)
	pagetest.Readable(t, d.kit)
	r := mux.NewRouter()
	d.mount(r)
	pagetest.Routes(t, r, d.kit)
}
