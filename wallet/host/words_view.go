package host

import (
	"slices"
	"unicode/utf8"

	"paspoort.example/paspoort/wallet"
)

// ownWords are the holder's own words, from all declarations.
type ownWords struct {
	Story, Talents, Drives, CanDo, Wishes, Hours []ownLine
	Elsewhere                                    []elsewhere
}

// An ownLine is one thing that the holder says.
type ownLine struct {
	Text string
	ID   string // of the declaration, when it is another than the one written here
}

// elsewhere is a declaration that was not written on this page.
type elsewhere struct{ ID, Name string }

func (o ownWords) empty() bool {
	return len(o.Elsewhere) == 0 && !o.Who() && len(o.CanDo) == 0 && !o.Want()
}

// Who and Want say whether anything stands in the section.
func (o ownWords) Who() bool  { return len(o.Story)+len(o.Talents)+len(o.Drives) > 0 }
func (o ownWords) Want() bool { return len(o.Wishes)+len(o.Hours) > 0 }

// wordsIn gathers them, those that are written here first.
func wordsIn(entries []wallet.Entry) (o ownWords) {
	main := mainWords(entries)
	for _, e := range slices.Concat([]wallet.Entry{main}, entries) { // its lines are found twice and kept once
		if !e.OwnWords {
			continue
		}
		from := ""
		if e.ID != main.ID {
			from = e.ID
			o.Elsewhere = append(o.Elsewhere, elsewhere{e.ID, e.Name})
		}
		for name, into := range map[string]*[]ownLine{
			"who_i_am": &o.Story, "talents": &o.Talents, "drives": &o.Drives, "can_do": &o.CanDo, "wishes": &o.Wishes, "hours_wanted": &o.Hours,
		} {
			for _, text := range rowsOf(e.Claims[name]) {
				if !slices.ContainsFunc(*into, func(l ownLine) bool { return l.Text == text }) {
					*into = append(*into, ownLine{text, from})
				}
			}
		}
	}
	return o
}

// letters is how much is said.
func (o ownWords) letters() (n int) {
	for _, list := range [][]ownLine{o.Story, o.Talents, o.Drives, o.CanDo, o.Wishes, o.Hours} {
		for _, l := range list {
			n += utf8.RuneCountInString(l.Text)
		}
	}
	return n
}
