package paspoort

import "time"

// FederationFacts are what a trust chain of OpenID Federation says of an issuer that no
// registry knows: an ecosystem outside the regions, whose anchor the verifier chose itself.
//
// A chain speaks of the moment at which it is made and of no other: who was withdrawn is not in
// it any more, and since when, or from when on it did harm, it does not tell.
type FederationFacts struct {
	Anchor string   // entity identifier of the trust anchor that was pinned
	Name   string   // what the verifier calls that federation
	Path   []string // entity identifiers, from the issuer up to the anchor
	Issuer string   // display_name of the issuer in the chain
	At     time.Time
	Until  time.Time // when the first statement of the chain ends
	// Listed says whether the key that signed is among those of the issuer in the chain.
	Listed bool
	// Entitled says whether the issuer may issue this type, by what the verifier demands in
	// this federation.
	Entitled bool
}

// values are for the sentences.
func (f *FederationFacts) values() map[string]string {
	name := f.Name
	if name == "" {
		name = f.Anchor
	}
	values := dated(f.Until)
	values["federation"], values["name"] = name, f.Issuer
	if f.Issuer == "" && len(f.Path) > 0 {
		values["name"] = f.Path[0]
	}
	return values
}

// judgeFederation judges an issuer by a trust chain.
func judgeFederation(in Input, f Facts, c Credential) signing {
	say := func(name string, state State, code string) Check {
		return check(name, state, code, f.Federation.values())
	}
	every := func(state State, code string) signing {
		s := all(Unknown, "federation_not_shown")
		s.admitted = say(CheckIssuerAdmitted, state, code)
		return s
	}
	switch chain := f.Federation; {
	case f.Signature.State != OK:
		return all(Unknown, "signature_not_ok")
	case !in.Now.Before(chain.Until) || chain.Until.IsZero():
		return every(Unknown, "federation_ended")
	case chain.At.After(in.Now.Add(in.Limits.Skew)):
		return every(Unknown, "federation_later")
	case !chain.Listed:
		return every(Failed, "federation_other_key")
	case !chain.Entitled:
		return every(Failed, "federation_other_types")
	}
	s := signing{existed: existence(f.Timestamps, in)}
	s.admitted = say(CheckIssuerAdmitted, OK, "federation_admitted")
	s.withdrawal = say(CheckWithdrawal, OK, "federation_listed")
	s.day = signingDay(c, s)
	return s
}

// A FederationView says by which federation an issuer was judged.
type FederationView struct {
	Anchor string   `json:"anchor"`
	Name   string   `json:"name,omitempty"`
	Path   []string `json:"path"`
	Until  string   `json:"until"`
	Note   Text     `json:"note"`
}

func (f *FederationFacts) view() *FederationView {
	if f == nil {
		return nil
	}
	return &FederationView{Anchor: f.Anchor, Name: f.Name, Path: f.Path, Until: stamp(f.Until), Note: sentence("federation_note", f.values())}
}
