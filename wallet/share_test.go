package wallet_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/wallet"
)

// draft is a share of the lines with these labels, or of the defaults for none.
func (w *world) draft(holder *wallet.Wallet, labels ...string) wallet.ShareDraft {
	w.t.Helper()
	items, err := holder.Shareable()
	must(w.t, err)
	d := wallet.ShareDraft{Label: "Voor Ossekamp", By: "Samira", Purpose: "Ik wil hier werken.", Until: w.clock.Now().Add(14 * 24 * time.Hour), Openings: 10}
	for _, i := range items {
		choice := wallet.ShareChoice{Item: i.ID}
		for _, l := range i.Lines {
			if l.Key != "" && (len(labels) == 0 && l.Default || slices.Contains(labels, l.Label) || slices.Contains(labels, l.Value)) {
				choice.Keys = append(choice.Keys, l.Key)
			}
		}
		d.Choices = append(d.Choices, choice)
	}
	return d
}

// TestShareShowsExactly: a share holds the chosen lines and what always goes along, not a
// field more, in both formats, and anybody can check it.
func TestShareShowsExactly(t *testing.T) {
	for _, configuration := range []string{configID, "Opleiding_vc_sd_jwt"} {
		t.Run(configuration, func(t *testing.T) {
			w := newWorld(t)
			holder := w.wallet()
			w.accept(holder, configuration)
			_, err := holder.Declare(words())
			must(t, err)
			f, err := holder.FreezeShare(t.Context(), w.draft(holder, "Titel", "Periode", "Verzorgen (basis)", "Verzorgen"))
			must(t, err)
			if len(f.Items) != 2 || f.Items[0].OwnWords || !f.Items[1].OwnWords {
				t.Fatalf("items: %+v", f.Items)
			}
			if l := f.Items[0].Level; l == nil || *l < paspoort.LevelSomeone {
				t.Errorf("level %v", l)
			}
			var got []string
			for _, item := range f.Items {
				title, lines, err := item.Facts("nl")
				must(t, err)
				for _, l := range lines {
					if !l.Always {
						got = append(got, l.Label+"="+l.Value)
					}
				}
				got = append(got, "title "+title)
			}
			want := []string{"Titel=Helpen bij dagelijkse zorg", "Vaardigheden=Verzorgen (basis)"}
			if i := slices.IndexFunc(got, func(s string) bool { return strings.HasPrefix(s, "Periode=") }); i >= 0 {
				want = append(want, got[i])
			}
			want = append(want, "title Helpen bij dagelijkse zorg", "Titel=Over mij", "Vaardigheden=Verzorgen", "title Over mij")
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			checkFrozen(t, w, f)
		})
	}
}

// checkFrozen lets somebody else check the proofs, and looks at what they hide.
func checkFrozen(t *testing.T, w *world, f *wallet.FrozenShare) {
	t.Helper()
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{w.follower}, Fetch: w.web, Clock: w.clock.Now})
	must(t, err)
	r := evidence.Request{Flow: paspoort.File}
	for _, i := range f.Items {
		r.Presentations = append(r.Presentations, evidence.Presentation{Text: i.Presentation})
		for _, secret := range []string{"Samira", "Voorbeeld", "uisteren", "Ik werk graag"} {
			if strings.Contains(disclosed(t, i.Presentation), secret) {
				t.Errorf("%q was not chosen and is shown", secret)
			}
		}
	}
	v, err := service.Verify(t.Context(), r)
	must(t, err)
	if v.Outcome == paspoort.Failed || v.Code != "holder_not_shown" || v.SameHolder.State == paspoort.Failed {
		t.Errorf("verdict %s: %+v", v.Code, v.SameHolder)
	}
	if v.Credentials[0].ExistedOn == "" {
		t.Error("the timestamps did not go along")
	}
}

// disclosed is everything that a presentation says, decoded.
func disclosed(t *testing.T, text string) string {
	t.Helper()
	token, err := sdjwt.Parse(text)
	must(t, err)
	claims, err := token.Claims()
	must(t, err)
	raw, err := json.Marshal(claims)
	must(t, err)
	var all strings.Builder
	all.Write(raw)
	for _, d := range token.Disclosures() {
		fmt.Fprint(&all, d.Value)
	}
	return all.String()
}

// TestShareDefaults: names, wishes and drives stay until the holder picks them.
func TestShareDefaults(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	own := words()
	own["wishes"], own["drives"] = []any{"Dicht bij huis werken"}, []any{"Mensen helpen"}
	_, err := holder.Declare(own)
	must(t, err)
	items, err := holder.Shareable()
	must(t, err)
	var off []string
	for _, i := range items {
		for _, l := range i.Lines {
			if (l.Key == "") != l.Always || l.Always && l.Default {
				t.Errorf("%s: key %q, always %v", l.Name, l.Key, l.Always)
			}
			if !l.Always && !l.Default {
				off = append(off, l.Name)
			}
		}
	}
	slices.Sort(off)
	if diff := cmp.Diff([]string{"drives", "family_name", "given_name", "wishes"}, off); diff != "" {
		t.Errorf("not chosen at first (-want +got):\n%s", diff)
	}
}

// TestSharesApart: two shares have nothing in common by which two readers could find out
// that they are of one person, until copies run out; then the holder is told first.
func TestSharesApart(t *testing.T) {
	w := newWorldOf(t, 3)
	holder := w.wallet()
	w.accept(holder, configID)
	_, err := holder.Declare(words())
	must(t, err)
	seen := map[string]int{}
	for share := range 3 {
		f, err := holder.FreezeShare(t.Context(), w.draft(holder, "Verzorgen (basis)", "Verzorgen"))
		must(t, err)
		keys := map[string]bool{}
		for _, i := range f.Items {
			token, err := sdjwt.Parse(i.Presentation)
			must(t, err)
			keys[holderKey(t, token)] = true
			for _, part := range append(digests(token.Payload()), token.IssuerJWT(), holderKey(t, token)) {
				if other, twice := seen[part]; twice && other != share {
					t.Errorf("shares %d and %d have %.20q in common", other, share, part)
				}
				seen[part] = share
			}
		}
		if len(keys) != 1 {
			t.Errorf("%d holder keys in one share", len(keys))
		}
	}
	d := w.draft(holder)
	items, err := holder.Shareable()
	must(t, err)
	if !items[0].Seen || items[1].Seen {
		t.Errorf("copies have run out: %v, own words: %v", items[0].Seen, items[1].Seen)
	}
	if _, err := holder.FreezeShare(t.Context(), d); !errors.Is(err, wallet.ErrAgain) {
		t.Errorf("not told: got %v", err)
	}
	d.KnowsSeen = true
	_, err = holder.FreezeShare(t.Context(), d)
	must(t, err)
}

// digests are all digests in a payload as issued.
func digests(v any) (out []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, m := range v {
			if list, ok := m.([]any); ok && name == "_sd" {
				for _, d := range list {
					out = append(out, fmt.Sprint(d))
				}
				continue
			}
			if s, ok := m.(string); ok && name == "..." {
				out = append(out, s)
			}
			out = append(out, digests(m)...)
		}
	case []any:
		for _, e := range v {
			out = append(out, digests(e)...)
		}
	}
	return out
}

// TestShareKept: what goes is in the history and the list before it goes; a copy that was
// shown is counted; nothing of it is stored when it fails.
func TestShareKept(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	id := w.accept(holder, configID).ID
	d := w.draft(holder, "Titel")
	for name, change := range map[string]struct {
		do   func(d *wallet.ShareDraft)
		want error
	}{
		"nothing":       {func(d *wallet.ShareDraft) { d.Choices = nil }, wallet.ErrEmptyShare},
		"too much":      {func(d *wallet.ShareDraft) { d.Choices = make([]wallet.ShareChoice, wallet.MaxShareItems+1) }, wallet.ErrFullShare},
		"a stranger":    {func(d *wallet.ShareDraft) { d.Choices = []wallet.ShareChoice{{Item: "weg"}} }, wallet.ErrNotHere},
		"no such field": {func(d *wallet.ShareDraft) { d.Choices = []wallet.ShareChoice{{Item: id, Keys: []string{"skill-x"}}} }, wallet.ErrAgain},
		"twice":         {func(d *wallet.ShareDraft) { d.Choices = append(slices.Clone(d.Choices), d.Choices[0]) }, wallet.ErrAgain},
		"the record":    {func(d *wallet.ShareDraft) { d.Choices = []wallet.ShareChoice{{Item: id, Keys: []string{"vct"}}} }, wallet.ErrAgain},
	} {
		bad := d
		change.do(&bad)
		if _, err := holder.FreezeShare(t.Context(), bad); !errors.Is(err, change.want) {
			t.Errorf("%s: got %v, want %v", name, err, change.want)
		}
	}
	shares, err := holder.Shares()
	must(t, err)
	items, err := holder.List()
	must(t, err)
	if len(shares) != 0 || items[0].Unused != 10 {
		t.Fatalf("left behind: %v, %d unused", shares, items[0].Unused)
	}
	f, err := holder.FreezeShare(t.Context(), d)
	must(t, err)
	must(t, holder.ShareWithdrawn(f.ID))
	shares, err = holder.Shares()
	must(t, err)
	items, err = holder.List()
	must(t, err)
	if len(shares) != 1 || shares[0].ID != f.ID || len(shares[0].Shown) != 1 || items[0].Unused != 9 {
		t.Errorf("kept: %+v, %d unused", shares, items[0].Unused)
	}
	events, err := holder.History()
	must(t, err)
	last := events[len(events)-2:]
	if last[0].Kind != wallet.EventShareMade || !slices.Contains(last[0].Shown[0].Claims, "Titel") || last[0].Purpose != d.Purpose || last[1].Kind != wallet.EventShareWithdrawn {
		t.Errorf("history: %+v", last)
	}
	must(t, holder.ForgetShare(f.ID))
	if err := holder.ForgetShare(f.ID); !errors.Is(err, wallet.ErrNotHere) {
		t.Errorf("forgotten twice: got %v", err)
	}
}

// TestShareSeal: the two parts open with the secret and the code, and with nothing else.
func TestShareSeal(t *testing.T) {
	w := newWorld(t)
	holder := w.wallet()
	w.accept(holder, configID)
	f, err := holder.FreezeShare(t.Context(), w.draft(holder))
	must(t, err)
	secret, err := wallet.NewShareSecret(rand.Reader)
	must(t, err)
	other, err := wallet.NewShareSecret(rand.Reader)
	must(t, err)
	code, err := wallet.NewShareCode(rand.Reader)
	must(t, err)
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		t.Errorf("code %q", code)
	}
	for _, code := range []string{"", code} {
		s, err := holder.Seal(f, secret, code)
		must(t, err)
		stored, err := json.Marshal(s)
		must(t, err)
		for _, word := range []string{"Samira", "werken", "eyJ", secret.Text(), "Verzorgen"} {
			if strings.Contains(string(stored)+string(s.Meta)+string(s.Content), word) {
				t.Errorf("%q can be read where it is stored", word)
			}
		}
		meta, err := s.OpenMeta(secret)
		if err != nil || meta.By != "Samira" || meta.Purpose != f.Purpose || !meta.Until.Equal(f.Until) {
			t.Errorf("meta %+v, %v", meta, err)
		}
		if _, err := s.OpenMeta(other); !errors.Is(err, wallet.ErrDamaged) {
			t.Errorf("meta with another secret: got %v", err)
		}
		got, err := s.Open(secret, code)
		must(t, err)
		if diff := cmp.Diff(f, got); diff != "" {
			t.Errorf("content (-want +got):\n%s", diff)
		}
		if _, err := s.Open(other, code); err == nil {
			t.Error("content opens with another secret")
		}
		if s.NeedsCode() != (code != "") {
			t.Errorf("needs a code: %v", s.NeedsCode())
		}
		if code != "" {
			for _, wrong := range []string{"", "12345", code + "0"} {
				if _, err := s.Open(secret, wrong); !errors.Is(err, wallet.ErrShareCode) {
					t.Errorf("code %q: got %v", wrong, err)
				}
			}
		}
		s.Meta, s.Content = s.Content, s.Meta
		if _, err := s.OpenMeta(secret); err == nil {
			t.Error("the parts can be exchanged")
		}
	}
}

// TestShareSecret: the text of a link comes back as the same secret; it shows itself
// nowhere.
func TestShareSecret(t *testing.T) {
	secret, err := wallet.NewShareSecret(rand.Reader)
	must(t, err)
	again, err := wallet.ParseShareSecret(secret.Text())
	if err != nil || again != secret || again.Hash() != secret.Hash() {
		t.Errorf("another secret came back: %v", err)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s %x %d", secret, secret, secret, secret, secret, secret); strings.Count(shown, "wallet.ShareSecret") != 6 {
		t.Errorf("it shows itself: %s", shown)
	}
	if _, err := json.Marshal(secret); err == nil {
		t.Error("it was encoded")
	}
	for _, text := range []string{"", "kort", secret.Text() + "A", secret.Text() + "=", strings.Repeat("A", 44), secret.Text()[1:] + "!"} {
		if _, err := wallet.ParseShareSecret(text); !errors.Is(err, wallet.ErrShareSecret) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}
