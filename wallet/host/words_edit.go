package host

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// The sections of one's own words, as the page asks for them.
const (
	sectionWho  = "who"
	sectionCan  = "can"
	sectionWant = "want"
)

// A wordsForm is the form of one section.
type wordsForm struct {
	Section string
	ID      string // the declaration; empty: the one that is written here, made when needed
	Back    string // where to go after it: empty for the paspoort, or item
	Fields  []wordsField
	Draft   bool // kept while typing
	Drafted bool // filled with what was kept
	Open    bool // with something to say, so not folded away
	Written bool // there is something to change
}

// A wordsField is one question.
type wordsField struct {
	Name string
	Kind string // story, rows, number
	// Rows are what stands in it, with a few empty ones to add to; of a story or a number the
	// first.
	Rows  []string
	Most  int // letters in a row
	Extra int // rows that may still be added
	Fault string
	List  bool // with suggestions
}

// Value is what stands in a story or a number.
func (f wordsField) Value() string {
	if len(f.Rows) == 0 {
		return ""
	}
	return f.Rows[0]
}

// A formRow is one row with its number, from 1 on.
type formRow struct {
	N    int
	Text string
}

// Numbered are the rows with their numbers.
func (f wordsField) Numbered() []formRow {
	out := make([]formRow, len(f.Rows))
	for i, text := range f.Rows {
		out[i] = formRow{i + 1, text}
	}
	return out
}

// A question is a claim of a Zelfverklaring with the bounds of its schema.
type question struct {
	name, kind  string
	most, count int // letters in a row, rows
}

var questions = map[string][]question{
	sectionWho:  {{"who_i_am", "story", 2000, 1}, {"talents", "rows", 300, 7}, {"drives", "rows", 300, 7}},
	sectionCan:  {{"skills", "rows", 200, 50}, {"can_do", "rows", 300, 7}},
	sectionWant: {{"wishes", "rows", 300, 7}, {"hours_wanted", "number", 5, 1}},
}

// emptyRows are what a form has to add to, without script.
const emptyRows = 2

// draftOfWords is the name under which a half-filled section is kept.
func draftOfWords(section string) string { return "words-" + section }

// wordsForms are the three forms of a declaration, each refilled with what was kept of it.
// A script keeps them for the declaration that is written on the page of the paspoort
// (main); a session that ended keeps them with the id.
func wordsForms(mine *wallet.Wallet, id string, claims map[string]any, main bool) (who, can, want wordsForm, err error) {
	for section, into := range map[string]*wordsForm{sectionWho: &who, sectionCan: &can, sectionWant: &want} {
		*into = formOf(section, id, claims)
		into.Draft = main
		kept, draftErr := mine.Draft(draftOfWords(section))
		if err = errors.Join(err, draftErr); kept == nil {
			continue
		}
		if of := kept.Get("id"); of != id && (of != "" || !main) {
			continue
		}
		into.fill(kept)
		into.Drafted, into.Open = true, true
	}
	return who, can, want, err
}

// formOf is the form of what stands in a declaration.
func formOf(section, id string, claims map[string]any) wordsForm {
	f := wordsForm{Section: section, ID: id}
	for _, q := range questions[section] {
		rows := rowsOf(claims[q.name])
		f.Written = f.Written || len(rows) > 0
		f.Fields = append(f.Fields, q.field(rows))
	}
	return f
}

func (q question) field(rows []string) wordsField {
	f := wordsField{Name: q.name, Kind: q.kind, Most: q.most, Rows: rows, List: q.name == "skills"}
	if q.kind != "rows" {
		return f
	}
	add := min(emptyRows, max(0, q.count-len(rows)))
	f.Extra = max(0, q.count-len(rows)-add)
	f.Rows = append(slices.Clone(rows), make([]string, add)...)
	return f
}

// rowsOf is a claim as rows of a form.
func rowsOf(claim any) (rows []string) {
	switch claim := claim.(type) {
	case string:
		return []string{claim}
	case float64:
		return []string{strconv.FormatFloat(claim, 'f', -1, 64)}
	case []any:
		for _, e := range claim {
			if skill, ok := e.(map[string]any); ok {
				e = skill["label"]
			}
			if s, ok := e.(string); ok {
				rows = append(rows, s)
			}
		}
	}
	return rows
}

// fill puts what was sent or kept in the form.
func (f *wordsForm) fill(values url.Values) {
	for i, q := range questions[f.Section] {
		fault := f.Fields[i].Fault
		f.Fields[i] = q.field(given(q, values))
		f.Fields[i].Fault = fault
	}
}

// given are the rows of a question that were filled in.
func given(q question, values url.Values) (rows []string) {
	for _, text := range values[q.name] {
		text = strings.NewReplacer("\r\n", "\n", "\t", " ").Replace(text)
		if q.kind != "story" {
			text = strings.Join(strings.Fields(text), " ")
		}
		if text = strings.TrimSpace(text); text != "" && (q.kind != "rows" || !slices.Contains(rows, text)) {
			rows = append(rows, text)
		}
	}
	return rows
}

// fault says what does not fit in an answer.
func (q question) fault(rows []string) string {
	if len(rows) > q.count {
		return "many"
	}
	for _, row := range rows {
		control := func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }
		switch {
		case utf8.RuneCountInString(row) > q.most:
			return "long"
		case !utf8.ValidString(row), strings.ContainsFunc(row, control):
			return "letters"
		case q.kind == "number":
			if n, err := hours(row); err != nil || !(n >= 1 && n <= 60) {
				return "hours"
			}
		}
	}
	return ""
}

// hours reads a number as people write it: 28, 28,5 or 28.5.
func hours(text string) (float64, error) {
	return strconv.ParseFloat(strings.ReplaceAll(text, ",", "."), 64)
}

// saveWords changes one section of one's own words, and goes back to it.
func (h *Host) saveWords(w http.ResponseWriter, r *http.Request, s *session) error {
	section, id := mux.Vars(r)["section"], r.PostForm.Get("id")
	mine := h.open(r, s)
	// What stands there is read, changed and written: one change after another.
	lock := h.acts.of(s.holder)
	lock.Lock()
	defer lock.Unlock()
	claims, id, err := h.wordsNow(mine, id)
	if err != nil {
		return err
	}
	faults := map[string]string{}
	for _, q := range questions[section] {
		rows := given(q, r.PostForm)
		if fault := q.fault(rows); fault != "" {
			faults[q.name] = fault
			continue
		}
		answer(claims, q, rows)
	}
	if len(faults) > 0 {
		return h.wordsAgain(w, r, s, section, faults)
	}
	back := "/paspoort"
	if r.PostForm.Get("back") == "item" && id != "" {
		back += "/" + url.PathEscape(id)
	}
	gone, err := keepWords(mine, id, claims, h.kit.Language(r))
	if err != nil {
		return err
	}
	if gone {
		back = "/paspoort"
	}
	if err := mine.DropDraft(draftOfWords(section)); err != nil {
		return err
	}
	s.say(savedNotice + section)
	return see(w, r, back+"#"+section)
}

// wordsNow is what a declaration says now: the one named, else the one that is written
// here. An id of somebody else's is not there.
func (h *Host) wordsNow(mine *wallet.Wallet, id string) (map[string]any, string, error) {
	if id == "" {
		entries, err := mine.Everything()
		if err != nil {
			return nil, "", err
		}
		if id = mainWords(entries).ID; id == "" {
			return map[string]any{}, "", nil
		}
	}
	claims, err := mine.Declaration(id)
	return claims, id, err
}

// keepWords stores a declaration. One in which nothing is left is taken away.
func keepWords(mine *wallet.Wallet, id string, claims map[string]any, lang page.Language) (gone bool, err error) {
	said := slices.ContainsFunc(slices.Concat(questions[sectionWho], questions[sectionCan], questions[sectionWant]), func(q question) bool {
		return claims[q.name] != nil
	})
	switch {
	case !said && id == "":
		return false, nil
	case !said:
		return true, mine.Delete(id)
	case id != "":
		return false, mine.Redeclare(id, claims)
	}
	claims["evidence"], claims["language"], claims["title"] = "self", lang.Tag(), wordsTitle.In(lang.Tag())
	_, err = mine.Declare(claims)
	return false, err
}

// answer puts an answer among the claims. A skill that keeps its name keeps its code.
func answer(claims map[string]any, q question, rows []string) {
	before, _ := claims[q.name].([]any)
	delete(claims, q.name)
	if len(rows) == 0 {
		return
	}
	switch {
	case q.kind == "story":
		claims[q.name] = rows[0]
	case q.kind == "number":
		claims[q.name], _ = hours(rows[0])
	case q.name == "skills":
		claims[q.name] = skillsAgain(before, rows)
	default:
		list := make([]any, len(rows))
		for i, row := range rows {
			list[i] = row
		}
		claims[q.name] = list
	}
}

func skillsAgain(before []any, rows []string) []any {
	list := make([]any, len(rows))
	for i, row := range rows {
		list[i] = map[string]any{"label": row}
		for _, old := range before {
			if skill, ok := old.(map[string]any); ok && skill["label"] == row {
				list[i] = skill
			}
		}
	}
	return list
}

// wordsAgain shows the page with what is wrong, and what was typed.
func (h *Host) wordsAgain(w http.ResponseWriter, r *http.Request, s *session, section string, faults map[string]string) error {
	wrong := func(f *wordsForm) {
		f.fill(r.PostForm)
		f.Open = true
		for i := range f.Fields {
			f.Fields[i].Fault = faults[f.Fields[i].Name]
		}
	}
	if r.PostForm.Get("back") == "item" {
		data, err := h.itemNow(r, s, r.PostForm.Get("id"))
		if err != nil {
			return err
		}
		data.Wrong = section
		for i := range data.Forms {
			if data.Forms[i].Section == section {
				wrong(&data.Forms[i])
			}
		}
		return show(h, h.paspoort.item, w, r, s, http.StatusUnprocessableEntity, data)
	}
	data, err := h.paspoortNow(r, s)
	if err != nil {
		return err
	}
	data.Wrong = section
	wrong(map[string]*wordsForm{sectionWho: &data.Who, sectionCan: &data.Can, sectionWant: &data.Want}[section])
	return show(h, h.paspoort.whole, w, r, s, http.StatusUnprocessableEntity, data)
}

// wordsTitle is what the declaration is called that is written on the page of the paspoort.
// It is found by this name, so that it is the same one after moving to another host.
var wordsTitle = paspoort.Text{NL: "Mijn eigen woorden", EN: "My own words"}

// mainWords is that declaration, the oldest when there are several; empty when there is
// none.
func mainWords(entries []wallet.Entry) (main wallet.Entry) {
	for _, e := range entries {
		if e.OwnWords && (e.Name == wordsTitle.NL || e.Name == wordsTitle.EN) && (main.ID == "" || e.Accepted.Before(main.Accepted)) {
			main = e
		}
	}
	return main
}
