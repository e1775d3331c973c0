package registry

// RulesChange raises the rules version by one (D5). Proposals that are under way stay under
// the rules that they were made under; events signed from here on name the new version.
type RulesChange struct {
	Reason  string `json:"reason"`
	Version int    `json:"version"` // one more than the one in force
}

func (r *RulesChange) subject() string { return RegionSubject }

func (r *RulesChange) check() error {
	if r.Version < 2 || r.Version > 1000 {
		return ErrBody.with("the rules go up by one version at a time")
	}
	return checkText("reason", r.Reason, 2000)
}

// Rules is the version of the rules in force: of the events that come next. Before the first
// leaf it is the newest, under which [Found] founds.
func (s *State) Rules() int { return s.rulesAt(s.size) }

func (s *State) rulesAt(size uint64) int {
	c, ok := s.charter.get(current, size)
	switch {
	case !ok:
		return RulesVersion
	case c.Rules == 0: // regions of version 1 do not say it
		return 1
	}
	return c.Rules
}

// checkRules holds the version that an event names against the one in force. The founding
// event sets it. What a program does not know it does not judge: every other version gives
// the same refusal in every program, this one stops.
func (x *step) checkRules() error {
	x.rules = x.leaf.Event.Rules
	if x.index > 0 {
		if x.rules != x.s.rulesAt(x.index) {
			return ErrRules.with("rules version %d is in force, the event was signed under %d", x.s.rulesAt(x.index), x.rules)
		}
		return nil
	}
	if x.rules < 1 {
		return ErrRules
	}
	if x.rules > RulesVersion {
		return ErrNewer.with("the region was founded under rules version %d, this program follows up to %d", x.rules, RulesVersion)
	}
	return nil
}

// recordedRules is how a version stands in the state: version 1 did not write it down.
func recordedRules(version int) int {
	if version == 1 {
		return 0
	}
	return version
}

func enactRules(x *step) error {
	version := x.body.(*RulesChange).Version
	if version != x.s.Rules()+1 {
		return ErrTransition.with("rules version %d is in force; the next one is %d", x.s.Rules(), x.s.Rules()+1)
	}
	if version > RulesVersion {
		return ErrNewer.with("the region goes to rules version %d, this program follows up to %d", version, RulesVersion)
	}
	c := x.s.currentCharter()
	c.From, c.Rules = x.now, recordedRules(version)
	put(x, &x.s.charter, current, c)
	x.effect.Rules = version
	return nil
}

// checkedUnder is a body whose form differs between versions of the rules. What a newer version
// adds are unknown members to a program of an older one, so under older rules it is refused
// alike, with [ErrBody].
type checkedUnder interface {
	checkUnder(rules int) error
}

func checkUnder(b Body, rules int) error {
	if c, ok := b.(checkedUnder); ok {
		return c.checkUnder(rules)
	}
	return nil
}

// onlyUnder refuses what is new in a version under the rules before it.
func onlyUnder(version, rules int, says bool) error {
	if says && rules < version {
		return ErrBody.with("it says what only rules version %d has a place for", version)
	}
	return nil
}
