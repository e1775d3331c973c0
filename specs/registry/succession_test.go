package registry_test

import (
	"errors"
	"testing"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
)

func TestSuccession(t *testing.T) {
	r := registrytest.New(t)
	old := r.Admit("vaart", registry.Issuer)
	next := r.Admit("linde", registry.Verifier)
	status, _ := r.Certificate(old, registry.UsageStatus)
	r.Advance(20 * day)
	before := r.Now
	url := registry.Alias{Type: registry.AliasURL, Value: "https://vaart.example"}
	s := &registry.Succession{
		Aliases: []registry.Alias{url}, On: r.Now.Add(-5 * day).Unix(), Organisation: old, Successor: next,
		Reason: "fusie", Roles: []registry.Role{registry.Issuer},
	}
	if err := r.Try(registry.KindSucceeded, s, registry.OrganisationParty(old), vakbond, gemeente); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("without the successor: %v", err)
	}
	r.Advance(day)
	p := r.Do(registry.KindSucceeded, s, registry.OrganisationParty(next), registry.OrganisationParty(old))
	r.Approve(p.Event.ID(), vakbond, gemeente)
	r.Advance(day)

	if a := r.Admission(next, r.Now); !a.Admitted || a.Grant.Event != p.Event.ID() || len(a.Organisation.Predecessors) != 1 {
		t.Errorf("the successor: %+v", a)
	}
	if a := r.Admission(old, r.Now); a.Admitted || a.Organisation.Succeeded == nil || a.Organisation.Succeeded.Successor != next {
		t.Errorf("the old one now: %+v", a)
	}
	if a := r.Admission(old, before); !a.Admitted {
		t.Errorf("the old one then: %s", a.Code)
	}
	find := func(at int) string {
		a, err := r.State.View().Admission(registry.Question{Lookup: registry.Lookup{URL: url.Value}, Role: registry.Issuer, At: before.AddDate(0, 0, at)})
		if err != nil || a.Organisation == nil {
			t.Fatalf("%+v, %v", a, err)
		}
		return a.Organisation.ID
	}
	if find(-1) != old || find(3) != next {
		t.Errorf("the address belonged to %s, then to %s", find(-1), find(3))
	}
	// Status lists of what the old one issued are signed on by who it went on in.
	mine, _ := r.Certificate(next, registry.UsageStatus)
	if v := r.State.View(); !v.MaySignStatus(registry.Fingerprint(mine[0].Raw), old, r.Now) ||
		v.MaySignStatus(registry.Fingerprint(mine[0].Raw), old, before) || v.MaySignStatus(registry.Fingerprint(status[0].Raw), next, r.Now) {
		t.Error("who signs whose status lists")
	}
	a := r.Application("vaart", registry.Verifier)
	a.Name, a.Key, a.Aliases = "", "", nil
	if err := r.Try(registry.KindApplied, a, registry.OrganisationParty(old)); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("the old one applies again: %v", err)
	}
	back := &registry.Succession{On: r.Now.Unix(), Organisation: next, Successor: old, Reason: "terug"}
	if err := r.Try(registry.KindSucceeded, back, registry.OrganisationParty(old)); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("in a circle: %v", err)
	}
}

// A member that controls the old organisation, by the charter, has no say about the new one.
func TestSuccessionCarriesConflicts(t *testing.T) {
	r := registrytest.New(t)
	old, next := r.Admit("vaart", registry.Issuer), r.Admit("linde", registry.Verifier)
	guest := "member/tweede-opleider"
	r.Do(registry.KindAmended, &registry.Amendment{Reason: "nieuw lid", Add: []registry.Member{{
		Group: registry.Opleiders, ID: "tweede-opleider", Key: registrytest.PublicKey(r.Party(guest).Key), Name: "Tweede Opleider", Organisations: []string{old},
	}}}, guest, vakbond, gemeente)
	s := &registry.Succession{On: r.Now.Unix(), Organisation: old, Successor: next, Reason: "fusie"}
	p := r.Do(registry.KindSucceeded, s, registry.OrganisationParty(next))
	r.Approve(p.Event.ID(), vakbond, gemeente)
	m := r.Do(registry.KindSuspended, &registry.Measure{Organisation: next, Role: registry.Verifier, Reason: "onderzoek"}, guest)
	got, err := r.State.View().Progress(m.Event.ID(), r.Now)
	if err != nil || got.Status != registry.Pending || len(got.Approvals) != 0 {
		t.Errorf("suspended by who controlled what went on in it: %+v, %v", got, err)
	}
}

// Nobody decides that its own organisation takes over another.
func TestSuccessionHasConflicts(t *testing.T) {
	r := registrytest.New(t)
	old := r.Admit("vaart", registry.Issuer)
	a := r.Application("linde", registry.Issuer)
	a.Members = []string{"opleidersberaad"}
	next := r.AdmitApplication(a)
	s := &registry.Succession{On: r.Now.Unix(), Organisation: old, Successor: next, Reason: "overname", Roles: []registry.Role{registry.Issuer}}
	p := r.Do(registry.KindSucceeded, s, registry.OrganisationParty(next), opleiders, vakbond)
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: p.Event.ID(), Voter: opleiders}, opleiders); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("by who controls the successor: %v", err)
	}
	if got, err := r.State.View().Proposal(p.Event.ID()); err != nil || len(got.Approvals) != 1 || got.Status != registry.Pending {
		t.Errorf("the proposal: %+v, %v", got, err)
	}
	r.Do(registry.KindSuspended, &registry.Measure{Organisation: old, Role: registry.Issuer, Reason: "onderzoek"}, gemeente)
	if err := r.Try(registry.KindApproved, &registry.Decision{Proposal: p.Event.ID(), Voter: gemeente}, gemeente); !errors.Is(err, registry.ErrNotAdmitted) {
		t.Errorf("a role that is suspended meanwhile goes over: %v", err)
	}
	for name, change := range map[string]func(*registry.Succession){
		"roles out of order": func(s *registry.Succession) { s.Roles = []registry.Role{registry.Verifier, registry.Issuer} },
		"itself":             func(s *registry.Succession) { s.Successor = old },
		"no date":            func(s *registry.Succession) { s.On = 0 },
		"no reason":          func(s *registry.Succession) { s.Reason = "" },
		"bad alias":          func(s *registry.Succession) { s.Aliases = []registry.Alias{{Type: "tel", Value: "1"}} },
	} {
		bad := *s
		change(&bad)
		if _, err := registry.Compose(r.Draft(&bad), registry.KindSucceeded, &bad, r.Party(vakbond)); !errors.Is(err, registry.ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCertificatesAreRenewed(t *testing.T) {
	r := registrytest.New(t)
	org := r.Admit("vaart", registry.Issuer)
	self := registry.OrganisationParty(org)
	anchor := registry.Fingerprint(r.Anchor().Raw)
	first, _ := r.Certificate(org, registry.UsageCredential)
	r.Advance(330 * day)
	cert, _ := r.UnrecordedCertificate(org, registry.UsageCredential)
	record := registry.NewCertificateRecord(cert, anchor, org, registry.UsageCredential)
	record.Renews = anchor
	if err := r.Try(registry.KindCertificate, record, gemeente, self); !errors.Is(err, registry.ErrUnknown) {
		t.Errorf("of what is not there: %v", err)
	}
	record.Renews = registry.Fingerprint(first[0].Raw)
	if e := r.State.View().Ending(r.Now, registry.Warning); len(e.Certificates) != 1 {
		t.Errorf("warned of: %+v", e.Certificates)
	}
	r.Do(registry.KindCertificate, record, gemeente, self)
	if e := r.State.View().Ending(r.Now, registry.Warning); len(e.Certificates) != 0 {
		t.Errorf("warned of after the renewal: %+v", e.Certificates)
	}
	held := r.State.View().Certificates(org)
	if len(held) != 2 || held[1].Renews != record.Renews || !held[0].ValidOn(r.Now) || !held[1].ValidOn(r.Now) {
		t.Errorf("both count: %+v", held)
	}
	r.Advance(40 * day)
	late, _ := r.UnrecordedCertificate(org, registry.UsageCredential)
	again := registry.NewCertificateRecord(late, anchor, org, registry.UsageCredential)
	again.Renews = record.Renews
	if err := r.Try(registry.KindCertificate, again, gemeente, self); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("of what has ended: %v", err)
	}
}

func TestRegionContinuesAnother(t *testing.T) {
	old := registrytest.New(t)
	old.Admit("vaart", registry.Issuer)
	r := registrytest.NewAt(t, old.Now.Add(day))
	root := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	c := &registry.Continued{Continuation: registry.Continuation{Genesis: old.Genesis(), Root: root, Size: 3, Losses: &registry.Text{NL: "één stem"}}, Reason: "meerderheid kwijt"}
	r.Do(registry.KindContinued, c, vakbond, gemeente)
	if got := r.State.View().Region(r.Now).Continues; got == nil || got.Size != 3 {
		t.Errorf("continues %+v", got)
	}
	if err := r.Try(registry.KindContinued, c, vakbond, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("the same again: %v", err)
	}
	c.Size = 4
	r.Do(registry.KindContinued, c, vakbond, gemeente)
	c.Genesis, c.Size = registry.Fingerprint(nil), 9
	if err := r.Try(registry.KindContinued, c, vakbond, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("another region: %v", err)
	}
	// A charter says it from the start; under version 1 none could.
	charter := r.Charter
	charter.Continues = &registry.Continuation{Genesis: old.Genesis(), Root: root, Size: 4}
	parties := make([]registry.Party, len(charter.Members))
	for i, m := range charter.Members {
		parties[i] = r.Party(registry.MemberParty(m.ID))
	}
	s, err := registry.Compose(registry.Draft{Now: r.Now}, registry.KindFounded, &charter, parties...)
	if err != nil {
		t.Fatal(err)
	}
	state := registry.NewState("")
	if _, err := registry.Apply(state, registry.NewLeaf(s, r.Now)); err != nil || state.View().Region(r.Now).Continues.Size != 4 {
		t.Errorf("in the charter: %v", err)
	}
	if _, err := registry.Compose(registry.Draft{Now: r.Now, Rules: 1}, registry.KindFounded, &charter, parties...); !errors.Is(err, registry.ErrBody) {
		t.Errorf("under version 1: %v", err)
	}
	charter.Continues = &registry.Continuation{Genesis: old.Genesis(), Root: "x", Size: 4}
	if _, err := registry.Compose(registry.Draft{Now: r.Now}, registry.KindFounded, &charter, parties...); !errors.Is(err, registry.ErrBody) {
		t.Errorf("without a root: %v", err)
	}
}

func TestDigestsAreChecked(t *testing.T) {
	r := registrytest.New(t)
	var digests []string
	r.OnLeaf = func(registry.Leaf) { digests = append(digests, r.State.Digest()) }
	r.Admit("vaart", registry.Issuer)
	r.Advance(day)
	r.Do(registry.KindAmended, &registry.Amendment{Criteria: "criteria-2", Reason: "nieuw"}, vakbond, gemeente)
	for i, want := range digests {
		if got := r.State.DigestAt(uint64(i) + 2); got != want {
			t.Errorf("of %d leaves: %s, it was %s", i+2, got, want)
		}
	}
	d := &registry.StateDigest{Digest: digests[1], Size: 3}
	wrong := &registry.StateDigest{Digest: digests[1], Size: 4}
	for name, tt := range map[string]struct {
		body    *registry.StateDigest
		signers []string
		want    error
	}{
		"of another size": {wrong, []string{vakbond}, registry.ErrDigest},
		"by two":          {d, []string{vakbond, gemeente}, registry.ErrSigner},
		"of what comes":   {&registry.StateDigest{Digest: digests[1], Size: 99}, []string{vakbond}, registry.ErrTransition},
	} {
		if err := r.Try(registry.KindDigest, tt.body, tt.signers...); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.Do(registry.KindDigest, d, vakbond)
	newest := &registry.StateDigest{Digest: r.State.Digest(), Size: r.State.Size()}
	if err := r.Try(registry.KindDigest, newest, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("twice a day: %v", err)
	}
	r.Advance(day)
	r.Do(registry.KindDigest, newest, gemeente)
	if err := r.Try(registry.KindDigest, d, gemeente); !errors.Is(err, registry.ErrTransition) {
		t.Errorf("backwards: %v", err)
	}
}

func TestCriteriaAreDated(t *testing.T) {
	r := registrytest.New(t)
	founded := r.Now
	r.Advance(10 * day)
	text := &registry.CriteriaText{URL: "https://aakermonde.example/criteria-2", Summary: &registry.Text{NL: "Ook een toetsplan"}}
	r.Do(registry.KindAmended, &registry.Amendment{Criteria: "criteria-2", Text: text, Reason: "nieuw"}, vakbond, gemeente)
	r.Do(registry.KindAmended, &registry.Amendment{Admission: &registry.AdmissionTerm{Days: 300, MaxDays: 300}, Reason: "korter"}, vakbond, gemeente)
	got := r.State.View().Criteria(r.Now)
	if len(got) != 2 || got[0].Version != "criteria-1" || got[0].Until != r.Now.Unix() || got[1].Until != 0 || got[1].Text.URL != text.URL {
		t.Errorf("now: %+v", got)
	}
	if got := r.State.View().Criteria(founded); len(got) != 1 || got[0].Until != 0 {
		t.Errorf("then: %+v", got)
	}
	for name, a := range map[string]*registry.Amendment{
		"text without criteria": {Text: text, Reason: "x", Remove: []string{"a"}},
		"text of nothing":       {Text: &registry.CriteriaText{}, Criteria: "c", Reason: "x"},
		"hash of nothing":       {Text: &registry.CriteriaText{Summary: text.Summary, SHA256: r.Genesis()}, Criteria: "c", Reason: "x"},
	} {
		if _, err := registry.Compose(r.Draft(a), registry.KindAmended, a, r.Party(vakbond)); !errors.Is(err, registry.ErrBody) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := registry.DefaultTerm(); got != (registry.AdmissionTerm{Days: 548, MaxDays: 548}) {
		t.Errorf("an admission lasts %+v by default", got)
	}
}

// Whatever is in force goes over, each grant for what it names and until it ends; and nobody
// takes on what another promised without having signed, or a member for a one-person firm.
func TestSuccessionHandsOnAllThatIsInForce(t *testing.T) {
	r := registrytest.New(t)
	a := r.Application("vaart", registry.Issuer)
	a.Types, a.Days = []string{"urn:paspoort:diploma:1", "urn:paspoort:opleiding:1"}, 100
	old, next := r.AdmitApplication(a), r.Admit("linde", registry.Verifier)
	r.Advance(day)
	again := r.Application("vaart", registry.Issuer)
	again.Name, again.Key, again.Aliases = "", "", nil
	again.Types, again.Days = []string{"urn:paspoort:opleiding:1"}, 300
	r.AdmitApplication(again)
	r.Advance(day)
	s := r.Do(registry.KindSucceeded, &registry.Succession{On: r.Now.Unix(), Organisation: old, Successor: next, Reason: "fusie", Roles: []registry.Role{registry.Issuer}}, registry.OrganisationParty(next))
	r.Approve(s.Event.ID(), vakbond, gemeente)
	for _, tt := range []struct {
		vct  string
		days int
		want bool
	}{{"urn:paspoort:diploma:1", 50, true}, {"urn:paspoort:diploma:1", 120, false}, {"urn:paspoort:opleiding:1", 120, true}, {"urn:paspoort:opleiding:1", 310, false}} {
		got, err := r.State.View().Admission(registry.Question{Lookup: registry.Lookup{Organisation: next}, Role: registry.Issuer, Type: tt.vct, At: r.Now.AddDate(0, 0, tt.days)})
		if err != nil || got.Admitted != tt.want {
			t.Errorf("%s after %d days: %s, %v", tt.vct, tt.days, got.Code, err)
		}
	}

	firm := registrytest.OrganisationID("eenmanszaak")
	one := &registry.Application{Criteria: "criteria-1", OnePerson: true, Organisation: firm, Role: registry.Issuer, Types: []string{"urn:paspoort:opleiding:1"}}
	d := r.Draft(one)
	d.Commitments = map[string]string{"name": registry.Fingerprint([]byte("name"))}
	asked := r.ComposeWith(d, registry.KindApplied, one, opleiders)
	r.Must(asked)
	r.Approve(asked.Event.ID(), vakbond, gemeente)
	left := &registry.Succession{On: r.Now.Unix(), Organisation: next, Successor: firm, Reason: "wij laten het over"}
	if err := r.Try(registry.KindSucceeded, left, registry.OrganisationParty(next)); !errors.Is(err, registry.ErrSigner) {
		t.Errorf("left to a firm that nobody speaks for: %v", err)
	}
	r.Do(registry.KindSucceeded, left, registry.OrganisationParty(next), opleiders)
}
