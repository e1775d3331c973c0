package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"paspoort.example/paspoort/specs/paspoort"
)

// What every traveller types besides.
const (
	ownSkill     = "Koken voor veertig"
	firstPurpose = "solliciteren bij de bakker"
)

// looks is journey 3: who I am, what I can, what I want, on one page.
func (p *traveller) looks() {
	p.t.Helper()
	p.goTo("/paspoort")
	p.reads("paspoort.who")
	p.reads("paspoort.can")
	p.reads("paspoort.want")
	p.says(p.name, "Verzorgen")
	if p.shows(`#want [name=wishes]`) || ask[bool](p.tab, `document.querySelector("#want details").open`) {
		p.fatalf("what I want is open by default")
	}

	// Own words, added in place and then changed.
	p.click("#who details.words summary")
	p.fill("#who [name=who_i_am]", "Dat vertel ik later.")
	p.submit("/paspoort/words/who")
	p.reads("words.saved")
	p.says("Dat vertel ik later.")
	p.click("#who details.words summary")
	p.fill("#who [name=who_i_am]", p.own+".")
	p.submit("/paspoort/words/who")
	p.says(p.own)
	if strings.Contains(p.page.Text, "Dat vertel ik later.") {
		p.fatalf("the old words still stand there")
	}
	p.ownSkill()
	p.tellsApart()

	// Closed, also when there is something in it.
	p.click("#want details summary")
	p.click("#want details details summary")
	p.fill("#want [name=wishes]", "een baan dichtbij "+p.own)
	p.submit("/paspoort/words/want")
	p.at("/paspoort")
	if strings.Contains(flat(p.page.Text), "dichtbij") {
		p.fatalf("what I want can be read without opening it")
	}
	p.click("#want details summary")
	p.wait("what I want", func(s seen) bool { return strings.Contains(flat(s.Text), "dichtbij") })
	if n := p.sheets(); n < 1 || n > 4 {
		p.fatalf("the paspoort takes %d sheets of paper", n)
	}
	p.opensToProof()
}

// ownSkill writes a skill without a code; what others wrote before is suggested.
func (p *traveller) ownSkill() {
	p.t.Helper()
	p.click("#can details.words summary")
	if p.textOf("#can [name=skills]") != "" || !p.has("#can [name=skills][list]") {
		p.fatalf("no empty row for a skill with suggestions")
	}
	p.fill("#can [name=skills]", ownSkill)
	p.submit("/paspoort/words/can")
	p.says(ownSkill)
}

// tellsApart: own words, confirmed and assessed differ in a word and in a form.
func (p *traveller) tellsApart() {
	p.t.Helper()
	type row struct {
		Words string `json:"words"`
		Mark  string `json:"mark"`
	}
	rows := ask[[]row](p.tab, `Array.from(document.querySelectorAll("#can .proofs > li.proof"), (e) => ({
		words: (e.querySelector(".level") || {innerText: ""}).innerText, mark: (e.querySelector("svg.mark use") || {getAttribute: () => ""}).getAttribute("href")}))`)
	words, marks := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		if r.Words == "" || r.Mark == "" {
			continue
		}
		words[r.Words], marks[r.Mark] = true, true
	}
	if len(words) < 2 || len(words) != len(marks) {
		p.fatalf("levels are told apart by %d words and %d forms: %+v", len(words), len(marks), rows)
	}
}

// opensToProof: behind an item is who says so, and how it was looked at.
func (p *traveller) opensToProof() {
	p.t.Helper()
	p.press(`#can a[href="` + p.first + `"]`)
	p.at(p.first)
	p.reads("item.by")
	p.says("Opleidingshuis De Vaart")
	p.reads("item.checked")
	p.click(`section[aria-labelledby="checked"] details summary`)
	if states := p.texts(".pp-checks .stamp"); len(states) == 0 {
		p.fatalf("the item shows no checks")
	}
}

// answers is journey 4: from the employer's own page to a verdict, and a no.
func (p *traveller) answers() {
	p.t.Helper()
	yes := p.land.askFor(p.t, "Wij zoeken een helpende voor de nacht.")
	p.open(yes.Page)
	p.press(`a[href*="/open?wallet=1"]`)
	p.at("/present/[^/]+")
	p.reads("consent.who")
	p.reads("consent.why")
	p.says("Zorggroep Linde", "Wij zoeken een helpende voor de nacht.", "Verzorgen", p.land.ready.Verifiers[0].URL[len("https://"):])
	if strings.Contains(p.page.Text, "x509_hash") {
		p.fatalf("the asker is called by the hash of a certificate")
	}
	p.reads("party.as.verifier")
	if strings.Contains(p.page.Text, "Samira") {
		p.fatalf("the name of the person is shown among what goes, and nobody asked for it")
	}
	p.submitWithin("form#answer")
	p.reads("answered.title.sent")
	p.press(`a[href*="/return?"]`)
	p.says("Verzorgen", "Opleidingshuis De Vaart")
	p.rightVerdict(yes.ID)
	no := p.land.askFor(p.t, "Wij zoeken iemand voor overdag.")
	p.open(no.Page)
	p.press(`a[href*="/open?wallet=1"]`)
	p.submitWithin(`form[action$="/no"]`)
	p.reads("answered.title.refused")
	if got := p.land.answered(p.t, no.ID); got.State != "waiting" || got.Verdict != nil {
		p.fatalf("after a no in silence the asker sees %+v", got)
	}
	told := p.land.askFor(p.t, "Wij zoeken iemand voor de avond.")
	p.open(told.Page)
	p.press(`a[href*="/open?wallet=1"]`)
	p.click("#tell")
	p.submitWithin(`form[action$="/no"]`)
	p.reads("answered.title.told")
	if got := p.land.answered(p.t, told.ID); got.State != "refused" {
		p.fatalf("the holder let the asker know, and the asker sees %q", got.State)
	}
}

// submitWithin presses the button of a form.
func (p *traveller) submitWithin(form string) {
	p.t.Helper()
	p.press(form + " button[type=submit]")
}

// rightVerdict: the asked skill, shown by the opleider, and nothing else.
func (p *traveller) rightVerdict(id string) {
	p.t.Helper()
	got := p.land.answered(p.t, id)
	if got.State != "done" || got.Verdict == nil || got.Verdict.Outcome != paspoort.OK {
		p.fatalf("the request is %q, verdict %+v", got.State, got.Verdict)
	}
	var uris []string
	for _, s := range got.Verdict.Skills {
		uris = append(uris, s.URI)
	}
	if !slices.Equal(uris, []string{skillCare}) {
		p.fatalf("the skills %q came, asked was %q", uris, skillCare)
	}
	for _, c := range got.Verdict.Credentials {
		if c.Claims["given_name"] != nil || c.Claims["family_name"] != nil {
			p.fatalf("a name came that nobody asked for")
		}
	}
}

// share makes the first share of a paspoort, from the page of a credential: the shortest way.
func (p *traveller) share() {
	p.t.Helper()
	p.press(`a[href^="/shares/new"]`)
	p.reads("share.new.title")
	if !ask[bool](p.tab, `document.querySelector("[name=item]").checked`) {
		p.click("[name=item]")
	}
	p.fill("#purpose", firstPurpose)
	p.submit("/shares/new")
	p.at("/shares/made/[^/]+")
	p.reads("share.made.title")
	p.land.remember(p.secretOf(p.textOf("#link")))
}

func (p *traveller) secretOf(link string) string { return link[strings.LastIndex(link, "/")+1:] }

// shares is journey 5, with a reader who has nothing but the link and the code.
func (p *traveller) shares() {
	p.t.Helper()
	p.goTo("/shares/new?item=" + filepath.Base(p.first))
	if !ask[bool](p.tab, `document.querySelector("[name=item]").checked`) {
		p.click("[name=item]")
	}
	p.fill("#purpose", "kennismaken met "+p.own)
	p.choose("#days", "7")
	p.choose("#times", "3")
	p.submit("/shares/new")
	link, code := p.textOf("#link"), strings.Join(p.texts(".share-code.share-once span"), "")
	p.land.remember(p.secretOf(link))
	if len(code) != 6 || !p.has(`img.qr`) {
		p.fatalf("the code is %q", code)
	}

	reader := p.another("reader")
	reader.open(link + "?lang=" + p.lang)
	reader.reads("share.door.lead")
	reader.says(p.name)
	p.opened(0)
	reader.fill("#code", spoiled(code))
	reader.submitWithin(`form[action^="/s/"]`)
	reader.reads("share.door.fault.code")
	p.opened(0)
	reader.fill("#code", code[:3]+" "+code[3:])
	reader.submitWithin(`form[action^="/s/"]`)
	reader.reads("share.opened.about")
	reader.says("Opleidingshuis De Vaart", "Verzorgen", p.name, "kennismaken met "+p.own)
	reader.reads("share.opened.self")
	p.land.remember(filepath.Base(reader.page.path()))
	for _, lang := range []string{"en", p.lang} { // looking on is no opening
		reader.goTo(reader.page.path() + "?lang=" + lang)
		reader.says("Opleidingshuis De Vaart")
	}
	reader.checksItself()
	p.opened(1)

	p.press(`form[action$="/withdraw"] button`)
	p.reads("notice.share-withdrawn")
	reader.open(link)
	reader.reads("share.closed.title")
	reader.reads("share.closed.why.withdrawn")
	reader.submitWithin(`form[action$="/ask"]`)
	reader.reads("share.closed.asked")
	p.goTo("/shares")
	if p.textOf("article.card .message") == "" {
		p.fatalf("the holder does not see that somebody asked for a new link")
	}
	p.goTo("/history")
	for _, key := range []string{"history.event.share_opened", "history.event.share_asked", "history.receipt"} {
		p.reads(key)
	}
	// Two links were made for as many purposes: what happened to this one names it each time.
	if n := strings.Count(p.page.Text, "kennismaken met "+p.own); n != 4 {
		p.fatalf("the history names the link %d times, want at its making, opening, withdrawing and the question", n)
	}
}

// checksItself downloads the proofs and does in a terminal what the page says to do.
func (p *traveller) checksItself() {
	p.t.Helper()
	proofs := ask[string](p.tab, `(() => {
		const form = document.querySelector('form[action$="/proofs"]');
		return fetch(form.action, {method: "POST", body: new URLSearchParams(new FormData(form))}).then((answer) => answer.text());
	})()`)
	at := p.t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(at, "bewijzen.txt"), []byte(proofs), 0o600), os.Symlink(p.land.program, filepath.Join(at, "paspoort"))); err != nil {
		p.t.Fatal(err)
	}
	commands := ask[string](p.tab, `document.querySelector(".share-commands").textContent`)
	run := func(commands string, want int) {
		p.t.Helper()
		cmd := exec.CommandContext(p.t.Context(), "sh", "-e", "-c", commands)
		cmd.Dir = at
		cmd.Env = append(os.Environ(), "PATH="+at+":"+os.Getenv("PATH"), "CURL_CA_BUNDLE="+p.land.ready.CAFile)
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			p.t.Fatalf("%s\nended with %d, want %d (%v):\n%s", commands, got, want, err, out)
		}
	}
	run(commands, exitOK)
	last := commands[strings.LastIndex(strings.TrimSpace(commands), "\n")+1:]
	run("rm lijsten/*; "+last, exitStatus)
	run(strings.Replace(last, " --status lijsten", "", 1), exitStatus)
}

// opened checks how often the newest share was opened, as its holder sees it.
func (p *traveller) opened(times int) {
	p.t.Helper()
	p.goTo("/shares")
	key := map[int]string{0: "share.times", 1: "share.times/one"}[times]
	want := strings.ReplaceAll(p.land.words[p.lang][key], "{n}", strconv.Itoa(times))
	if facts := p.textOf("article.card dl.facts"); !strings.Contains(flat(facts), flat(want)) {
		p.fatalf("%q does not say that it was opened %q", facts, want)
	}
}
