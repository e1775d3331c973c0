package registry

// ModuleSchema is the version of the modules of this package, as they say themselves;
// schema/module.json describes it. A later one gets a new number and new rules.
const ModuleSchema = "urn:paspoort:module:1"

// Module is what an opleider offers: what a person can do afterwards, what it takes, and
// which credential comes of it. Words that a credential repeats (outcomes, levels, form,
// assessment, quality) have the bounds and the spellings of the credential type Opleiding.
type Module struct {
	AssessmentForms []string         `json:"assessment_forms,omitempty"` // of [AssessmentForms], sorted
	Credential      ResultCredential `json:"credential"`
	EC              float64          `json:"ec,omitzero"` // only of an institution of higher education
	Entry           Entry            `json:"entry,omitzero"`
	Form            string           `json:"form"`  // one of [Forms]
	Hours           int              `json:"hours"` // of the person who learns, in all
	Languages       []string         `json:"languages,omitempty"`
	LevelClaimed    *ClaimedLevel    `json:"level_claimed,omitempty"`    // by the opleider
	LevelClassified *ClassifiedLevel `json:"level_classified,omitempty"` // by a register
	Load            *Load            `json:"load,omitempty"`             // how the hours fall
	More            []Note           `json:"more,omitempty"`
	Outcomes        []Text           `json:"outcomes"` // what a person can do afterwards, one sentence each
	Places          []Place          `json:"places,omitempty"`
	Price           Price            `json:"price"`
	Programme       *Classification  `json:"programme,omitempty"` // the module's own code in a register
	Quality         *Quality         `json:"quality,omitempty"`
	Schema          string           `json:"schema"`            // [ModuleSchema]
	Seats           int              `json:"seats,omitzero"`    // per start
	Sectors         []string         `json:"sectors,omitempty"` // sorted
	Skills          []SkillRef       `json:"skills"`            // taught
	Stacking        Stacking         `json:"stacking,omitzero"`
	Start           Starts           `json:"start"`
	Summary         Text             `json:"summary"`
	Times           []string         `json:"times,omitempty"` // of [Times], sorted
	Title           Text             `json:"title"`
	Until           string           `json:"until,omitempty"` // last day on which one can enrol
	URL             string           `json:"url,omitempty"`
	Weeks           int              `json:"weeks,omitzero"` // from beginning to end
}

// ClaimedLevel is a level in a framework of levels, by the opleider's own word.
type ClaimedLevel struct {
	Framework string `json:"framework"` // "EQF", "NLQF" or "QF-EHEA"
	Level     string `json:"level"`
}

// ClassifiedLevel is a level that a register gave. It is never filled in from a claim.
type ClassifiedLevel struct {
	Framework string `json:"framework"`
	Level     string `json:"level"`
	Register  string `json:"register"` // which one, with the number in it
	Until     string `json:"until,omitempty"`
}

// Load is how the hours of a module fall.
type Load struct {
	Contact   int `json:"contact,omitzero"`    // with a teacher
	SelfStudy int `json:"self_study,omitzero"` // alone
	Workplace int `json:"workplace,omitzero"`  // at work
}

// Price is what the person, or who pays for the person, pays in all.
type Price struct {
	Cents   int    `json:"cents"` // of a euro; 0 is free
	Funding []Text `json:"funding,omitempty"`
	Text    Text   `json:"text,omitzero"` // what is in it and what is not
	VAT     string `json:"vat,omitempty"` // "included", "excluded" or "exempt"
}

// Entry is what a person needs to begin, as a paspoort shows it. It asks for no diploma: a
// credential of a type is one way, skills with the proof that is enough are another.
type Entry struct {
	Credentials []string    `json:"credentials,omitempty"` // types of which one is enough, sorted
	Intake      bool        `json:"intake,omitzero"`       // a conversation comes first
	Modules     []string    `json:"modules,omitempty"`     // that were finished, by id, sorted
	Skills      []SkillNeed `json:"skills,omitempty"`
	Text        Text        `json:"text,omitzero"`
}

// Stacking is what the module builds on and counts for.
type Stacking struct {
	After     []string   `json:"after,omitempty"`     // modules that it can follow, by id, sorted
	Before    []string   `json:"before,omitempty"`    // modules that can follow it, by id, sorted
	Programme *Programme `json:"programme,omitempty"` // of which it is a part
	Stackable bool       `json:"stackable,omitzero"`
	Text      Text       `json:"text,omitzero"`
}

// Programme is a longer training that modules add up to.
type Programme struct {
	Code  *Classification `json:"code,omitempty"`
	Title Text            `json:"title"`
	URL   string          `json:"url,omitempty"`
}

// ResultCredential is what a person gets in the paspoort. The opleider must be admitted for
// the type.
type ResultCredential struct {
	Kind string `json:"kind,omitempty"` // "course", "micro_credential" or "module"
	Type string `json:"type"`           // vct, e.g. "urn:paspoort:opleiding:1"
}

// Quality is who watches over the quality, and how.
type Quality struct {
	Name string `json:"name"`
	Text Text   `json:"text,omitzero"`
	URL  string `json:"url,omitempty"`
}

// Forms lists how people take part in a module.
func Forms() []string { return []string{"blended", "online", "onsite", "workplace"} }

// Times lists when a module is given.
func Times() []string { return []string{"daytime", "evening", "own_pace", "weekend"} }

// AssessmentForms lists how is looked at what somebody can do.
func AssessmentForms() []string {
	return []string{"attendance", "interview", "observation", "oral_exam", "portfolio", "practical_exam", "project", "written_exam"}
}

// Check says what is wrong with the module and where: [ErrBody], or nil.
func (m Module) Check() error {
	var p parts
	if m.Schema != ModuleSchema {
		p.wrong("schema", "this registry takes %s", ModuleSchema)
	}
	p.text("title", m.Title, 120, true)
	p.text("summary", m.Summary, 2000, true)
	p.texts("outcomes", m.Outcomes, 1, 7, 300)
	p.skills("skills", m.Skills, 1, 50)
	p.names("sectors", m.Sectors, 8)
	m.checkLevels(&p)
	m.checkLoad(&p)
	m.checkEntry(&p)
	p.number("price.cents", m.Price.Cents, 0, 100_000_000)
	p.word("price.vat", m.Price.VAT, false, "excluded", "exempt", "included")
	p.text("price.text", m.Price.Text, 500, false)
	p.texts("price.funding", m.Price.Funding, 0, 8, 300)
	p.line("credential.type", m.Credential.Type, 200, true)
	p.word("credential.kind", m.Credential.Kind, false, "course", "micro_credential", "module")
	p.words("assessment_forms", m.AssessmentForms, 0, AssessmentForms()...)
	if q := m.Quality; q != nil {
		p.line("quality.name", q.Name, 200, true)
		p.text("quality.text", q.Text, 500, false)
		p.url("quality.url", q.URL)
	}
	p.code("programme", m.Programme)
	p.notes("more", m.More)
	return p.err
}

func (m Module) checkLevels(p *parts) {
	level := func(at, framework, level string) {
		switch p.word(at+".framework", framework, true, "EQF", "NLQF", "QF-EHEA"); framework {
		case "EQF":
			p.word(at+".level", level, true, "1", "2", "3", "4", "5", "6", "7", "8")
		case "NLQF":
			p.word(at+".level", level, true, "instroom", "1", "2", "3", "4", "4+", "5", "6", "7", "8")
		case "QF-EHEA":
			p.word(at+".level", level, true, "short", "first", "second", "third")
		}
	}
	if l := m.LevelClaimed; l != nil {
		level("level_claimed", l.Framework, l.Level)
	}
	if l := m.LevelClassified; l != nil {
		level("level_classified", l.Framework, l.Level)
		p.line("level_classified.register", l.Register, 200, true)
		p.date("level_classified.until", l.Until, false)
	}
}

// checkLoad checks hours, form, place and start.
func (m Module) checkLoad(p *parts) {
	p.number("hours", m.Hours, 1, 20000)
	if l := m.Load; l != nil {
		p.number("load.contact", l.Contact, 0, m.Hours)
		p.number("load.self_study", l.SelfStudy, 0, m.Hours)
		p.number("load.workplace", l.Workplace, 0, m.Hours)
		if l.Contact+l.SelfStudy+l.Workplace != m.Hours {
			p.wrong("load", "the parts add up to the hours")
		}
	}
	// Halves of a credit have one spelling in binary, so that every replica reads the same.
	if m.EC != 0 && (m.EC < 0.5 || m.EC > 240 || m.EC*2 != float64(int(m.EC*2))) {
		p.wrong("ec", "between 0.5 and 240, in halves")
	}
	p.number("weeks", m.Weeks, 0, 520)
	p.number("seats", m.Seats, 0, 10000)
	p.word("form", m.Form, true, Forms()...)
	least := 1
	if m.Form == "online" {
		least = 0
	}
	p.places("places", m.Places, least)
	p.starts("start", m.Start)
	p.words("times", m.Times, 0, Times()...)
	p.date("until", m.Until, false)
	p.url("url", m.URL)
	p.set("languages", m.Languages, 0, 8)
	for i, l := range m.Languages {
		if !isLanguage(l) {
			p.wrong(index("languages", i), "a language tag, such as nl")
		}
	}
}

func (m Module) checkEntry(p *parts) {
	p.needs("entry.skills", m.Entry.Skills, 30)
	p.ids("entry.modules", modulePrefix, m.Entry.Modules, 16)
	p.set("entry.credentials", m.Entry.Credentials, 0, 16)
	for i, t := range m.Entry.Credentials {
		p.line(index("entry.credentials", i), t, 200, true)
	}
	p.text("entry.text", m.Entry.Text, 1000, false)
	p.ids("stacking.after", modulePrefix, m.Stacking.After, 16)
	p.ids("stacking.before", modulePrefix, m.Stacking.Before, 16)
	p.text("stacking.text", m.Stacking.Text, 1000, false)
	if s := m.Stacking.Programme; s != nil {
		p.text("stacking.programme.title", s.Title, 200, true)
		p.code("stacking.programme.code", s.Code)
		p.url("stacking.programme.url", s.URL)
	}
}
