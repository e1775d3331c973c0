package host

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/wallet"
)

// shareOpenedPage is what the reader gets.
type shareOpenedPage struct {
	Path, Ticket string
	ViewEnds     time.Time // this page may be loaded anew until then
	// Names stand in the proofs; By is what the sharer calls himself or herself.
	Names            []string
	By, Purpose      string
	Made, Until      time.Time
	Number, Left     int
	Items            []openedItem
	Checked          bool // something was checked here
	At               time.Time
	SameHolder       paspoort.Check
	Registries       []registryLine
	Nodes            []string // whose page checks the file
	Self             []selfCheck
	Host             string
	Failed, Doubtful int // items
}

type registryLine struct {
	Name string
	Age  time.Duration
	Note paspoort.Text
}

// openedItem is one proof for the reader.
type openedItem struct {
	Title      string // empty when it was not shared
	Type       paspoort.Text
	OwnWords   bool
	By         string
	Known      bool // By is the registry's name
	Region     string
	Level      string // of the proof ladder: "" when it is not known today
	LevelThen  string // on the day of sharing, when it is not known today
	ValidUntil time.Time
	State      paspoort.State
	Checks     []openedCheck
	Lines      []openedLine
}

type openedCheck struct {
	Title    paspoort.Text
	State    paspoort.State
	Sentence paspoort.Text
}

type openedLine struct{ Label, Value paspoort.Text }

// openedPage describes a share that was opened, and checks its proofs once more, today.
func (h *Host) openedPage(r *http.Request, o *opening) (shareOpenedPage, error) {
	f := o.frozen
	data := shareOpenedPage{
		By: f.By, Purpose: f.Purpose, Made: f.Made, Until: f.Until, Number: o.number, Left: o.left, At: h.c.Clock(), Host: h.c.Name, Nodes: h.checkPages(), Self: h.selfChecks(f),
	}
	var verdict *paspoort.Verdict
	if h.c.Evidence != nil && len(f.Items) > 0 {
		request := evidence.Request{Flow: paspoort.File}
		for _, i := range f.Items {
			request.Presentations = append(request.Presentations, evidence.Presentation{Text: i.Presentation})
		}
		v, err := h.c.Evidence.Verify(r.Context(), request)
		if err != nil {
			return data, err
		}
		verdict = &v
		data.Checked, data.SameHolder = true, v.SameHolder
		for _, view := range v.RegistryViews() {
			data.Registries = append(data.Registries, registryLine{h.regionName(view), time.Duration(view.AgeSeconds) * time.Second, view.Note})
		}
	}
	for n, i := range f.Items {
		item, err := describeItem(i)
		if err != nil {
			return data, err
		}
		if verdict != nil {
			h.judged(&item, verdict.Credentials[n], i)
			data.Names = withName(data.Names, verdict.Credentials[n])
		}
		switch item.State {
		case paspoort.Failed:
			data.Failed++
		case paspoort.OK:
		default:
			data.Doubtful++
		}
		data.Items = append(data.Items, item)
	}
	return data, nil
}

// checkPages are pages of the region's nodes on which anybody can check the file.
func (h *Host) checkPages() (out []string) {
	for _, region := range h.c.Regions {
		if len(region.Nodes) > 0 {
			out = append(out, strings.TrimSuffix(region.Nodes[0], "/")+"/check")
		}
	}
	return out
}

// nameOf is what a region calls itself, or "".
func (h *Host) nameOf(genesis string) string {
	if h.c.RegionName == nil {
		return ""
	}
	return h.c.RegionName(genesis)
}

func (h *Host) regionName(v paspoort.RegistryView) string {
	if name := h.nameOf(v.Region); name != "" {
		return name
	}
	if v.Name != "" {
		return v.Name
	}
	return v.Region[:min(len(v.Region), 12)]
}

// describeItem is a proof before anything was checked.
func describeItem(i wallet.FrozenItem) (openedItem, error) {
	out := openedItem{Type: i.TypeName, OwnWords: i.OwnWords, By: i.Issuer.DisplayName(), LevelThen: levelWord(i.Level), State: paspoort.Unknown}
	title, dutch, err := i.Facts("nl")
	if err != nil {
		return out, err
	}
	_, english, err := i.Facts("en")
	if err != nil {
		return out, err
	}
	out.Title = title
	for n, l := range dutch {
		if l.Name == "title" || l.Name == "issuer_name" {
			continue // stands above
		}
		line := openedLine{Label: paspoort.Text{NL: l.Label, EN: l.Label}, Value: paspoort.Text{NL: l.Value, EN: l.Value}}
		if n < len(english) {
			line.Label.EN, line.Value.EN = english[n].Label, english[n].Value
		}
		out.Lines = append(out.Lines, line)
	}
	return out, nil
}

func levelWord(level *int) string {
	if level == nil {
		return ""
	}
	return strconv.Itoa(*level)
}

// toldOf are the checks that a reader is always told, good or bad. Of the others only what
// is not in order; whether the sender is the owner a copy can never show, and is said once.
var toldOf = []string{paspoort.CheckSignature, paspoort.CheckIssuerAdmitted, paspoort.CheckStatus}

// judged adds what was found today.
func (h *Host) judged(item *openedItem, v paspoort.CredentialVerdict, frozen wallet.FrozenItem) {
	item.State = paspoort.OK
	for _, c := range v.Checks {
		if c.Name == paspoort.CheckHolderBinding || c.Name == paspoort.CheckNonceAudience || c.Code == "not_checked" {
			continue
		}
		if item.OwnWords && c.State == paspoort.OK && c.Name != paspoort.CheckSignature {
			continue // nobody else stands behind one's own words
		}
		if c.State == paspoort.Failed || c.State != paspoort.OK && item.State == paspoort.OK {
			item.State = c.State
		}
		if c.State != paspoort.OK || slices.Contains(toldOf, c.Name) {
			item.Checks = append(item.Checks, openedCheck{paspoort.CheckTitle(c.Name), c.State, c.Sentence})
		}
	}
	if v.Issuer.Name != "" {
		item.By, item.Known = v.Issuer.Name, true
		item.Region = h.regionName(paspoort.RegistryView{Region: v.Issuer.Region})
	}
	if item.Level = levelWord(v.ProofLevel); item.Level != "" || frozen.OwnWords {
		item.LevelThen = ""
	}
	if day, err := time.Parse(time.DateOnly, v.ValidUntil); err == nil {
		item.ValidUntil = day
	}
}

// withName adds the name that stands in a proof whose signature holds.
func withName(names []string, v paspoort.CredentialVerdict) []string {
	for _, c := range v.Checks {
		if c.Name == paspoort.CheckSignature && c.State != paspoort.OK {
			return names
		}
	}
	given, _ := v.Claims["given_name"].(string)
	family, _ := v.Claims["family_name"].(string)
	name := strings.TrimSpace(given + " " + family)
	if name == "" || slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// makeShares makes the pages of shares.
func (h *Host) makeShares() (err error) {
	h.shares = &shareDesk{
		list:   addView(h, &err, "shares", sharesSamples()...),
		pick:   addView(h, &err, "share-pick", sharePickSamples()...),
		edit:   addView(h, &err, "share-new", shareNewSamples()...),
		made:   addView(h, &err, "share-made", shareMadeSamples()...),
		door:   addView(h, &err, "share-door", shareDoorSamples()...),
		closed: addView(h, &err, "share-closed", shareClosedSamples()...),
		opened: addView(h, &err, "share-opened", shareOpenedSamples()...),
		over:   addView(h, &err, "share-over", state("over", shareOverPage{Path: "/s/x"})),
		broken: addView(h, &err, "share-broken", state("cut", struct{}{})),
	}
	return err
}
