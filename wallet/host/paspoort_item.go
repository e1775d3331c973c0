package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// itemPage is one thing in the paspoort, down to what proves it.
type itemPage struct {
	ID, Title   string
	Type, About paspoort.Text
	OwnWords    bool
	Got         time.Time
	judgement
	// Sentence says what is wrong or not known.
	Sentence paspoort.Text
	Person   string // whose name is on it
	By       partyView
	Period   itemPeriod
	Awarded  time.Time
	CanDo    []string
	Skills   []paspoort.Skill
	Says     []wallet.Line // what else it says
	How      []wallet.Line // how it was found out
	Until    time.Time     // the last day; zero: no end

	Judged    bool // somebody could be asked how it stands
	Checks    []itemCheck
	Basis     []registryLine
	Technical []technicalLine

	Copies, Unused int
	Renewable      bool
	FewLeft        bool

	Forms        []wordsForm
	Suggestions  suggestions
	Saved, Wrong string // a section
}

type itemPeriod struct{ From, To time.Time }

type itemCheck struct {
	Title    paspoort.Text
	State    paspoort.State
	Sentence paspoort.Text
}

// A technicalLine is for who helps the holder; Code is the key of its label.
type technicalLine struct{ Code, Value string }

// removePage asks once more before one thing goes.
type removePage struct {
	ID, Title, By string
	OwnWords      bool
}

// judgeTime is how long the page of one thing waits to hear how it stands. Without it says
// that it does not know.
const judgeTime = 6 * time.Second

func (h *Host) showItem(w http.ResponseWriter, r *http.Request, s *session) error {
	data, err := h.itemNow(r, s, mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	notice := s.takeNotice()
	if section, ok := strings.CutPrefix(notice, savedNotice); ok {
		data.Saved = section
	} else {
		s.say(notice)
	}
	return show(h, h.paspoort.item, w, r, s, http.StatusOK, data)
}

func (h *Host) itemNow(r *http.Request, s *session, id string) (itemPage, error) {
	mine := h.open(r, s)
	d, err := mine.Look(id)
	if err != nil {
		return itemPage{}, err
	}
	data := itemPage{ID: d.ID, Title: d.Name, Type: typeText(d.Type), OwnWords: d.OwnWords, Got: d.Accepted,
		Copies: d.Copies, Unused: d.Unused, Renewable: d.Renewable, FewLeft: d.FewLeft}
	if data.Title == "" {
		data.Title = d.Type
	}
	if t, err := paspoort.ParseType(d.Type); err == nil {
		data.About = t.About()
	}
	data.describe(d)
	if d.OwnWords {
		data.Level = levelOwn
		return data, h.ownItem(r, mine, d, &data)
	}
	data.By = h.party(d.Issuer)
	data.Technical = []technicalLine{{"id", d.ID}, {"issuer", d.Issuer.ID}}
	ctx, cancel := context.WithTimeout(r.Context(), judgeTime)
	defer cancel()
	verdict, err := mine.Judge(ctx, id)
	if errors.Is(err, wallet.ErrNotHere) || r.Context().Err() != nil {
		return data, err
	}
	if err != nil {
		h.c.Log.Warn("a proof could not be judged", "kind", errorKinds(err))
		data.judgement = judgement{Level: levelDoubt, Stand: standUnchecked}
		return data, nil
	}
	h.judgedItem(&data, verdict, d)
	return data, nil
}

// ownItem adds the forms to change own words.
func (h *Host) ownItem(r *http.Request, mine *wallet.Wallet, d *wallet.Details, data *itemPage) error {
	main := d.Name == wordsTitle.NL || d.Name == wordsTitle.EN
	who, can, want, err := wordsForms(mine, d.ID, d.Claims, main)
	data.Forms, data.Suggestions = []wordsForm{who, can, want}, h.suggestions(h.kit.Language(r))
	for i := range data.Forms {
		data.Forms[i].Back = "item"
	}
	return err
}

// Names of claims that stand elsewhere on the page, and of those that tell how something
// was found out.
var (
	claimsAbove = []string{"title", "given_name", "family_name", "can_do", "skills", "period", "awarded_on", "issuer_name"}
	claimsOfHow = []string{"evidence", "result", "grade", "supervision", "identity_check", "assessment_form", "methods", "standard", "units", "assessor_roles",
		"recognition", "supervisor_role", "trainer_role", "quality_assurance", "level_claimed", "level_classified", "relation"}
)

// describe sorts what it says.
func (p *itemPage) describe(d *wallet.Details) {
	for _, l := range d.Lines {
		switch {
		case slices.Contains(claimsAbove, l.Name):
		case slices.Contains(claimsOfHow, l.Name) && !d.OwnWords:
			p.How = append(p.How, l)
		default:
			p.Says = append(p.Says, l)
		}
	}
	if d.OwnWords {
		p.Says = slices.DeleteFunc(p.Says, func(l wallet.Line) bool { return l.Name == "evidence" || l.Name == "language" })
	}
	text := func(v any) string { s, _ := v.(string); return s }
	read, err := paspoort.Read(d.Claims)
	switch {
	case d.OwnWords:
		p.CanDo = rowsOf(d.Claims["can_do"])
		for _, label := range rowsOf(d.Claims["skills"]) {
			p.Skills = append(p.Skills, paspoort.Skill{Label: label})
		}
		return
	case err != nil:
		return // foreign: its lines are all there is
	}
	p.CanDo, p.Skills = rowsOf(read.Claims["can_do"]), read.Skills
	p.Person = strings.TrimSpace(read.Text("given_name") + " " + read.Text("family_name"))
	if period, ok := read.Claims["period"].(map[string]any); ok {
		p.Period.From, _ = time.Parse(time.DateOnly, text(period["start"]))
		p.Period.To, _ = time.Parse(time.DateOnly, text(period["end"]))
	}
	p.Awarded, _ = time.Parse(time.DateOnly, read.Text("awarded_on"))
	if !read.ExpiresAt.IsZero() {
		p.Until = read.ExpiresAt.Add(-time.Second)
	}
}

// judgedItem adds what anybody would find who checks it now.
func (h *Host) judgedItem(p *itemPage, verdict paspoort.Verdict, d *wallet.Details) {
	v := verdict.Credentials[0]
	standing := wallet.StandingOf(v)
	p.Judged, p.judgement, p.Sentence = true, judged(standing, v.Type != ""), standing.Sentence
	for _, c := range v.Checks {
		if c.Name == paspoort.CheckHolderBinding || c.Name == paspoort.CheckNonceAudience {
			continue // whose it is the holder knows
		}
		p.Checks = append(p.Checks, itemCheck{paspoort.CheckTitle(c.Name), c.State, c.Sentence})
	}
	for _, view := range verdict.RegistryViews() {
		p.Basis = append(p.Basis, registryLine{h.regionName(view), time.Duration(view.AgeSeconds) * time.Second, view.Note})
	}
	for _, l := range []technicalLine{{"format", string(v.Format)}, {"key", v.Issuer.KeySource}, {"signed", v.SignedOn}, {"existed", v.ExistedOn}, {"status", v.StatusAsOf}} {
		if l.Value != "" {
			p.Technical = append(p.Technical, l)
		}
	}
	if d.Timestamps > 0 {
		p.Technical = append(p.Technical, technicalLine{"timestamps", fmt.Sprint(d.Timestamps)})
	}
}

func (h *Host) askDelete(w http.ResponseWriter, r *http.Request, s *session) error {
	d, err := h.open(r, s).Look(mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	data := removePage{ID: d.ID, Title: d.Name, OwnWords: d.OwnWords}
	if !d.OwnWords {
		data.By = d.Issuer.DisplayName()
	}
	return show(h, h.paspoort.remove, w, r, s, http.StatusOK, data)
}

func (h *Host) deleteItem(w http.ResponseWriter, r *http.Request, s *session) error {
	if err := h.open(r, s).Delete(mux.Vars(r)["id"]); err != nil {
		return err
	}
	s.say("item-deleted")
	return see(w, r, "/paspoort")
}

// renewItem fetches new copies ahead of time.
func (h *Host) renewItem(w http.ResponseWriter, r *http.Request, s *session) error {
	id := mux.Vars(r)["id"]
	done, err := h.open(r, s).Renew(r.Context(), id)
	if err != nil {
		return err
	}
	notice := "renewed"
	for _, one := range done {
		switch {
		case errors.Is(one.Problem, wallet.ErrNoRenewal):
			notice = "renew-none"
		case one.Problem != nil:
			notice = "renew-failed"
			h.c.Log.Info("new copies could not be fetched", "kind", errorKinds(one.Problem))
		}
	}
	s.say(notice)
	return see(w, r, "/paspoort/"+id+"#copies")
}

// itemFile sends one thing as a file that anybody can check.
func (h *Host) itemFile(w http.ResponseWriter, r *http.Request, s *session) error {
	text, err := h.open(r, s).Export(mux.Vars(r)["id"])
	if err != nil {
		return err
	}
	return h.attach(w, "text/plain; charset=utf-8", "bewijs-"+h.c.Clock().Format(time.DateOnly)+".txt", text+"\n")
}

// attach sends a file. Its name says nothing about the holder: it is seen in a list of
// downloads.
func (h *Host) attach(w http.ResponseWriter, kind, name, text string) error {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	w.Header().Set("Cache-Control", "no-store")
	if _, err := io.WriteString(w, text); err != nil {
		h.c.Log.Info("a file was not taken to its end")
	}
	return nil
}

// attachJSON sends a file for programs, laid out for people too.
func (h *Host) attachJSON(w http.ResponseWriter, name string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return h.attach(w, "application/json", name, string(raw)+"\n")
}
