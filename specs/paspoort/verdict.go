package paspoort

import (
	"time"
)

// The names of the checks. same_holder is about the whole answer, the others
// about one credential.
const (
	CheckFormat         = "format"
	CheckSignature      = "signature"
	CheckHolderBinding  = "holder_binding"
	CheckNonceAudience  = "nonce_audience"
	CheckValidity       = "validity"
	CheckStatus         = "status"
	CheckIssuerAdmitted = "issuer_admitted"
	CheckSigningDay     = "signing_day"
	CheckWithdrawal     = "withdrawal"
	CheckSchema         = "schema"
	CheckSameHolder     = "same_holder"
)

// VerdictVersion is the `version` of the JSON form. Members are only ever
// added under one version.
const VerdictVersion = 1

// A Verdict is what can be said about an answer, for machines and for people.
// Its JSON form is described by data/verdict.json and is the same for equal
// input, byte for byte.
type Verdict struct {
	Version int `json:"version"`
	// Outcome is failed when any check failed, unknown when any is unknown or an
	// asked skill was not shown, and ok only when neither.
	Outcome  State  `json:"outcome"`
	Code     string `json:"code"`
	Sentence Text   `json:"sentence"`
	At       string `json:"at"` // RFC 3339, the moment the verdict is about
	Flow     Flow   `json:"flow"`
	FlowNote Text   `json:"flow_note"`

	// Registry is the one relied on; Registries are the others, when the credentials are from
	// issuers of several regions. Each credential names its region at its issuer.
	Registry    *RegistryView       `json:"registry,omitempty"`
	Registries  []RegistryView      `json:"registries,omitempty"`
	SameHolder  Check               `json:"same_holder"`
	Credentials []CredentialVerdict `json:"credentials"`
	Skills      []SkillVerdict      `json:"skills"`
}

// A Check is one answer.
type Check struct {
	Name     string `json:"name"`
	State    State  `json:"state"`
	Code     string `json:"code"`
	Sentence Text   `json:"sentence"`
}

// A RegistryView says which registry was relied on, and how old the copy was.
type RegistryView struct {
	Region     string `json:"region"`
	Name       string `json:"name,omitempty"`
	AsOf       uint64 `json:"asof"` // number of leaves
	Time       string `json:"time,omitempty"`
	AgeSeconds int64  `json:"age_seconds"`
	Trust      Trust  `json:"trust"`
	Source     string `json:"source,omitempty"`
	Note       Text   `json:"note"`
	// Via is there for a registry that counts because the verifier's own region accepted it.
	Via   *ViaView `json:"via,omitempty"`
	Doubt string   `json:"doubt,omitempty"` // why it is not to be relied on, or not for long
}

// A CredentialVerdict is what can be said about one credential.
type CredentialVerdict struct {
	Index      int        `json:"index"`
	Query      string     `json:"query,omitempty"`
	Outcome    State      `json:"outcome"`
	Type       Type       `json:"type,omitempty"`
	TypeName   Text       `json:"type_name"`
	Format     Format     `json:"format,omitempty"`
	Issuer     IssuerView `json:"issuer"`
	SignedOn   string     `json:"signed_on,omitempty"`      // by the issuer's own word
	ExistedOn  string     `json:"existed_before,omitempty"` // proved by timestamps
	ValidUntil string     `json:"valid_until,omitempty"`
	Status     string     `json:"status"` // valid, invalid, suspended, none, unknown
	StatusAsOf string     `json:"status_asof,omitempty"`
	ProofLevel *int       `json:"proof_level"` // null when nothing is proved
	ProofText  Text       `json:"proof_text"`
	Checks     []Check    `json:"checks"`
	// Federation is there for an issuer that a trust chain vouches for, and no registry.
	Federation *FederationView `json:"federation,omitempty"`
	Claims     map[string]any  `json:"claims"` // what was disclosed
}

// An IssuerView is who signed. Name comes from the registry; CallsItself is the
// issuer's own word.
type IssuerView struct {
	ID           string `json:"id,omitempty"`
	Organisation string `json:"organisation,omitempty"`
	Name         string `json:"name,omitempty"`
	CallsItself  string `json:"calls_itself,omitempty"`
	Region       string `json:"region,omitempty"`
	KeySource    string `json:"key_source,omitempty"`
}

// Decide gives the verdict. It never fails: what cannot be decided is unknown.
func Decide(in Input) Verdict {
	in.Limits = in.Limits.orDefaults()
	v := Verdict{
		Version: VerdictVersion, At: stamp(in.Now), Flow: in.Flow, FlowNote: flowNote(in.Flow),
		Registry: registryView(in.Registry, in.Now), Registries: otherRegistries(in), Credentials: []CredentialVerdict{}, Skills: []SkillVerdict{},
	}
	if v.Flow == "" {
		v.Flow = "unknown"
	}
	cases := make([]judged, len(in.Credentials))
	for i, f := range in.Credentials {
		cases[i] = judge(in, i, f)
		v.Credentials = append(v.Credentials, cases[i].verdict)
	}
	v.SameHolder = sameHolder(cases)
	v.Skills = skillVerdicts(in, cases)
	v.Outcome, v.Code = conclude(v)
	v.Sentence = sentence("outcome_"+v.Code, nil)
	return v
}

// judged keeps what later steps need of one credential.
type judged struct {
	facts   Facts
	read    Credential
	readErr error
	verdict CredentialVerdict
}

func (j judged) state(name string) State {
	for _, c := range j.verdict.Checks {
		if c.Name == name {
			return c.State
		}
	}
	return Unknown
}

// judge does the checks of one credential. When the format failed nothing else
// was looked at.
func judge(in Input, index int, f Facts) judged {
	j := judged{facts: f}
	if f.Registry != nil {
		in.Registry = f.Registry
	}
	j.verdict = CredentialVerdict{Index: index, Query: f.Query, Status: "unknown", Claims: map[string]any{}}
	format := f.format()
	if format.State != OK {
		j.verdict.Checks = []Check{format}
		for _, name := range []string{CheckSignature, CheckHolderBinding, CheckNonceAudience, CheckValidity, CheckStatus,
			CheckIssuerAdmitted, CheckSigningDay, CheckWithdrawal, CheckSchema} {
			j.verdict.Checks = append(j.verdict.Checks, check(name, Unknown, "not_checked", nil))
		}
		j.verdict.Outcome = worst(j.verdict.Checks...)
		return j
	}
	j.read, j.readErr = Read(f.Claims)
	c := j.read
	signing := judgeSigning(in, f, c, j.readErr)
	j.verdict.Checks = []Check{
		format,
		f.signature(),
		j.holderBinding(in),
		nonceAudience(in, f),
		validity(in, c, j.readErr),
		status(in, f, c, j.readErr),
		signing.admitted, signing.day, signing.withdrawal,
		schema(c, j.readErr),
	}
	j.describe(signing)
	j.describeStatus()
	j.verdict.Outcome = worst(j.verdict.Checks...)
	return j
}

// describe fills in what people read beside the checks.
func (j *judged) describe(s signing) {
	v, c, f := &j.verdict, j.read, j.facts
	v.Type, v.TypeName, v.Format = c.Type, c.Type.Name(), c.Format
	v.Issuer = IssuerView{ID: c.Issuer, CallsItself: c.Text(claimIssuerName), KeySource: f.KeySource}
	if c.Claims != nil {
		v.Claims = c.Claims
	}
	if f.Federation != nil && f.Admission == nil {
		v.Federation = f.Federation.view()
		if v.Issuer.CallsItself == "" {
			v.Issuer.CallsItself = f.Federation.Issuer
		}
	}
	// Whose name and region it is follows from a good signature under a key that the registry
	// recorded: anybody can write another's address in a certificate.
	if f.Signature.State == OK && s.organisation.Found && s.organisation.Key != nil {
		v.Issuer.Organisation, v.Issuer.Name, v.Issuer.Region = s.organisation.Organisation, s.organisation.Name, s.region
	}
	if !c.IssuedAt.IsZero() {
		v.SignedOn = c.IssuedAt.UTC().Format(time.DateOnly)
	}
	if !s.existed.IsZero() {
		v.ExistedOn = stamp(s.existed)
	}
	if !c.ExpiresAt.IsZero() {
		// The last whole day: exp itself is the midnight after it.
		v.ValidUntil = c.ExpiresAt.Add(-time.Second).UTC().Format(time.DateOnly)
	}
	for _, name := range []string{CheckSignature, CheckIssuerAdmitted, CheckWithdrawal, CheckSchema} {
		if j.state(name) != OK {
			return
		}
	}
	// Of the others some may well be unknown; a proof of which anything failed is none.
	if worst(v.Checks...) == Failed {
		return
	}
	if level, ok := ladder(c, s.audited); ok {
		v.ProofLevel, v.ProofText = &level, LevelText(level)
	}
}

// describeStatus names the status for people, as far as a trusted token tells.
func (j *judged) describeStatus() {
	v, s := &j.verdict, j.facts.Status
	switch {
	case !malformed(j.readErr) && j.read.Status == nil:
		v.Status = "none"
	case s != nil && s.Trusted.State == OK && j.matches():
		v.StatusAsOf = stamp(s.IssuedAt)
		if names := []string{"valid", "invalid", "suspended"}; int(s.Value) < len(names) {
			v.Status = names[s.Value]
		}
	}
}

func (j *judged) matches() bool {
	r, s := j.read.Status, j.facts.Status
	return r != nil && s != nil && r.URI == s.URI && r.Index == s.Index
}

// worst is the whole rule of the outcome: failed beats unknown beats ok, and
// nothing at all is unknown.
func worst(checks ...Check) State {
	if len(checks) == 0 {
		return Unknown
	}
	state := OK
	for _, c := range checks {
		switch c.State {
		case OK:
		case Failed:
			return Failed
		default:
			state = Unknown
		}
	}
	return state
}

// conclude derives the outcome and the code of its sentence.
func conclude(v Verdict) (State, string) {
	if len(v.Credentials) == 0 {
		return Unknown, "nothing_shown"
	}
	all := []Check{v.SameHolder}
	for _, c := range v.Credentials {
		all = append(all, c.Checks...)
	}
	state := worst(all...)
	if state == Failed {
		return Failed, "failed"
	}
	onlyHolder := true
	for _, c := range all {
		if c.State == OK {
			continue
		}
		switch c.Name {
		case CheckHolderBinding, CheckNonceAudience, CheckSameHolder:
		default:
			onlyHolder = false
		}
	}
	switch code := skillsCode(v.Skills); {
	case state == OK && code == "":
		return OK, "ok"
	case state == OK:
		return Unknown, code
	case onlyHolder:
		return Unknown, "holder_not_shown"
	}
	return Unknown, "unknown"
}

// skillsCode says what is wrong with the answer when all that was shown is in
// order: an asked skill was not shown, or what shows it proves nothing (a failed
// exam). It is empty when every asked skill is proved.
func skillsCode(skills []SkillVerdict) (code string) {
	for _, s := range skills {
		switch {
		case !s.Asked || s.State == OK:
		case len(s.Proofs) == 0:
			return "skills_missing"
		default:
			code = "skills_not_proved"
		}
	}
	return code
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Truncate(time.Second).Format(time.RFC3339)
}

// otherRegistries are those that credentials were judged by and the verdict as a whole was
// not, in the order of the credentials.
func otherRegistries(in Input) (out []RegistryView) {
	seen := map[string]bool{}
	if in.Registry != nil {
		seen[in.Registry.Region] = true
	}
	for _, f := range in.Credentials {
		if f.Registry != nil && !seen[f.Registry.Region] {
			seen[f.Registry.Region] = true
			out = append(out, *registryView(f.Registry, in.Now))
		}
	}
	return out
}

// RegistryViews are all registries that the verdict relies on, the first one first.
func (v Verdict) RegistryViews() []RegistryView {
	if v.Registry == nil {
		return nil
	}
	return append([]RegistryView{*v.Registry}, v.Registries...)
}

func registryView(r *RegistryFacts, now time.Time) *RegistryView {
	if r == nil {
		return nil
	}
	v := &RegistryView{Region: r.Region, Name: r.Name, AsOf: r.Leaves, Time: stamp(r.Time), Trust: r.Trust, Source: r.Source}
	if v.Trust == "" {
		v.Trust = Unsigned
	}
	if !r.Time.IsZero() {
		v.AgeSeconds = max(0, int64(now.Sub(r.Time)/time.Second))
	}
	v.Doubt = r.Doubt
	v.Via, v.Note = r.viaView(now, sentence("trust_"+string(v.Trust), nil))
	return v
}
