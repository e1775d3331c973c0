package host

import (
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/internal/page/pagetest"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// TestOnPaper: a paspoort with 200 proofs, and one with the longest words, fit on four
// sheets of A4.
func TestOnPaper(t *testing.T) {
	kit := bare(t).kit
	for _, name := range []string{"many", "most", "full"} {
		for _, lang := range []page.Language{page.Dutch, page.English} {
			if got := pagetest.Sheets(t, kit, "paspoort", name, lang); got > 4 {
				t.Errorf("%s in %s takes %d sheets, want at most 4", name, lang, got)
			} else {
				t.Logf("%s in %s: %d sheets", name, lang, got)
			}
		}
	}
}

// TestLeftOut: what does not stand on the page is counted, on screen and on paper.
func TestLeftOut(t *testing.T) {
	body := sampleHTML(t, "paspoort", "many", page.Dutch)
	for _, want := range []string{"Nog 176 bewijzen", "En nog 176 bewijzen, te zien op https://paspoort.example", `href="/paspoort/all"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if len(body) > 90<<10 {
		t.Errorf("the page weighs %d bytes: too near to what a page may", len(body))
	}
}

// TestJudged: a level comes from the verdict and from nowhere else, and what is not known
// never looks as if it were.
func TestJudged(t *testing.T) {
	level := func(n int) *int { return &n }
	for _, tc := range []struct {
		name     string
		standing wallet.Standing
		foreign  bool
		want     judgement
	}{
		{"in order", wallet.Standing{State: paspoort.OK, Status: "valid", Level: level(4)}, false, judgement{"4", "", false}},
		{"a budget", wallet.Standing{State: paspoort.OK, Status: "valid"}, false, judgement{levelNone, "", false}},
		{"status away", wallet.Standing{State: paspoort.Unknown, Level: level(2)}, false, judgement{"2", standPartly, false}},
		{"issuer unknown", wallet.Standing{State: paspoort.Unknown}, false, judgement{levelDoubt, standPartly, false}},
		{"revoked", wallet.Standing{State: paspoort.Failed, Status: "invalid", Code: "revoked"}, false, judgement{levelNone, standRevoked, true}},
		{"suspended", wallet.Standing{State: paspoort.Failed, Status: "suspended", Code: "suspended"}, false, judgement{levelNone, standSuspended, true}},
		{"expired", wallet.Standing{State: paspoort.Failed, Status: "valid", Code: "expired"}, false, judgement{levelNone, standExpired, true}},
		{"fraud", wallet.Standing{State: paspoort.Failed, Status: "valid", Code: "withdrawn_for_fraud"}, false, judgement{levelNone, standFailed, true}},
		{"foreign", wallet.Standing{State: paspoort.Unknown, Code: "type_unknown"}, true, judgement{levelDoubt, standForeign, false}},
		{"foreign and revoked", wallet.Standing{State: paspoort.Failed, Status: "invalid"}, true, judgement{levelNone, standRevoked, true}},
	} {
		if got := judged(tc.standing, !tc.foreign); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.name, got, tc.want)
		}
	}
	j := judge{now: sampleTime}
	if got := j.of(wallet.Entry{Read: true}); got != (judgement{levelDoubt, standUnchecked, false}) {
		t.Errorf("not looked at: got %+v", got)
	}
	if got := j.of(wallet.Entry{Read: true, Expires: sampleTime}); got != (judgement{levelNone, standExpired, true}) {
		t.Errorf("expired and not looked at: got %+v", got)
	}
}

// TestSkillsGathered: the strongest proof stands first and gives the name, what holds no
// longer shows nothing, and one proof counts once.
func TestSkillsGathered(t *testing.T) {
	s := fullSample()
	rows := judge{sampleTime, s.standings}.skills(s.entries)
	at := map[string]skillRow{}
	for _, r := range rows {
		at[r.Label] = r
	}
	if got := at["Luisteren"]; got.Level != "3" || got.All() != 1 || got.More[0].Level != "1" {
		t.Errorf("luisteren: got %+v", got)
	}
	for _, gone := range []string{"Eerste hulp geven", "Iemand tillen met een tillift", "Werken met Excel"} {
		if _, there := at[gone]; there {
			t.Errorf("%s is shown by a proof that does not hold", gone)
		}
	}
	if rows[0].Level != "4" || rows[len(rows)-1].Level != levelOwn {
		t.Errorf("from %s to %s, want the strongest first", rows[0].Level, rows[len(rows)-1].Level)
	}
}

func sampleHTML(t *testing.T, name, state string, lang page.Language) string {
	t.Helper()
	for _, s := range bare(t).kit.Samples() {
		if s.Page == name && s.State == state && s.Lang == lang {
			body, err := s.HTML()
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
	}
	t.Fatalf("no sample %s/%s", name, state)
	return ""
}
