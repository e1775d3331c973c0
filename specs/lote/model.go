package lote

import (
	"slices"
	"time"

	"paspoort.example/paspoort/specs/jose"
)

// Version is the value of LoTEVersionIdentifier for V1.1.1 of the standard.
const Version = 1

// List is one list. Its members and those of all it consists of are spelled as the JSON binding
// spells them.
type List struct {
	Scheme   Scheme   `json:"ListAndSchemeInformation"`
	Entities []Entity `json:"TrustedEntitiesList,omitempty"`
}

// Scheme says whose list it is, of what, and how recent.
type Scheme struct {
	Version         int         `json:"LoTEVersionIdentifier"`
	Sequence        int64       `json:"LoTESequenceNumber"` // grows with each list of the operator
	Type            string      `json:"LoTEType,omitempty"`
	Operator        []Text      `json:"SchemeOperatorName"`
	Address         *Address    `json:"SchemeOperatorAddress,omitempty"`
	Name            []Text      `json:"SchemeName,omitempty"`
	Information     []URI       `json:"SchemeInformationURI,omitempty"`
	Approach        string      `json:"StatusDeterminationApproach,omitempty"`
	Rules           []URI       `json:"SchemeTypeCommunityRules,omitempty"`
	Territory       string      `json:"SchemeTerritory,omitempty"` // ISO 3166-1 alpha 2, or EU
	Pointers        []Pointer   `json:"PointersToOtherLoTE,omitempty"`
	Issued          time.Time   `json:"ListIssueDateTime"` // whole seconds, UTC
	NextUpdate      time.Time   `json:"NextUpdate"`
	Distribution    []string    `json:"DistributionPoints,omitempty"`
	Extensions      []Extension `json:"SchemeExtensions,omitempty"`
	HistoricalDays  int         `json:"HistoricalInformationPeriod,omitzero"` // days for which history stays in the list
	PoliciesNotices []Policy    `json:"PolicyOrLegalNotice,omitempty"`
}

// Extension is an addition of whoever made the list; readers that do not know it skip it.
type Extension map[string]any

// Text is a text in a language.
type Text struct {
	Lang  string `json:"lang"`
	Value string `json:"value"`
}

// URI is an address of a page in a language.
type URI struct {
	Lang  string `json:"lang"`
	Value string `json:"uriValue"`
}

// Policy is a policy by its address or a notice by its text.
type Policy struct {
	URI    *URI   `json:"LoTEPolicy,omitempty"`
	Notice string `json:"LoTELegalNotice,omitempty"`
}

// Address is where the scheme's operator is.
type Address struct {
	Postal     []Postal `json:"SchemeOperatorPostalAddress"`
	Electronic []URI    `json:"SchemeOperatorElectronicAddress"`
}

// EntityAddress is where a trusted entity is.
type EntityAddress struct {
	Postal     []Postal `json:"TEPostalAddress,omitempty"`
	Electronic []URI    `json:"TEElectronicAddress,omitempty"`
}

// Postal is an address for letters.
type Postal struct {
	Lang    string `json:"lang,omitempty"`
	Street  string `json:"StreetAddress"`
	City    string `json:"Locality,omitempty"`
	State   string `json:"StateOrProvince,omitempty"`
	Code    string `json:"PostalCode,omitempty"`
	Country string `json:"Country"`
}

// Pointer leads to a list of another operator.
type Pointer struct {
	Location   string      `json:"LoTELocation"`
	Identities []Identity  `json:"ServiceDigitalIdentities"`
	Qualifiers []Qualifier `json:"LoTEQualifiers"`
}

// Qualifier says what the other list is.
type Qualifier struct {
	Type      string `json:"LoTEType"`
	Operator  []Text `json:"SchemeOperatorName"`
	Rules     []URI  `json:"SchemeTypeCommunityRules,omitempty"`
	Territory string `json:"SchemeTerritory,omitempty"`
	MimeType  string `json:"MimeType"`
}

// Entity is a trusted entity with its services.
type Entity struct {
	Information EntityInformation `json:"TrustedEntityInformation"`
	Services    []Service         `json:"TrustedEntityServices"`
}

// EntityInformation says who the entity is.
type EntityInformation struct {
	Name        []Text        `json:"TEName"`
	TradeName   []Text        `json:"TETradeName,omitempty"`
	Address     EntityAddress `json:"TEAddress"`
	Information []URI         `json:"TEInformationURI"`
	Extensions  []Extension   `json:"TEInformationExtensions,omitempty"`
}

// Service is one thing that an entity is trusted with: as it is now, and as it was.
type Service struct {
	Now     ServiceInformation `json:"ServiceInformation"`
	History []ServiceHistory   `json:"ServiceHistory,omitempty"` // newest first
}

// ServiceInformation is a service as it stands.
type ServiceInformation struct {
	Name             []Text        `json:"ServiceName"`
	Identity         Identity      `json:"ServiceDigitalIdentity"`
	Type             string        `json:"ServiceTypeIdentifier,omitempty"`
	Status           string        `json:"ServiceStatus,omitempty"`
	Since            *time.Time    `json:"StatusStartingTime,omitempty"`
	SchemeDefinition []URI         `json:"SchemeServiceDefinitionURI,omitempty"`
	SupplyPoints     []SupplyPoint `json:"ServiceSupplyPoints,omitempty"`
	Definition       []URI         `json:"ServiceDefinitionURI,omitempty"`
	Extensions       []Extension   `json:"ServiceInformationExtensions,omitempty"`
}

// ServiceHistory is a service as it stood from a moment until the next.
type ServiceHistory struct {
	Name       []Text      `json:"ServiceName"`
	Identity   Identity    `json:"ServiceDigitalIdentity"`
	Status     string      `json:"ServiceStatus"`
	Since      time.Time   `json:"StatusStartingTime"`
	Type       string      `json:"ServiceTypeIdentifier,omitempty"`
	Extensions []Extension `json:"ServiceInformationExtensions,omitempty"`
}

// SupplyPoint is where the service is found.
type SupplyPoint struct {
	Type string `json:"ServiceType,omitempty"`
	URI  string `json:"uriValue"`
}

// Identity is how a service shows itself; any of its members may do.
type Identity struct {
	Certificates []Certificate `json:"X509Certificates,omitempty"`
	SubjectNames []string      `json:"X509SubjectNames,omitempty"`
	Keys         []jose.Key    `json:"PublicKeyValues,omitempty"`
	SKIs         [][]byte      `json:"X509SKIs,omitempty"` // base64
	OtherIDs     []string      `json:"OtherIds,omitempty"` // URIs: addresses, DIDs
}

// Certificate is an X.509 certificate.
type Certificate struct {
	Encoding      string `json:"encoding,omitempty"`
	Specification string `json:"specRef,omitempty"`
	DER           []byte `json:"val"` // base64
}

// StatusAt is the status of the service at a moment: for a signature of the past what counts is
// the status at signing time, not the present one. False when the list says nothing of it.
func (s Service) StatusAt(at time.Time) (status string, ok bool) {
	if s.Now.Since != nil && !at.Before(*s.Now.Since) {
		return s.Now.Status, true
	}
	var found *ServiceHistory
	for i, h := range s.History {
		if !at.Before(h.Since) && (found == nil || h.Since.After(found.Since)) {
			found = &s.History[i]
		}
	}
	if found == nil {
		return "", false
	}
	return found.Status, true
}

// Find lists the services with an identity among OtherIDs, such as the address of a credential
// issuer.
func (l *List) Find(id string) (found []Service) {
	for _, e := range l.Entities {
		for _, s := range e.Services {
			if slices.Contains(s.Now.Identity.OtherIDs, id) {
				found = append(found, s)
			}
		}
	}
	return found
}
