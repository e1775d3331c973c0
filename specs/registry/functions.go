package registry

import "slices"

// FunctionSchema is the version of the function profiles of this package, as they say
// themselves; schema/function.json describes it. A later one gets a new number and new rules.
const FunctionSchema = "urn:paspoort:function:1"

// FunctionProfile is what an employer tells of a function: not a list of diplomas, but what
// somebody can do, how it may be proved, what is learned on the job and on what conditions.
type FunctionProfile struct {
	Conditions   Conditions      `json:"conditions,omitzero"`
	Contracts    []string        `json:"contracts,omitempty"` // of [Contracts], sorted
	Desired      []SkillNeed     `json:"desired,omitempty"`   // helps, is not needed
	Essential    []SkillNeed     `json:"essential,omitempty"` // needed from the first day
	Hobbels      []string        `json:"hobbels,omitempty"`   // that this function helps to remove, by id, sorted
	Hours        HoursPerWeek    `json:"hours"`
	Learned      []LearnedOnJob  `json:"learned,omitempty"` // so nobody needs it beforehand
	More         []Note          `json:"more,omitempty"`
	Occupation   *Classification `json:"occupation,omitempty"`
	Pay          *Pay            `json:"pay,omitempty"`
	Places       []Place         `json:"places,omitempty"`
	Positions    int             `json:"positions,omitzero"`     // how many people
	Requirements []HardDemand    `json:"requirements,omitempty"` // what law or safety demands beside skills
	Schema       string          `json:"schema"`                 // [FunctionSchema]
	Sectors      []string        `json:"sectors,omitempty"`      // e.g. "zorg", sorted
	Shifts       []string        `json:"shifts,omitempty"`       // of [Shifts], sorted
	Start        Starts          `json:"start"`
	Summary      Text            `json:"summary"`
	Tasks        []Text          `json:"tasks,omitempty"` // what somebody does, one sentence each
	Title        Text            `json:"title"`
	Until        string          `json:"until,omitempty"` // last day on which one can come forward
	URL          string          `json:"url,omitempty"`   // where to read more or come forward
	Workplace    string          `json:"workplace"`       // one of [Workplaces]
}

// HoursPerWeek is between how many hours the work can be.
type HoursPerWeek struct {
	Max int `json:"max"`
	Min int `json:"min"`
}

// LearnedOnJob is a skill that is learned at work.
type LearnedOnJob struct {
	SkillRef
	How Text `json:"how,omitzero"`
}

// HardDemand is what nobody can do without, whatever their skills.
type HardDemand struct {
	Kind string `json:"kind"` // one of [Demands]
	Text Text   `json:"text"`
}

// Conditions are what makes the step to this function possible. What is absent is not offered.
type Conditions struct {
	Guidance          *Guidance          `json:"guidance,omitempty"`           // in the first hundred days
	LearningAllowance *LearningAllowance `json:"learning_allowance,omitempty"` // leertijdvergoeding
	LearningTrack     *LearningTrack     `json:"learning_track,omitempty"`     // leerwerktraject
	Orientation       *Orientation       `json:"orientation,omitempty"`        // oriëntatietijd
	Other             []Text             `json:"other,omitempty"`
}

// Orientation is time to look around before somebody decides (oriëntatietijd).
type Orientation struct {
	Hours int  `json:"hours"`
	Paid  bool `json:"paid"`
	Text  Text `json:"text,omitzero"`
}

// LearningTrack is working and learning at once (leerwerktraject).
type LearningTrack struct {
	HoursPerWeek int      `json:"hours_per_week"` // of learning
	Modules      []string `json:"modules,omitempty"`
	Months       int      `json:"months"`
	Text         Text     `json:"text,omitzero"`
}

// LearningAllowance is pay for the hours in which somebody learns (leertijdvergoeding).
type LearningAllowance struct {
	HoursPerWeek int  `json:"hours_per_week"` // at most
	Percent      int  `json:"percent"`        // of the wage
	Text         Text `json:"text,omitzero"`
}

// Guidance is help while somebody lands: by a role, never a named person.
type Guidance struct {
	Days         int  `json:"days"` // from the first one on, e.g. 100
	HoursPerWeek int  `json:"hours_per_week"`
	Text         Text `json:"text,omitzero"`
	Who          Text `json:"who,omitzero"` // e.g. "een ervaren collega"
}

// Pay is what the function pays, in cents of a euro.
type Pay struct {
	Agreement string `json:"agreement,omitempty"` // the cao
	MaxCents  int    `json:"max_cents,omitzero"`
	MinCents  int    `json:"min_cents,omitzero"`
	Per       string `json:"per,omitempty"` // "hour" or "month"
	Scale     string `json:"scale,omitempty"`
}

// Contracts lists the kinds of contract.
func Contracts() []string {
	return []string{"agency", "apprenticeship", "on_call", "permanent", "temporary"}
}

// Shifts lists when work is done.
func Shifts() []string { return []string{"day", "evening", "irregular", "night", "weekend"} }

// Demands lists the kinds of hard demand: a statement of conduct, a licence to drive, an entry
// in a register, a language, a certificate that the law wants, something else.
func Demands() []string {
	return []string{"certificate", "conduct", "driving", "language", "other", "register"}
}

// Check says what is wrong with the profile and where: [ErrBody], or nil.
func (f FunctionProfile) Check() error {
	var p parts
	if f.Schema != FunctionSchema {
		p.wrong("schema", "this registry takes %s", FunctionSchema)
	}
	p.text("title", f.Title, 120, true)
	p.text("summary", f.Summary, 2000, true)
	p.texts("tasks", f.Tasks, 0, 12, 300)
	p.code("occupation", f.Occupation)
	p.names("sectors", f.Sectors, 8)
	p.names("hobbels", f.Hobbels, 14)
	p.needs("essential", f.Essential, 30)
	p.needs("desired", f.Desired, 30)
	learned := make([]SkillRef, len(f.Learned))
	for i, l := range f.Learned {
		learned[i] = l.SkillRef
		p.text(index("learned", i)+".how", l.How, 300, false)
	}
	p.skills("learned", learned, 0, 30)
	f.checkOverlap(&p)
	f.checkWork(&p)
	f.Conditions.check(&p)
	p.notes("more", f.More)
	return p.err
}

// checkOverlap: a skill is needed, or helps, or is learned on the job.
func (f FunctionProfile) checkOverlap(p *parts) {
	var seen unique
	for _, s := range f.AllSkills() {
		seen.add(s.key())
	}
	if seen.names == nil {
		p.wrong("essential", "name at least one skill: essential, desired or learned on the job")
	}
	if seen.twice != "" {
		p.wrong("essential", "a skill is essential, desired or learned on the job, one of the three")
	}
}

// checkWork checks hours, place, start, contract and pay.
func (f FunctionProfile) checkWork(p *parts) {
	p.number("hours.min", f.Hours.Min, 0, 60)
	p.number("hours.max", f.Hours.Max, max(1, f.Hours.Min), 60)
	p.word("workplace", f.Workplace, true, Workplaces()...)
	least := 1
	if f.Workplace == "remote" {
		least = 0
	}
	p.places("places", f.Places, least)
	p.starts("start", f.Start)
	p.date("until", f.Until, false)
	p.words("shifts", f.Shifts, 0, Shifts()...)
	p.words("contracts", f.Contracts, 0, Contracts()...)
	p.number("positions", f.Positions, 0, 10000)
	p.url("url", f.URL)
	p.count("requirements", len(f.Requirements), 0, 12)
	for i, d := range f.Requirements {
		p.word(index("requirements", i)+".kind", d.Kind, true, Demands()...)
		p.text(index("requirements", i)+".text", d.Text, 500, true)
	}
	if f.Pay == nil {
		return
	}
	p.line("pay.agreement", f.Pay.Agreement, 120, false)
	p.line("pay.scale", f.Pay.Scale, 60, false)
	p.number("pay.min_cents", f.Pay.MinCents, 0, 100_000_000)
	p.number("pay.max_cents", f.Pay.MaxCents, f.Pay.MinCents, 100_000_000)
	p.word("pay.per", f.Pay.Per, f.Pay.MaxCents > 0, "hour", "month")
	if *f.Pay == (Pay{}) {
		p.wrong("pay", "leave out what is empty")
	}
}

func (c Conditions) check(p *parts) {
	if o := c.Orientation; o != nil {
		p.number("conditions.orientation.hours", o.Hours, 1, 1000)
		p.text("conditions.orientation.text", o.Text, 1000, false)
	}
	if t := c.LearningTrack; t != nil {
		p.number("conditions.learning_track.months", t.Months, 1, 60)
		p.number("conditions.learning_track.hours_per_week", t.HoursPerWeek, 1, 40)
		p.ids("conditions.learning_track.modules", modulePrefix, t.Modules, 16)
		p.text("conditions.learning_track.text", t.Text, 1000, false)
	}
	if a := c.LearningAllowance; a != nil {
		p.number("conditions.learning_allowance.percent", a.Percent, 1, 100)
		p.number("conditions.learning_allowance.hours_per_week", a.HoursPerWeek, 1, 40)
		p.text("conditions.learning_allowance.text", a.Text, 1000, false)
	}
	if g := c.Guidance; g != nil {
		p.number("conditions.guidance.days", g.Days, 1, 366)
		p.number("conditions.guidance.hours_per_week", g.HoursPerWeek, 0, 40)
		p.text("conditions.guidance.who", g.Who, 200, false)
		p.text("conditions.guidance.text", g.Text, 1000, false)
	}
	p.texts("conditions.other", c.Other, 0, 8, 500)
}

// AllSkills lists every skill that the profile names.
func (f FunctionProfile) AllSkills() []SkillRef {
	var out []SkillRef
	for _, n := range slices.Concat(f.Essential, f.Desired) {
		out = append(out, n.SkillRef)
	}
	for _, l := range f.Learned {
		out = append(out, l.SkillRef)
	}
	return out
}
