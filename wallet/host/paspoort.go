package host

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// paspoortDesk shows what is in a paspoort.
type paspoortDesk struct {
	whole   page.View[paspoortPage]
	all     page.View[allPage]
	item    page.View[itemPage]
	remove  page.View[removePage]
	history page.View[historyPage]
}

func (h *Host) paspoortRoutes() {
	h.getMember("/paspoort", "paspoort", h.showPaspoort)
	h.getMember("/paspoort/all", "paspoort-all", h.showAll)
	h.postMember("/paspoort/look", h.lookAgain)
	h.postMember("/paspoort/words/{section:who|can|want}", h.saveWords)
	h.postMember("/suggest", h.suggest)
	// An id is what the engine drew for this paspoort alone; it tells nothing.
	const item = "/paspoort/{id:[a-z2-7]{8}}"
	h.getMember(item, "paspoort-item", h.showItem)
	h.getMember(item+"/delete", "paspoort-delete", h.askDelete)
	h.postMember(item+"/delete", h.deleteItem)
	h.postMember(item+"/renew", h.renewItem)
	h.postMember(item+"/file", h.itemFile)
	h.getMember("/history", "history", h.showHistory)
	h.postMember("/history/export", h.exportHistory)
}

// paspoortPage is the paspoort on one page: wie ben ik, wat kan ik, wat wil ik.
type paspoortPage struct {
	Waiting waiting

	Name  string   // to greet with
	Names []string // on the proofs
	Words ownWords

	Skills     []skillRow
	MoreSkills int
	Proofs     []proofRow
	MoreProofs int
	// PaperSkills and PaperProofs are how many have no room on paper.
	PaperSkills, PaperProofs int

	Ended     int       // proofs that hold no longer
	Unchecked bool      // how they stand is not known yet
	Checked   time.Time // when it was looked at; zero: not
	Host      string    // where the rest is, for paper

	Who, Can, Want wordsForm
	Suggestions    suggestions
	Saved, Wrong   string // the section that was saved just now, or could not be
}

// Empty says that nothing was collected or written yet.
func (p paspoortPage) Empty() bool {
	return len(p.Proofs) == 0 && len(p.Skills) == 0 && p.Words.empty()
}

// Rungs are those of the proof ladder, for the legend.
func (p paspoortPage) Rungs() []string { return []string{"0", "1", "2", "3", "4"} }

// allPage lists every proof.
type allPage struct {
	Proofs            []proofRow
	Total, Page, Last int
}

// Before and After are the pages beside this one; zero when there is none.
func (p allPage) Before() int { return p.Page - 1 }
func (p allPage) After() int  { return following(p.Page, p.Last) }

func following(n, last int) int {
	if n < last {
		return n + 1
	}
	return 0
}

// What one page shows; the rest is counted and stands on the next.
const (
	mostSkills = 40
	mostProofs = 24
	perPage    = 40
)

// savedNotice begins the notice of a section that was saved. That is told at the section
// and not above the page, where nobody would look.
const savedNotice = "words-saved-"

func (h *Host) showPaspoort(w http.ResponseWriter, r *http.Request, s *session) error {
	data, err := h.paspoortNow(r, s)
	if err != nil {
		return err
	}
	notice := s.takeNotice()
	if section, ok := strings.CutPrefix(notice, savedNotice); ok {
		data.Saved = section
	} else {
		s.say(notice)
	}
	return show(h, h.paspoort.whole, w, r, s, http.StatusOK, data)
}

// paspoortNow is the page as it is now, with the forms to change it.
func (h *Host) paspoortNow(r *http.Request, s *session) (paspoortPage, error) {
	mine := h.open(r, s)
	person, err := mine.Person()
	if err != nil {
		return paspoortPage{}, err
	}
	entries, err := mine.Everything()
	if err != nil {
		return paspoortPage{}, err
	}
	data := paspoortPage{Waiting: h.waitingFor(s, mine, person), Name: person.Name, Words: wordsIn(entries), Host: h.c.URL, Checked: s.lookedAt(), Suggestions: h.suggestions(h.kit.Language(r))}
	data.fill(h.judge(r, s), entries)
	main := mainWords(entries)
	if data.Who, data.Can, data.Want, err = wordsForms(mine, main.ID, main.Claims, true); err != nil {
		return paspoortPage{}, err
	}
	return data, nil
}

// fill puts in what the entries say, as they stand.
func (p *paspoortPage) fill(j judge, entries []wallet.Entry) {
	p.Names, p.Skills = namesOn(entries), j.skills(entries)
	for _, e := range entries {
		if e.OwnWords {
			continue
		}
		row := j.row(e)
		p.Proofs = append(p.Proofs, row)
		if row.Gone {
			p.Ended++
		}
		p.Unchecked = p.Unchecked || row.Stand == standUnchecked
	}
	p.Skills, p.MoreSkills = cut(p.Skills, mostSkills)
	p.Proofs, p.MoreProofs = cut(p.Proofs, mostProofs)
	p.PaperSkills, p.PaperProofs = p.MoreSkills, p.MoreProofs
	skills, proofs := onPaper(p.Words.letters())
	for i := range p.Skills {
		if i >= skills {
			p.Skills[i].Cut = true
			p.PaperSkills++
		}
	}
	for i := range p.Proofs {
		if i >= proofs {
			p.Proofs[i].Cut = true
			p.PaperProofs++
		}
	}
}

// onPaper is how many skills and proofs have room on four sheets of A4 beside so many
// letters of one's own: the more somebody says, the fewer.
func onPaper(letters int) (skills, proofs int) {
	switch {
	case letters < 2500:
		return mostSkills, mostProofs
	case letters < 5500:
		return 30, 16
	}
	return 20, 10
}

// cut leaves the first n, and counts the rest.
func cut[T any](list []T, n int) (first []T, more int) {
	if len(list) <= n {
		return list, 0
	}
	return list[:n], len(list) - n
}

// namesOn are the names on the proofs, each once.
func namesOn(entries []wallet.Entry) (out []string) {
	seen := map[string]bool{"": true}
	for _, e := range entries {
		if name := e.Person(); !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	out, _ = cut(out, 5)
	return out
}

func (h *Host) showAll(w http.ResponseWriter, r *http.Request, s *session) error {
	entries, err := h.open(r, s).Everything()
	if err != nil {
		return err
	}
	data := allPage{Total: len(entries)}
	var from, to int
	data.Page, data.Last, from, to = pageOf(r, len(entries), perPage)
	j := h.judge(r, s)
	for _, e := range entries[from:to] {
		data.Proofs = append(data.Proofs, j.row(e))
	}
	return show(h, h.paspoort.all, w, r, s, http.StatusOK, data)
}

// pageOf is which page of a long list is asked, and what stands on it.
func pageOf(r *http.Request, total, size int) (n, last, from, to int) {
	last = max(1, (total+size-1)/size)
	n, _ = strconv.Atoi(r.URL.Query().Get("page"))
	n = min(max(n, 1), last)
	return n, last, (n - 1) * size, min(n*size, total)
}

// lookAgain asks once more how everything stands.
func (h *Host) lookAgain(w http.ResponseWriter, r *http.Request, s *session) error {
	h.lookAtStandings(s, h.open(r, s))
	return see(w, r, "/paspoort#proofs")
}

// lookedAt is when the standings were looked at; zero when they are not known.
func (s *session) lookedAt() time.Time {
	s.mu.Lock()
	look := s.standings
	s.mu.Unlock()
	if look == nil {
		return time.Time{}
	}
	select {
	case <-look.done:
		return look.at
	default:
		return time.Time{}
	}
}

// makePaspoortViews makes the pages of the paspoort.
func (h *Host) makePaspoortViews() error {
	var err error
	d := &h.paspoort
	d.whole = addView(h, &err, "paspoort", paspoortSamples()...)
	d.all = addView(h, &err, "paspoort-all", allSamples()...)
	d.item = addView(h, &err, "paspoort-item", itemSamples()...)
	d.remove = addView(h, &err, "paspoort-delete", removeSamples()...)
	d.history = addView(h, &err, "history", historySamples()...)
	return err
}

// typeText is the type in words; a foreign one as it calls itself.
func typeText(name string) paspoort.Text {
	t, err := paspoort.ParseType(name)
	if errors.Is(err, paspoort.ErrUnknownType) {
		return paspoort.Text{NL: name, EN: name}
	}
	return t.Name()
}
