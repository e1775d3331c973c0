package node

import (
	"slices"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// checkedView is a verdict about what was handed over, as people read it: one sentence on top,
// then what others vouch for, then the person's own words. What holds for all of it is said
// once.
type checkedView struct {
	Outcome    paspoort.State
	Sum        string // key of the sentence on top
	Count      int    // of what the sentence is about,
	Total      int    // of so many
	Holder     []paspoort.Text
	Proofs     []checkedRow // signed by an organisation, or by nobody that can be told
	Own        []checkedRow // said by the person
	FlowNote   paspoort.Text
	Registries []paspoort.RegistryView
}

// checkedRow is one credential.
type checkedRow struct {
	Number  int    // among several, from one
	State   string // genuine, own, failed, unread or unknown
	Type    paspoort.Text
	Title   string // as it says itself
	Issuer  paspoort.IssuerView
	Level   paspoort.Text
	Nothing bool // genuine, and no proof of any skill
	Skills  []string
	Signed  time.Time
	Until   time.Time
	Status  string
	Wrong   []paspoort.Check // not in order, or not known
	Fine    []paspoort.Check
	Skipped bool // the rest was not checked, since it could not be read
}

// The states of a row.
const (
	rowGenuine = "genuine"
	rowOwn     = "own"
	rowFailed  = "failed"
	rowUnread  = "unread"
	rowUnknown = "unknown"
)

// Stamp is how the state looks.
func (c checkedRow) Stamp() string {
	switch c.State {
	case rowGenuine:
		return "ok"
	case rowFailed, rowUnread:
		return "failed"
	case rowUnknown:
		return "unknown"
	}
	return ""
}

// Read says whether there is more to tell than that it could not be read.
func (c checkedRow) Read() bool { return c.State != rowUnread }

func newCheckedView(v paspoort.Verdict) *checkedView {
	out := &checkedView{Outcome: v.Outcome, FlowNote: v.FlowNote, Registries: v.RegistryViews(), Total: len(v.Credentials)}
	common := commonHolder(v)
	if common.Code != "" {
		out.Holder = append(out.Holder, common.Sentence)
	}
	if len(v.Credentials) > 1 && v.SameHolder.State != paspoort.OK && v.SameHolder.Code != "not_checked" {
		other := v.SameHolder.Sentence
		if v.SameHolder.Code == "holder_not_shown" { // the cause, which was said already
			other = paspoort.Sentence("different_keys")
		}
		out.Holder = append(out.Holder, other)
	}
	states := map[string]int{}
	for i, c := range v.Credentials {
		row := newCheckedRow(c, common)
		if len(v.Credentials) > 1 {
			row.Number = i + 1
		}
		states[row.State]++
		if row.State == rowOwn {
			out.Own = append(out.Own, row)
		} else {
			out.Proofs = append(out.Proofs, row)
		}
	}
	out.sum(states)
	return out
}

// commonHolder is what is not known of the holder of any credential that can be relied on so
// far, when it is the same of all.
func commonHolder(v paspoort.Verdict) (common paspoort.Check) {
	for _, c := range v.Credentials {
		for _, check := range c.Checks {
			switch {
			case check.Name != paspoort.CheckHolderBinding || check.Code == "not_checked" || check.Code == "signature_not_ok":
			case check.State != paspoort.Unknown || common.Code != "" && common.Code != check.Code:
				return paspoort.Check{}
			default:
				common = check
			}
		}
	}
	return common
}

// sum chooses the sentence on top: what is wrong first, then what is not known, then what is so.
func (c *checkedView) sum(states map[string]int) {
	bad := states[rowFailed] + states[rowUnread]
	counted := func(key string, n int) {
		c.Count = n
		if c.Sum = key + ".many"; n == 1 {
			c.Sum = key + ".one"
		}
	}
	switch unknown, genuine, own := states[rowUnknown], states[rowGenuine], states[rowOwn]; {
	case c.Total == 1:
		for state := range states {
			c.Sum = "single." + state
		}
	case states[rowUnread] == c.Total:
		c.Sum = "unread"
	case bad == c.Total:
		c.Sum = "failed"
	case bad > 0:
		counted("failed", bad)
	case unknown > 0:
		counted("unknown", unknown)
	case own == c.Total:
		c.Sum = "single.own"
	case own > 0:
		counted("own", genuine)
	default:
		c.Sum = "genuine"
	}
}

func newCheckedRow(c paspoort.CredentialVerdict, common paspoort.Check) checkedRow {
	row := checkedRow{Type: c.TypeName, Issuer: c.Issuer, Level: c.ProofText, Skills: skillLabels(c.Claims), Status: c.Status,
		Signed: verdictDay(c.SignedOn), Until: verdictDay(c.ValidUntil)}
	row.Title, _ = c.Claims["title"].(string)
	switch row.State = rowGenuine; {
	case len(c.Checks) == 0:
		row.State = rowUnknown
	case c.Type.SelfSigned():
		row.State = rowOwn
	}
	var said []paspoort.Text
	for _, check := range c.Checks {
		holder := check.Name == paspoort.CheckHolderBinding || check.Name == paspoort.CheckNonceAudience
		row.State = stateAfter(row.State, check, holder)
		if check.Code == "not_checked" {
			row.Skipped = true
			continue
		}
		// That nothing was asked is how a file comes; how this came is said below.
		if slices.Contains(said, check.Sentence) || check.Code == "nothing_asked" || holder && check.Code == common.Code {
			continue
		}
		said = append(said, check.Sentence)
		if check.State == paspoort.OK {
			row.Fine = append(row.Fine, check)
		} else {
			row.Wrong = append(row.Wrong, check)
		}
	}
	row.Nothing = row.State == rowGenuine && c.ProofLevel == nil
	return row
}

// stateAfter is the state of a row with one more check: the worst so far, where what is not
// known of the holder takes nothing from the credential itself.
func stateAfter(state string, check paspoort.Check, holder bool) string {
	switch {
	case state == rowUnread:
	case check.State == paspoort.Failed && check.Name == paspoort.CheckFormat:
		return rowUnread
	case check.State == paspoort.Failed:
		return rowFailed
	case check.State != paspoort.OK && !holder && state != rowFailed:
		return rowUnknown
	}
	return state
}

// skillLabels are the skills that were shown, each once.
func skillLabels(claims map[string]any) (out []string) {
	list, _ := claims["skills"].([]any)
	for _, one := range list {
		skill, _ := one.(map[string]any)
		if label, _ := skill["label"].(string); label != "" && !slices.Contains(out, label) {
			out = append(out, label)
		}
	}
	return out
}

// verdictDay reads a day of a verdict, zero when it has none.
func verdictDay(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}
	}
	return t
}
