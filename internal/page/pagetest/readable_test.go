package pagetest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
)

func TestSyllables(t *testing.T) {
	for word, want := range map[string]int{
		"paspoort": 2, "bewijs": 2, "uitgever": 3, "coöperatie": 5, "ideeën": 3, "naïef": 2, "nieuw": 1, "leeuw": 1, "bij": 1, "u": 1, "13": 1, "ervaring": 3,
	} {
		if got := dutchSyllables(word); got != want {
			t.Errorf("%s: got %d, want %d", word, got, want)
		}
	}
	for word, want := range map[string]int{"passport": 2, "made": 1, "little": 2, "signed": 1, "wanted": 2, "employer": 3, "the": 1} {
		if got := englishSyllables(word); got != want {
			t.Errorf("%s: got %d, want %d", word, got, want)
		}
	}
}

func TestScoreTellsEasyFromHard(t *testing.T) {
	easy := score(page.Dutch, "Dit is uw paspoort. U deelt wat u wilt.")
	hard := score(page.Dutch, "Ten behoeve van cryptografische authenticatie dienen persoonsgegevens geverifieerd te worden door gemachtigde organisaties.")
	if easy < 80 || hard > 30 {
		t.Errorf("got %.0f and %.0f, want above 80 and below 30", easy, hard)
	}
	if easy, hard := score(page.English, "You share what you want."), score(page.English, "Cryptographic authentication necessitates authorised organisations."); easy < 80 || hard > 30 {
		t.Errorf("english: got %.0f and %.0f", easy, hard)
	}
}

// TestWordFaults is the control: planted faults are found, and what is good passes.
func TestWordFaults(t *testing.T) {
	for _, tt := range []struct {
		name string
		lang page.Language
		text string
		want string
	}{
		{"good", page.EasyDutch, "Dit is uw bewijs. Wie gaf het?", ""},
		{"trade word", page.EasyDutch, "Open uw Wallets.", "no word of easy Dutch"},
		{"trade word where it may be", page.Dutch, "Open uw wallet.", ""},
		{"value with a trade name", page.EasyDutch, "Dag {issuer}, fijn.", ""},
		{"long sentence", page.EasyDutch, "Een twee drie vier vijf zes zeven acht negen tien elf twaalf dertien veertien vijftien zestien.", "16 words"},
		{"two sentences", page.EasyDutch, "Een twee drie vier vijf zes zeven acht negen. Tien elf twaalf dertien veertien vijftien zestien.", ""},
		{"claim", page.English, "Een Gekwalificeerde handtekening", "claims"},
		{"claim about the state", page.Dutch, "Dit is erkend door de overheid.", "claims"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := strings.Join(wordFaults(tt.lang, tt.text), "; ")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := jargonIn("Het token wordt cryptografisch geverifieerd; wij kunnen het verifiëren."); len(got) != 3 {
		t.Errorf("got %q", got)
	}
}

func TestRouteFaults(t *testing.T) {
	k, err := page.New(page.Options{}) // its only page is that of faults
	if err != nil {
		t.Fatal(err)
	}
	r := mux.NewRouter()
	h := func(http.ResponseWriter, *http.Request) {}
	r.HandleFunc("/named", h).Methods("GET").Name("fault")
	r.HandleFunc("/qr.svg", h).Methods("GET").Name("file:qr.svg")
	r.HandleFunc("/post", h).Methods("POST")
	if got, seen := routeFaults(r, k); len(got) > 0 || seen != 2 {
		t.Errorf("good routes have faults: %v of %d", got, seen)
	}
	r.HandleFunc("/bare", h).Methods("GET", "HEAD")
	r.HandleFunc("/all", h)
	r.HandleFunc("/absent", h).Methods("GET").Name("absent")
	sub := r.PathPrefix("/sub").Subrouter()
	sub.HandleFunc("/below", h).Methods("GET")
	got, _ := routeFaults(r, k)
	if all := strings.Join(got, "\n"); len(got) != 4 || !strings.Contains(all, "/sub/below") || !strings.Contains(all, "no page absent") {
		t.Errorf("got %q", got)
	}
}
