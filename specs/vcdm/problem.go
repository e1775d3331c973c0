package vcdm

import "strings"

// A Code names a rule of structure.
type Code string

// The codes, in the order of VCDM 2.0 section 4.
const (
	CodeContext        Code = "context"         // @context is no ordered set, or VCDM 2.0 is not first (4.3)
	CodeContextUnknown Code = "context_unknown" // a context that is not pinned
	CodeID             Code = "id"              // no URL (4.4)
	CodeType           Code = "type"            // a required type is missing (4.5)
	CodeTypeUnknown    Code = "type_unknown"    // a type without an IRI under the pinned contexts
	CodeName           Code = "name"            // name or description is neither text nor texts by language (4.6)
	CodeIssuer         Code = "issuer"          // (4.7)
	CodeSubject        Code = "subject"         // (4.8)
	CodeDate           Code = "date"            // no dateTimeStamp, or the end before the begin (4.9)
	CodeNotYetValid    Code = "not_yet_valid"   // before validFrom
	CodeExpired        Code = "expired"         // after validUntil
	CodeStatus         Code = "status"          // (4.10)
	CodeSchema         Code = "schema"          // credentialSchema (4.11)
	CodeRelated        Code = "related"         // relatedResource (5.3)
	CodeMember         Code = "member"          // evidence, termsOfUse, refreshService; members of Open Badges classes
	CodeClaim          Code = "claim"           // a JWT claim that contradicts the credential, or vc, vp
	CodeSelective      Code = "selective"       // selectively disclosable though needed for verification
	CodeMediaType      Code = "media_type"      // typ or cty
)

// A Problem is one thing that is wrong.
type Problem struct {
	Code Code
	Path string // such as credentialSubject.achievement; never a value
}

func (p Problem) Error() string { return string(p.Code) + " at " + p.Path }

// Problems are all that is wrong; errors.As finds them, and Has asks for a code.
type Problems []Problem

func (p Problems) Error() string {
	texts := make([]string, len(p))
	for i := range p {
		texts[i] = p[i].Error()
	}
	return "not a valid credential: " + strings.Join(texts, ", ")
}

// Has says whether a problem has this code.
func (p Problems) Has(code Code) bool {
	for _, q := range p {
		if q.Code == code {
			return true
		}
	}
	return false
}

// err is p as an error, nil when there is nothing wrong.
func (p Problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
