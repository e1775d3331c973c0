package host

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// historyPage is everything that came and went, newest first.
type historyPage struct {
	Rows  []historyRow
	Show  string   // the group that is shown, all when nothing was chosen
	Shows []string // groups to choose from
	// Nothing says that nothing ever happened, other than that nothing of this group did.
	Nothing           bool
	Total, Page, Last int
}

// Before and After are the pages beside this one; zero when there is none.
func (p historyPage) Before() int { return p.Page - 1 }
func (p historyPage) After() int  { return following(p.Page, p.Last) }

// A historyRow is one event as a sentence with what belongs to it.
type historyRow struct {
	ID   string
	At   time.Time
	Kind string // the key of its sentence
	Name string
	// Party is who it was with; Known when a region vouched for the name.
	Party   string
	Known   bool
	Purpose string
	Shown   []wallet.ShownCredential
	// Number is which opening of the share it was; 0 when the receipt does not say.
	Number  int
	Receipt string
	Thing   string // the id of what it is about, when that is still there
}

const (
	showAllKinds = "all"
	showCame     = "came"
	showWent     = "went"
	showOwn      = "own"
	showCare     = "care"
)

// kinds are the events that have a sentence, and the group in which they stand.
var kinds = map[wallet.EventKind]string{
	wallet.EventAccepted: showCame, wallet.EventRenewed: showCame, wallet.EventImported: showCame,
	wallet.EventShown: showWent, wallet.EventRefused: showWent, wallet.EventExported: showWent, wallet.EventArchived: showWent,
	wallet.EventShareMade: showWent, wallet.EventShareWithdrawn: showWent, wallet.EventShareOpened: showWent, wallet.EventShareAsked: showWent,
	wallet.EventDeclared: showOwn, wallet.EventDeleted: showOwn,
	wallet.EventRecovered: showCare, wallet.EventPassphrase: showCare,
}

var historyShows = []string{showAllKinds, showCame, showWent, showOwn, showCare}

// historyPerPage keeps a page readable and light.
const historyPerPage = 40

func (h *Host) showHistory(w http.ResponseWriter, r *http.Request, s *session) error {
	mine := h.open(r, s)
	if _, err := mine.Inbox(); err != nil { // what waits there belongs here
		h.c.Log.Error("an inbox could not be read", "kind", errorKinds(err))
	}
	events, err := mine.History()
	if err != nil {
		return err
	}
	items, err := mine.List()
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, i := range items {
		there[i.ID] = true
	}
	nameLinks(events)
	data := historyPage{Show: showAllKinds, Shows: historyShows, Nothing: len(events) == 0}
	if wish := r.URL.Query().Get("show"); slices.Contains(historyShows, wish) {
		data.Show = wish
	}
	slices.Reverse(events)
	events = slices.DeleteFunc(events, func(e wallet.Event) bool { return data.Show != showAllKinds && groupOf(e.Kind) != data.Show })
	data.Total = len(events)
	var from, to int
	data.Page, data.Last, from, to = pageOf(r, len(events), historyPerPage)
	for _, e := range events[from:to] {
		data.Rows = append(data.Rows, rowOf(e, there))
	}
	return show(h, h.paspoort.history, w, r, s, http.StatusOK, data)
}

// nameLinks gives what happened to a link the purpose with which it was made: a holder with
// two links must see which one was opened.
func nameLinks(events []wallet.Event) {
	purposes := map[string]string{}
	for _, e := range events {
		if e.Kind == wallet.EventShareMade {
			purposes[e.Share] = e.Purpose
		}
	}
	for i, e := range events {
		if e.Share != "" && e.Purpose == "" {
			events[i].Purpose = purposes[e.Share]
		}
	}
}

// groupOf is where an event stands; what is not known stands with care for the paspoort.
func groupOf(kind wallet.EventKind) string {
	if group, ok := kinds[kind]; ok {
		return group
	}
	return showCare
}

func rowOf(e wallet.Event, there map[string]bool) historyRow {
	row := historyRow{ID: e.ID, At: e.At, Kind: sentenceOf(e), Name: e.Name, Purpose: e.Purpose, Shown: e.Shown, Receipt: e.Receipt}
	if e.Party.ID != "" || e.Party.Name != "" {
		row.Party, row.Known = e.Party.DisplayName(), e.Party.Known
	}
	if there[e.Credential] {
		row.Thing = e.Credential
	}
	if e.Receipt != "" {
		row.Number = openingOf(e.Receipt)
	}
	return row
}

// sentenceOf is the key of the sentence of an event.
func sentenceOf(e wallet.Event) string {
	switch {
	case e.Kind == wallet.EventDeclared && e.Outcome == wallet.OutcomeChanged:
		return "changed"
	case e.Kind == wallet.EventShown && e.Outcome != "taken":
		return "shown-unsure"
	case e.Kind == wallet.EventRefused && e.Told:
		return "refused-told"
	case kinds[e.Kind] == "":
		return "other"
	}
	return string(e.Kind)
}

// openingOf is the number of the opening in a receipt. It is for the holder's eyes: whoever
// wants to be sure verifies the receipt, which stands in the file.
func openingOf(receipt string) int {
	var body struct {
		Opening int `json:"opening"`
	}
	signed, err := jose.Parse(receipt)
	if err != nil || json.Unmarshal(signed.Payload, &body) != nil {
		return 0
	}
	return body.Opening
}

// exportHistory sends everything as a file, receipts whole.
func (h *Host) exportHistory(w http.ResponseWriter, r *http.Request, s *session) error {
	mine := h.open(r, s)
	if _, err := mine.Inbox(); err != nil {
		h.c.Log.Error("an inbox could not be read", "kind", errorKinds(err))
	}
	events, err := mine.History()
	if err != nil {
		return err
	}
	return h.attachJSON(w, "geschiedenis-"+h.c.Clock().Format(time.DateOnly)+".json", map[string]any{"version": 1, "events": events})
}
