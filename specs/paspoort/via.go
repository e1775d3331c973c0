package paspoort

import (
	"slices"
	"time"
)

// Via says why a registry that is not the verifier's own counts: the verifier's region, its
// home, accepted that region, for types and until a day. Acceptance does not pass on: what the
// other region accepts counts for nothing here.
type Via struct {
	Region, Name string // of the home region
	// Time is how fresh the home region's copy is: what an old one says of others is old too.
	Time time.Time
	// Types are those that the home region relies on the other for; empty means all.
	Types []string // short names of our types, the vct of others
	Until time.Time
	// DroppedFrom is from when on the home region relies on it no more; zero: it was not
	// dropped. It may lie before the day on which that was decided.
	DroppedFrom time.Time
}

// Doubts are why a registry is not to be relied on, or not for long, whatever it says.
const (
	DoubtForked = "region_forked"      // it signed two histories
	DoubtFrozen = "region_frozen"      // it signed what its own rules refuse
	DoubtNewer  = "region_newer_rules" // it follows rules that are not known here: the copy stands still
)

// serious: what a registry with this doubt says in favour of anybody is unknown at once.
func serious(doubt string) bool { return doubt == DoubtForked || doubt == DoubtFrozen }

// end is when the home region stopped to rely on the other, and in which way; zero while it
// does.
func (v *Via) end(now time.Time) (from time.Time, code string) {
	switch {
	case v == nil:
		return time.Time{}, ""
	case !v.DroppedFrom.IsZero() && !v.DroppedFrom.After(now):
		return v.DroppedFrom, "region_dropped"
	case !now.Before(v.Until):
		return v.Until, "region_ended"
	}
	return time.Time{}, ""
}

// Relied says whether what a registry says counts at this moment: not when it is in serious
// doubt, nor when the home region relies on it no more.
func (r RegistryFacts) Relied(now time.Time) bool {
	from, _ := r.Via.end(now)
	return !serious(r.Doubt) && from.IsZero()
}

// Settled says whether nothing is wrong with a registry itself: see the Doubts.
func (r RegistryFacts) Settled() bool { return !serious(r.Doubt) }

// relied holds what a registry says of an admission against whether that registry is to be
// relied on. An acceptance that ended is like an admission that ended: only evidence tells what
// was signed before from what was dated back.
func relied(in Input, c Credential, existed time.Time, said Check) Check {
	r := in.Registry
	say := func(state State, code string, values map[string]string) Check {
		return check(said.Name, state, code, r.named(values))
	}
	switch {
	case said.State == Failed:
		return said
	case serious(r.Doubt), said.Code == "registry_too_old" && r.Doubt != "":
		return say(Unknown, r.Doubt, nil)
	case r.Via == nil || said.State != OK:
		return said
	case len(r.Via.Types) > 0 && !slices.Contains(r.Via.Types, c.granted()):
		return say(Failed, "region_other_types", nil)
	}
	from, code := r.Via.end(in.Now)
	switch {
	case code == "":
		return said
	case !floorDay(c.IssuedAt).Before(from):
		return say(Failed, code+"_before", dated(from))
	case !existed.IsZero() && existed.Before(from):
		return say(OK, code+"_since", dates("date", from, "evidence", existed))
	}
	return say(Unknown, code+"_day_unknown", dated(from))
}

// named adds the names of the two regions to the values of a sentence.
func (r *RegistryFacts) named(values map[string]string) map[string]string {
	out := map[string]string{"region": nameOf(r.Name, r.Region)}
	if r.Via != nil {
		out["home"] = nameOf(r.Via.Name, r.Via.Region)
	}
	for k, v := range values {
		out[k] = v
	}
	return out
}

func nameOf(name, region string) string {
	if name == "" {
		return region[:min(12, len(region))]
	}
	return name
}

// A ViaView says by whose word a registry counts.
type ViaView struct {
	Region string `json:"region"`
	Name   string `json:"name,omitempty"`
	Until  string `json:"until"`
}

// viaView words why a registry counts and what is wrong with it, behind the note about who
// signed it.
func (r *RegistryFacts) viaView(now time.Time, note Text) (*ViaView, Text) {
	add := func(code string, values map[string]string) {
		t := sentence(code, r.named(values))
		note = Text{note.NL + " " + t.NL, note.EN + " " + t.EN}
	}
	if r.Doubt != "" {
		add(r.Doubt, nil)
	}
	if r.Via == nil {
		return nil, note
	}
	if from, code := r.Via.end(now); code != "" {
		add(code, dated(from))
	} else {
		add("region_accepted", dated(r.Via.Until))
	}
	return &ViaView{r.Via.Region, r.Via.Name, stamp(r.Via.Until)}, note
}
