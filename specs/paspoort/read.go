package paspoort

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"
)

// ErrRead says that a processed payload is not a credential of this profile.
var ErrRead = errors.New("not a credential of this profile")

// A Skill is one disclosed element of `skills`. The label was frozen when the
// credential was issued. Level is what the issuer wrote, not a proof level.
type Skill struct {
	Framework string `json:"framework,omitempty"`
	Version   string `json:"version,omitempty"`
	URI       string `json:"uri,omitempty"`
	Label     string `json:"label"`
	Level     string `json:"level,omitempty"`
}

// A Credential is a processed credential of either format, in one shape. It
// holds what the holder disclosed and nothing else: an absent claim may exist.
type Credential struct {
	Type   Type   // empty for a type that is not ours
	VCT    string // what the type is called when it signs and is admitted; empty when a foreign W3C form does not say
	Format Format
	Issuer string // iss
	// Zero when the credential does not say.
	IssuedAt, NotBefore, ExpiresAt time.Time
	Status                         *StatusRef
	// Confirmation is `cnf` as it stands.
	Confirmation map[string]any
	// Claims are the profile's claims under their flat names.
	Claims map[string]any
	Skills []Skill
	// Schema is nil when the flat form satisfies the schema of the type.
	Schema error
}

// Text is a disclosed claim that is a string, or empty.
func (c Credential) Text(name string) string {
	s, _ := c.Claims[name].(string)
	return s
}

// DetectFormat tells the formats apart by what stands in the payload, as typ is
// not reliable in the field: `vct` is SD-JWT VC, `@context` is VCDM.
func DetectFormat(processed map[string]any) (Format, bool) {
	_, vct := processed["vct"]
	_, context := processed["@context"]
	switch {
	case vct && !context:
		return FormatSDJWTVC, true
	case context && !vct:
		return FormatVCDM, true
	}
	return "", false
}

// Read turns the processed payload of an SD-JWT (RFC 9901 7.1) into a
// Credential. The error wraps ErrRead, or ErrUnknownType: then Type is empty and
// the Credential holds what any credential has (issuer, times, status, key) with
// its claims as they stand. A payload that is ours but breaks the schema is
// read, with Schema saying what is wrong. Nothing here says that a signature is
// good.
func Read(processed map[string]any) (Credential, error) {
	format, ok := DetectFormat(processed)
	if !ok {
		return Credential{}, fmt.Errorf("%w: neither vct nor @context decides the format", ErrRead)
	}
	var flat map[string]any
	var err error
	if format == FormatSDJWTVC {
		flat = processed
	} else if flat, err = flatten(processed); err != nil {
		return Credential{}, err
	}
	return readFlat(format, flat)
}

func readFlat(format Format, flat map[string]any) (Credential, error) {
	c := Credential{Format: format, Claims: make(map[string]any, len(flat))}
	c.VCT, _ = flat["vct"].(string)
	t, unknown := TypeOf(c.VCT)
	c.Issuer, _ = flat["iss"].(string)
	c.Confirmation, _ = flat["cnf"].(map[string]any)
	var err error
	for _, d := range [...]struct {
		name string
		into *time.Time
	}{{"iat", &c.IssuedAt}, {"nbf", &c.NotBefore}, {"exp", &c.ExpiresAt}} {
		if *d.into, err = numericDate(flat[d.name]); err != nil {
			return Credential{}, fmt.Errorf("%w: %s", err, d.name)
		}
	}
	if raw, ok := flat["status"]; ok {
		if c.Status, err = readStatus(raw); err != nil {
			return Credential{}, err
		}
	}
	if unknown != nil {
		for name, v := range flat {
			if !slices.Contains(registered, name) {
				c.Claims[name] = v
			}
		}
		c.Schema = unknown
		return c, unknown
	}
	for _, f := range typeFieldList[t] {
		if v, ok := flat[f.Name]; ok && !(f.Each && isEmpty(v)) {
			c.Claims[f.Name] = v
		}
	}
	c.Type = t
	c.Skills = readSkills(flat["skills"])
	c.Schema = checkCredential(t, flat)
	return c, nil
}

// isEmpty recognises a list of which nothing is shown, or that holds only decoys:
// nobody can tell which.
func isEmpty(v any) bool {
	list, ok := v.([]any)
	return ok && len(list) == 0
}

// registered are the claims that are about the credential, not in it.
var registered = []string{"iss", "vct", "vct#integrity", "aka_vcts", "iat", "nbf", "exp", "jti", "cnf", "status", claimFederation}

// numericDate reads RFC 7519 NumericDate: seconds, in a range that Go's time
// and JSON numbers both hold exactly.
func numericDate(v any) (time.Time, error) {
	if v == nil {
		return time.Time{}, nil
	}
	var n float64
	switch v := v.(type) {
	case float64:
		n = v
	case int64:
		n = float64(v)
	default:
		return time.Time{}, fmt.Errorf("%w: a time that is not a number", ErrRead)
	}
	if math.IsNaN(n) || n < 0 || n > 253402300799 { // the year 9999
		return time.Time{}, fmt.Errorf("%w: a time out of range", ErrRead)
	}
	return time.Unix(int64(n), 0).UTC(), nil
}

// readStatus reads status.status_list. Another status mechanism is not known
// to us and is an error: it must not read as "no status".
func readStatus(v any) (*StatusRef, error) {
	status, _ := v.(map[string]any)
	list, ok := status["status_list"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: status without status_list", ErrRead)
	}
	uri, okURI := list["uri"].(string)
	var idx float64
	switch n := list["idx"].(type) {
	case float64:
		idx = n
	case int:
		idx = float64(n)
	default:
		idx = -1
	}
	// Token Status List draft 20, 6.2: idx is a non-negative integer.
	if !okURI || uri == "" || idx < 0 || idx != math.Trunc(idx) || idx > math.MaxInt32 {
		return nil, fmt.Errorf("%w: malformed status_list", ErrRead)
	}
	return &StatusRef{URI: uri, Index: int(idx)}, nil
}

func readSkills(v any) (out []Skill) {
	list, _ := v.([]any)
	for _, e := range list {
		m, ok := e.(map[string]any)
		if !ok {
			continue
		}
		var s Skill
		s.Framework, _ = m["framework"].(string)
		s.Version, _ = m["version"].(string)
		s.URI, _ = m["uri"].(string)
		s.Label, _ = m["label"].(string)
		s.Level, _ = m["level"].(string)
		if s.Label != "" {
			out = append(out, s)
		}
	}
	return out
}

// flatten is the way back from the W3C form.
func flatten(root map[string]any) (map[string]any, error) {
	t, err := vcType(root)
	if err != nil && !errors.Is(err, ErrUnknownType) {
		return nil, err
	}
	flat := map[string]any{"vct": t.VCT()}
	if t == "" {
		flat["credentialSubject"] = root["credentialSubject"]
	}
	issuer, profile, err := vcIssuer(root)
	if err != nil {
		return nil, err
	}
	flat["iss"] = issuer
	for _, name := range []string{"cnf", "status", "iat", "nbf", "exp"} {
		if v, ok := root[name]; ok {
			flat[name] = v
		}
	}
	if err := vcTimes(root, flat); err != nil {
		return nil, err
	}
	special := shapedClaims(t)
	for _, f := range typeFieldList[t] {
		var v any
		var ok bool
		switch {
		case f.Name == claimIssuerName:
			v, ok = profile["name"]
		case f.Name == claimIssuerCountry:
			v, ok = get(profile, "address", "addressCountryCode")
		case special[f.Name].decode != nil:
			v, ok = special[f.Name].decode(root)
		default:
			v, ok = get(root, place(t, f.Name)...)
		}
		if ok && !isFiller(t, f.Name, v) {
			flat[f.Name] = v
		}
	}
	return flat, nil
}

// isFiller recognises what completeAchievement added.
func isFiller(t Type, name string, v any) bool {
	switch name {
	case "description":
		return v == t.About().NL
	case "can_do":
		return reflect.DeepEqual(v, []any{t.About().NL})
	}
	return false
}

func vcType(root map[string]any) (Type, error) {
	contexts, _ := root["@context"].([]any)
	// VCDM 2.0 4.3: the first item of @context MUST be the v2 context.
	if len(contexts) == 0 || contexts[0] != contextVCDM {
		return "", fmt.Errorf("%w: first @context is not VCDM 2.0", ErrRead)
	}
	types, _ := root["type"].([]any)
	if !slices.Contains(types, any("VerifiableCredential")) {
		return "", fmt.Errorf("%w: type lacks VerifiableCredential", ErrRead)
	}
	var found []Type
	for _, t := range Types() {
		if slices.Contains(types, any(string(t))) && mapsType(contexts, t) {
			found = append(found, t)
		}
	}
	if len(found) != 1 {
		return "", fmt.Errorf("%w: %d of our types in type", ErrUnknownType, len(found))
	}
	return found[0], nil
}

// mapsType says whether the last context gives the type's name our IRI. Without
// it the word Opleiding could be anybody's.
func mapsType(contexts []any, t Type) bool {
	last, _ := contexts[len(contexts)-1].(map[string]any)
	return last[string(t)] == t.VCT() && last["@vocab"] == vocabulary
}

// vcIssuer gives the issuer's id and its profile. VC-JOSE-COSE 3.1.1: `iss`,
// when present, must equal the issuer's id.
func vcIssuer(root map[string]any) (string, map[string]any, error) {
	var id string
	profile, isObject := root["issuer"].(map[string]any)
	if isObject {
		id, _ = profile["id"].(string)
	} else {
		id, _ = root["issuer"].(string)
	}
	if id == "" {
		return "", nil, fmt.Errorf("%w: no issuer", ErrRead)
	}
	if iss, ok := root["iss"]; ok && iss != id {
		return "", nil, fmt.Errorf("%w: iss differs from issuer", ErrRead)
	}
	return id, profile, nil
}

// vcTimes maps validFrom to iat and validUntil to exp, which our renderer never
// writes beside them. Where a foreign issuer wrote both, they must agree.
func vcTimes(root, flat map[string]any) error {
	for from, to := range map[string]string{"validFrom": "iat", "validUntil": "exp"} {
		v, ok := root[from]
		if !ok {
			continue
		}
		s, _ := v.(string)
		t, err := time.Parse(time.RFC3339, s)
		if err != nil {
			return fmt.Errorf("%w: %s is no date-time", ErrRead, from)
		}
		if old, ok := flat[to]; ok && to == "exp" {
			if o, err := numericDate(old); err != nil || !o.Equal(t) {
				return fmt.Errorf("%w: exp differs from validUntil", ErrRead)
			}
		}
		flat[to] = float64(t.Unix())
		if to == "iat" {
			// VCDM 2.0 4.9: not valid before validFrom, nor before a later nbf.
			nbf, isNumber := flat["nbf"].(float64)
			if _, has := flat["nbf"]; !has || isNumber && nbf < float64(t.Unix()) {
				flat["nbf"] = float64(t.Unix())
			}
		}
	}
	return nil
}
