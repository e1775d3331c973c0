package node

import (
	"net/http/httptest"
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page/pagetest"
	"paspoort.example/paspoort/specs/registry"
)

func TestPages(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	pagetest.Run(t, p.kit)
	pagetest.Readable(t, p.kit)
	r := mux.NewRouter()
	p.mount(r)
	pagetest.Routes(t, r, p.kit)
}

// Every kind of event has a name on the log page: a new kind without one would break it.
func TestEveryKindHasAName(t *testing.T) {
	effective, _ := registry.Kinds()
	var rows []logRow
	for i, kind := range effective {
		rows = append(rows, logRow{Index: uint64(i), Kind: kind})
	}
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"nl", "en"} {
		w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "/log", nil)
		r.Header.Set("Accept-Language", lang)
		if err := p.log.Render(w, r, 200, logPage{Newest: rows}); err != nil {
			t.Errorf("%s: %v", lang, err)
		}
	}
}

// Every word that a function profile or module can hold has a text.
func TestEveryWordOfAListingHasAText(t *testing.T) {
	p, err := newPages(&Node{founding: region{name: "Regio Aakermonde"}})
	if err != nil {
		t.Fatal(err)
	}
	texts := p.kit.Texts(p.kit.Languages()[0])
	for prefix, words := range map[string][]string{
		"contract": registry.Contracts(), "shift": registry.Shifts(), "demand": registry.Demands(), "form": registry.Forms(), "time": registry.Times(),
		"assessment": registry.AssessmentForms(), "pace": registry.Paces(), "workplace": registry.Workplaces(), "language": namedLanguages,
	} {
		for _, word := range words {
			if texts["node."+prefix+"."+word] == nil {
				t.Errorf("there is no text for %s %q", prefix, word)
			}
		}
	}
}
