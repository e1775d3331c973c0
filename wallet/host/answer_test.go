package host

import (
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/sdjwt"
)

// TestAnswer: the consent shows who asks, in which role, why and what goes; what was agreed
// to goes, and nothing else.
func TestAnswer(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	p.get("/present?"+g.asker.ask(true, verzorgenURI)).at("/present/[^/]+").
		says("Zorggroep Linde", "Bekend in Regio Aakermonde", "Mag om bewijzen vragen", "werving", "Wij zoeken een helpende.", "Verzorgen", "Meer dan nodig", "Alleen de vrager kan het lezen")
	consent := p.Path
	seen := p.hidden("seen")
	p.post(consent, "go", "0").at(consent).says("Er is iets veranderd")
	p.post(consent, "seen", seen).at(consent).says("U hebt alles uitgezet")
	if answers, refusals := g.asker.heard(); answers+refusals != 0 {
		t.Fatal("something was sent")
	}
	p.post(consent, "go", "0", "seen", seen).at(consent+"/done").says("Het is verstuurd", "Terug naar Zorggroep Linde")
	p.post(consent, "go", "0", "seen", seen).at(consent + "/done")
	if answers, _ := g.asker.heard(); answers != 1 {
		t.Fatalf("%d answers were sent, want 1", answers)
	}
	for _, texts := range g.asker.answers[0] {
		for _, text := range texts {
			token, err := sdjwt.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			claims, err := token.Claims()
			if err != nil {
				t.Fatal(err)
			}
			if skills, _ := claims["skills"].([]any); len(skills) != 1 {
				t.Errorf("%d skills went, want the one that was asked", len(skills))
			}
		}
	}
	p.get("/history").says("Zorggroep Linde")
}

// TestSayNo: no sends nothing, unless the holder wants the asker to know.
func TestSayNo(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	p.get("/present?" + g.asker.ask(false, verzorgenURI))
	consent := p.Path
	p.post(consent+"/no").at(consent+"/done").says("Er is niets verstuurd", "weet niet of u de vraag hebt gezien")
	if answers, refusals := g.asker.heard(); answers+refusals != 0 {
		t.Error("the asker heard of a no")
	}
	p.post(consent, "go", "0").at(consent + "/done") // too late
	p.get("/present?" + g.asker.ask(false, verzorgenURI))
	p.post(p.Path+"/no", "tell", "1").says("U hebt nee gezegd")
	if answers, refusals := g.asker.heard(); answers != 0 || refusals != 1 {
		t.Errorf("got %d answers and %d refusals", answers, refusals)
	}
}

// TestNothingFits: who has nothing that fits can say no, and nothing else.
func TestNothingFits(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/present?"+g.asker.ask(false, verzorgenURI)).says("U hebt niets dat past", "Nee, stuur niets")
	consent := p.Path
	p.post(consent, "go", "0").at(consent).says("Er is iets veranderd")
	p.get("/present?client_id=x").at("/offer/problem").says("klopt niet")
}

// TestOthersThings: what one holder has in progress nobody else reaches.
func TestOthersThings(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira").collect()
	item := p.Path
	p.get("/present?" + g.asker.ask(false, verzorgenURI))
	consent := p.Path
	other := g.holder("Joost")
	for _, path := range []string{consent, consent + "/done", item} {
		if other.get(path); other.Status == 200 && strings.Contains(other.Page, "Verzorgen") {
			t.Errorf("%s shows another's", path)
		}
	}
	for _, path := range []string{consent, consent + "/no", item + "/delete"} {
		if other.post(path, "go", "0"); other.Status == 200 {
			t.Errorf("%s does something: %s", path, text(other.Page))
		}
	}
	p.get(item).says("Verzorgen")
	if answers, refusals := g.asker.heard(); answers+refusals != 0 {
		t.Error("another answered")
	}
}
