package host

import (
	"strings"
	"testing"
)

// TestTake: the file goes to another host and opens there, also when the old one is gone;
// nothing doubles, and a wrong passphrase or a broken file changes nothing.
func TestTake(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	p.post("/take", "passphrase", "kort").at("/take").says("te kort")
	p.post("/take", "passphrase", "mijn bestand zin")
	if got := p.Header.Get("Content-Disposition"); !strings.Contains(got, ".age") || strings.Contains(got, "Samira") {
		t.Errorf("the file is called %q", got)
	}
	file := []byte(p.Page)
	g.server.Close()

	there := newRig(t) // in another region: what came along is kept, and says that it is not known here
	new := there.holder("Samira")
	for name, tt := range map[string]struct {
		file       []byte
		passphrase string
		want       string
	}{
		"wrong passphrase": {file, "een andere zin", "past niet bij het bestand"},
		"cut off":          {file[:len(file)/2], "mijn bestand zin", "geen paspoortbestand"},
		"no archive":       {[]byte("goedemorgen"), "mijn bestand zin", "geen paspoortbestand"},
	} {
		t.Run(name, func(t *testing.T) {
			new.upload("/take/back", "archive", tt.file, "passphrase", tt.passphrase).at("/take/back").says(tt.want)
		})
	}
	new.get("/paspoort")
	if strings.Contains(new.Page, "Helpen bij dagelijkse zorg") {
		t.Error("something of a refused file came in")
	}
	new.upload("/take/back", "archive", file, "passphrase", "mijn bestand zin").at("/paspoort").says("toegevoegd", "Helpen bij dagelijkse zorg")
	new.upload("/take/back", "archive", file, "passphrase", "mijn bestand zin").at("/paspoort").says("had u al")
	if n := strings.Count(new.get("/paspoort/all").Page, `href="/paspoort/`); n == 0 {
		t.Error("nothing is listed")
	}
}
