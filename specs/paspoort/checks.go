package paspoort

import (
	"crypto/subtle"
	"errors"
	"time"

	"paspoort.example/paspoort/specs/sdjwt"
)

func check(name string, state State, code string, values map[string]string) Check {
	switch state {
	case OK, Failed:
	default:
		state = Unknown
	}
	if code == "" {
		code = "no_fact"
	}
	return Check{Name: name, State: state, Code: code, Sentence: sentence(code, values)}
}

func (f Facts) format() Check {
	if f.Format.State == OK && f.Claims == nil {
		return check(CheckFormat, Unknown, "no_fact", nil)
	}
	if f.Format.State == OK {
		return check(CheckFormat, OK, "format_ok", nil)
	}
	return check(CheckFormat, f.Format.State, f.Format.Code, nil)
}

func (f Facts) signature() Check {
	if f.Signature.State == OK {
		if f.Key == "" {
			return check(CheckSignature, Unknown, "no_fact", nil)
		}
		return check(CheckSignature, OK, "signature_ok", nil)
	}
	return check(CheckSignature, f.Signature.State, f.Signature.Code, nil)
}

// holderBinding: RFC 9901 7.3. Whether key binding is required is decided by
// what was asked, never by what came.
func (j judged) holderBinding(in Input) Check {
	b := j.facts.Binding
	switch {
	case j.facts.HolderKey == "":
		return check(CheckHolderBinding, Unknown, "no_holder_key", nil)
	case !b.Present && in.Expected == nil:
		return check(CheckHolderBinding, Unknown, "holder_not_shown", nil)
	case !b.Present:
		// It was asked for and did not come.
		return check(CheckHolderBinding, Failed, "key_binding_missing", nil)
	case b.Signature.State == Failed:
		return check(CheckHolderBinding, Failed, b.Signature.Code, nil)
	case b.Signature.State != OK || b.IssuedAt.IsZero():
		return check(CheckHolderBinding, Unknown, b.Signature.Code, nil)
	case b.IssuedAt.After(in.Now.Add(in.Limits.Skew)):
		return check(CheckHolderBinding, Failed, "binding_in_future", nil)
	case in.Expected != nil && (in.Now.Sub(b.IssuedAt) > in.Limits.BindingAge+in.Limits.Skew || errors.Is(b.timely(in), sdjwt.ErrExpired)):
		return check(CheckHolderBinding, Failed, "binding_too_old", nil)
	case in.Expected != nil && b.timely(in) != nil:
		return check(CheckHolderBinding, Failed, "binding_in_future", nil)
	case j.facts.Signature.State != OK:
		// Whose key stands in cnf is the issuer's word, and that is not signed.
		return check(CheckHolderBinding, Unknown, "signature_not_ok", nil)
	case in.Expected == nil && b.Audience == FileAudience:
		return check(CheckHolderBinding, Unknown, "binding_for_file", nil)
	case in.Expected == nil:
		// A signature for another transaction, seen later, may be a copy.
		return check(CheckHolderBinding, Unknown, "binding_for_another", nil)
	}
	return check(CheckHolderBinding, OK, "holder_ok", nil)
}

// timely: RFC 9901 7.3 step 5.h, exp and nbf of the KB-JWT where it has them. Examine knows no
// clock and leaves them to here.
func (b Binding) timely(in Input) error { return sdjwt.CheckTimes(b.Claims, in.Now, in.Limits.Skew) }

func nonceAudience(in Input, f Facts) Check {
	e := in.Expected
	switch {
	case e == nil:
		return check(CheckNonceAudience, Unknown, "nothing_asked", nil)
	case e.Nonce == "" || e.Audience == "" || !f.Binding.Present:
		return check(CheckNonceAudience, Unknown, "no_fact", nil)
	case subtle.ConstantTimeCompare([]byte(e.Nonce), []byte(f.Binding.Nonce)) != 1:
		return check(CheckNonceAudience, Failed, "wrong_nonce", nil)
	case subtle.ConstantTimeCompare([]byte(e.Audience), []byte(f.Binding.Audience)) != 1:
		return check(CheckNonceAudience, Failed, "wrong_audience", nil)
	case f.Binding.Signature.State != OK:
		// What is not signed may say anything.
		return check(CheckNonceAudience, Unknown, "binding_not_verified", nil)
	}
	return check(CheckNonceAudience, OK, "nonce_audience_ok", nil)
}

func validity(in Input, c Credential, readErr error) Check {
	switch {
	case malformed(readErr) || in.Now.IsZero():
		return check(CheckValidity, Unknown, "not_checked", nil)
	case !c.ExpiresAt.IsZero() && !in.Now.Add(-in.Limits.Skew).Before(c.ExpiresAt):
		return check(CheckValidity, Failed, "expired", dated(c.ExpiresAt))
	case c.NotBefore.After(in.Now.Add(in.Limits.Skew)):
		return check(CheckValidity, Failed, "not_yet_valid", dated(c.NotBefore))
	case c.IssuedAt.After(in.Now.Add(in.Limits.Skew)):
		return check(CheckValidity, Failed, "issued_in_future", dated(c.IssuedAt))
	case c.ExpiresAt.IsZero():
		return check(CheckValidity, OK, "no_end", nil)
	}
	return check(CheckValidity, OK, "valid_until", dated(c.ExpiresAt.Add(-time.Second)))
}

func status(in Input, f Facts, c Credential, readErr error) Check {
	s := f.Status
	switch {
	case malformed(readErr):
		return check(CheckStatus, Unknown, "not_checked", nil)
	case c.Status == nil && c.Type.SelfSigned():
		return check(CheckStatus, OK, "status_not_used", nil)
	case c.Status == nil:
		// Our issuers always have one. Whether this one is withdrawn cannot be seen.
		return check(CheckStatus, Unknown, "no_status", nil)
	case s == nil:
		return check(CheckStatus, Unknown, "status_not_available", nil)
	case s.Trusted.State != OK:
		code := s.Trusted.Code
		if code == "" {
			code = "status_not_trusted"
		}
		return check(CheckStatus, Unknown, code, nil)
	case s.URI != c.Status.URI || s.Index != c.Status.Index:
		return check(CheckStatus, Unknown, "status_of_another", nil)
	case s.IssuedAt.IsZero():
		return check(CheckStatus, Unknown, "status_without_date", nil)
	case s.Value == 1:
		// Revocation is final, so an old list says it as well as a new one.
		return check(CheckStatus, Failed, "revoked", dated(s.IssuedAt))
	case s.IssuedAt.After(in.Now.Add(in.Limits.Skew)):
		return check(CheckStatus, Unknown, "status_in_future", nil)
	case statusStale(in, s):
		code := "status_too_old"
		if s.Value == 2 {
			code = "suspended_when_last_seen"
		}
		return check(CheckStatus, Unknown, code, dated(s.IssuedAt))
	case s.Value == 2:
		return check(CheckStatus, Failed, "suspended", dated(s.IssuedAt))
	case s.Value != 0:
		return check(CheckStatus, Unknown, "status_value_unknown", nil)
	}
	values := dated(s.IssuedAt)
	values["age"] = age(in.Now.Sub(s.IssuedAt)).NL
	values["age_en"] = age(in.Now.Sub(s.IssuedAt)).EN
	return check(CheckStatus, OK, "status_valid", values)
}

// statusStale: beyond exp the issuer itself no longer stands for the list
// (Token Status List draft 20, 8.3); beyond the verifier's limit we do not.
func statusStale(in Input, s *StatusFacts) bool {
	if !s.ExpiresAt.IsZero() && !in.Now.Before(s.ExpiresAt.Add(in.Limits.Skew)) {
		return true
	}
	return in.Now.Sub(s.IssuedAt) > in.Limits.StatusAge
}

// malformed: what is of another type can still be judged by its times and status.
func malformed(readErr error) bool {
	return readErr != nil && !errors.Is(readErr, ErrUnknownType)
}

func schema(c Credential, readErr error) Check {
	switch {
	case errors.Is(readErr, ErrUnknownType):
		return check(CheckSchema, Unknown, "type_unknown", nil)
	case readErr != nil:
		return check(CheckSchema, Failed, "schema_broken", nil)
	case c.Schema != nil:
		return check(CheckSchema, Failed, "schema_broken", nil)
	}
	return check(CheckSchema, OK, "schema_ok", nil)
}

// sameHolder: credentials in one answer belong to one person when one key is
// bound to all of them and signed here. Equal names prove nothing.
func sameHolder(all []judged) Check {
	if len(all) == 0 {
		return check(CheckSameHolder, Unknown, "not_checked", nil)
	}
	key, names := all[0].facts.HolderKey, map[string]bool{}
	for _, j := range all {
		if j.state(CheckHolderBinding) != OK {
			return check(CheckSameHolder, Unknown, "holder_not_shown", nil)
		}
		given, family := j.read.Text("given_name"), j.read.Text("family_name")
		if given != "" && family != "" {
			names[given+"\x00"+family] = true
		}
	}
	sameKey := key != ""
	for _, j := range all {
		sameKey = sameKey && j.facts.HolderKey == key
	}
	switch {
	case len(names) > 1:
		return check(CheckSameHolder, Unknown, "names_differ", nil)
	case sameKey && len(all) == 1:
		return check(CheckSameHolder, OK, "one_credential", nil)
	case sameKey:
		return check(CheckSameHolder, OK, "same_key", nil)
	case len(names) == 1:
		return check(CheckSameHolder, Unknown, "only_names_equal", nil)
	}
	return check(CheckSameHolder, Unknown, "different_keys", nil)
}
