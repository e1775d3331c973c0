package host

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/statuslist"
	"paspoort.example/paspoort/wallet"
)

// open unlocks the paspoort of a holder beside the site, as the command line would.
func (g *rig) open(p *holder) *wallet.Wallet {
	g.t.Helper()
	number, _ := readNumber(p.number)
	a, err := g.host.accountOf(numberKey(number))
	if err != nil {
		g.t.Fatal(err)
	}
	w, err := wallet.Unlock(g.host.engine(a.ID, page.Dutch), []byte(goodSecret))
	if err != nil {
		g.t.Fatal(err)
	}
	return w
}

func (g *rig) declare(p *holder, claims map[string]any) string {
	g.t.Helper()
	id, err := g.open(p).Declare(claims)
	if err != nil {
		g.t.Fatal(err)
	}
	return id
}

// item is the path of the first proof on the page.
func (p *holder) item(t *testing.T) string {
	t.Helper()
	p.get("/paspoort")
	found := itemLink.FindStringSubmatch(p.Page)
	if found == nil {
		t.Fatalf("there is no proof on %s", text(p.Page))
	}
	return "/paspoort/" + found[1]
}

// TestItem: one thing down to its proof, and what becomes of it.
func TestItem(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	p.get("/paspoort").says("Verzorgen", "bevestigd door iemand", "Bewijzen")
	path := p.item(t)
	p.get(path).says("Dit bewijs geldt vandaag", "bevestigd door iemand", "Wat betekent dit?", "Bekend in Regio Aakermonde", "in orde", "Er zijn nog 10 kopieën", "Laat dit iemand zien")

	p.post(path + "/file")
	if got := p.Header.Get("Content-Disposition"); p.Status != http.StatusOK || !strings.HasPrefix(got, `attachment; filename="bewijs-`) || strings.Count(p.Page, "~") < 3 {
		t.Errorf("the file: %d, %q, %.60s", p.Status, got, p.Page)
	}
	p.get(path).says("Er zijn nog 9 kopieën")
	p.post(path+"/renew").at(path).says("Er zijn nieuwe kopieën", "Er zijn nog 19 kopieën")

	if err := g.issuer.List.Set(0, statuslist.Suspended); err != nil {
		t.Fatal(err)
	}
	g.clock.Advance(20 * time.Minute)
	p.get(path).says("tijdelijk niet geldig", "Dit bewijs geldt nu niet")
	p.post("/paspoort/look").at("/paspoort").says("1 bewijs geldt nu niet", "tijdelijk niet geldig")
	if can := p.Page[strings.Index(p.Page, `id="can"`):strings.Index(p.Page, `id="want"`)]; strings.Contains(can, "bevestigd door") {
		t.Error("a proof that does not hold shows a skill all the same")
	}

	p.get(path+"/delete").says("Weet u het zeker?", "Nee, laat staan")
	p.post(path+"/delete").at("/paspoort").says("uit uw paspoort gehaald", "Uw paspoort is nog leeg")
	p.get("/history").says("U haalde iets uit uw paspoort")
}

// TestUnknownIsNotOK: what cannot be asked is said not to be known, without a level.
func TestUnknownIsNotOK(t *testing.T) {
	var world *evidencetest.Web
	g := newRig(t, func(c *Config) { world = c.Wallet.StatusFetch.(*evidencetest.Web) })
	p := g.holder("Samira").collect()
	world.Down = true
	g.clock.Advance(30 * 24 * time.Hour) // longer than a list says that it holds
	p.post("/in", "number", p.number, "passphrase", goodSecret).at("/paspoort").says("niet alles kon worden nagekeken")
	p.get(p.item(t)).says("Niet alles kon worden nagekeken")
}

// TestOtherHolders: what is of one holder is not there for another, by any address.
func TestOtherHolders(t *testing.T) {
	g := newRig(t)
	first, second := g.holder("Samira").collect(), g.holder("Joost")
	path := first.item(t)
	words := "/paspoort/" + g.declare(first, map[string]any{"evidence": "self", "title": "Van Samira", "talents": []any{"x"}})
	for _, at := range []string{path, words} {
		for _, do := range []func(){
			func() { second.get(at) }, func() { second.get(at + "/delete") }, func() { second.post(at + "/delete") },
			func() { second.post(at + "/renew") }, func() { second.post(at + "/file") },
			func() {
				second.post("/paspoort/words/who", "id", strings.TrimPrefix(at, "/paspoort/"), "talents", "van mij")
			},
		} {
			if do(); second.Status != http.StatusNotFound {
				t.Errorf("%s: got %d, want 404", second.Path, second.Status)
			}
		}
	}
	first.get(path).says("Dit bewijs geldt vandaag")
	first.get(words).says("Van Samira")
	visitor := g.browser()
	visitor.get(path).at("/in")
	visitor.post(path + "/delete").at("/in")
	first.get(path).says("Dit bewijs geldt vandaag")
}

// TestMany: what does not fit on a page stands on the next, and all can be reached.
func TestMany(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	mine := g.open(p)
	offer, err := mine.Offer(t.Context(), g.vci.Link(opleidingID, offerCode), wallet.Trust{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := mine.Accept(t.Context(), offer, wallet.Choices{TxCode: offerCode}); err != nil {
		t.Fatal(err)
	}
	const many = perPage + 5
	for range many - 1 {
		if _, err := mine.Declare(map[string]any{"evidence": "self", "title": "Over mij"}); err != nil {
			t.Fatal(err)
		}
	}
	p.get("/paspoort").says("nog niet nagekeken", "Over mij")
	p.post("/paspoort/look").at("/paspoort").says("bevestigd door iemand")
	seen := map[string]bool{}
	for _, n := range []string{"1", "2"} {
		p.get("/paspoort/all?page="+n).says("Blad "+n+" van 2", fmt.Sprintf("%d bewijzen", many))
		for _, id := range allFound(itemLink, p.Page) {
			seen[id] = true
		}
	}
	if len(seen) != many {
		t.Errorf("%d proofs can be reached, want %d", len(seen), many)
	}
	for _, n := range []string{"0", "-3", "99", "x"} {
		if p.get("/paspoort/all?page=" + n); p.Status != http.StatusOK {
			t.Errorf("page %s: got %d", n, p.Status)
		}
	}
}
