package node

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/lote"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// The region as others see it: who speaks no protocol of ours finds in a list of trusted
// entities (ETSI TS 119 602) whom it admitted, and the certificates that it vouches for. The list
// is made from the log when it is asked for, and says where in the log each fact stands: whoever
// doubts it can check, or replay.

const (
	loteLife  = 24 * time.Hour // until NextUpdate
	loteKeep  = time.Hour      // a list is given out again so long while the log does not grow
	lotePause = time.Minute    // and so long anyway: making one costs time
)

var errOldCopy = errors.New("this node has not heard of the others for too long; ask another node of the region")

// lists makes the list and keeps the newest.
type lists struct {
	mu   sync.Mutex
	last *madeList
}

type madeList struct {
	size   uint64
	at     time.Time
	plain  []byte
	signed string // empty when this node signs no statements
}

func (n *Node) listRoutes(r *mux.Router) {
	read := []string{http.MethodGet, http.MethodHead}
	made := &lists{}
	give := func(media string, pick func(*madeList) []byte) http.Handler {
		return web.CORS(only(func(w http.ResponseWriter, r *http.Request) { n.getList(w, r, made, media, pick) }, read...))
	}
	r.Handle("/v1/lote", give(lote.MediaType, func(l *madeList) []byte { return []byte(l.signed) }))
	r.Handle("/v1/lote.json", give("application/json", func(l *madeList) []byte { return l.plain }))
	r.Handle("/v1/aki", web.CORS(only(n.getAKI, read...)))
}

func (n *Node) getList(w http.ResponseWriter, r *http.Request, made *lists, media string, pick func(*madeList) []byte) {
	l, err := made.current(r.Context(), n)
	switch {
	case errors.Is(err, evidence.ErrNoCopy):
		web.WriteError(w, http.StatusServiceUnavailable, registry.ErrNoLog.Code, registry.ErrNoLog.Detail)
		return
	case errors.Is(err, errOldCopy):
		web.WriteError(w, http.StatusServiceUnavailable, "old", errOldCopy.Error())
		return
	case err != nil:
		n.internal(w, r, err)
		return
	}
	body := pick(l)
	if len(body) == 0 {
		web.WriteError(w, http.StatusServiceUnavailable, "not-signed", "this node signs no statements; ask another node of the region, or take /v1/lote.json")
		return
	}
	w.Header().Set("Content-Type", media)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Write(body)
}

// current is a list that is recent enough. Who comes while it is being made waits for it.
func (l *lists) current(ctx context.Context, n *Node) (*madeList, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, size := n.cfg.Clock(), n.covered()
	if l.last != nil {
		age := now.Sub(l.last.at)
		if age >= 0 && (age < lotePause || age < loteKeep && l.last.size == size) {
			return l.last, nil
		}
	}
	if time.Duration(n.age())*time.Second > maxFederationAge { // as for statements of the federation
		return nil, errOldCopy
	}
	note, _ := n.publisher.Checkpoint()
	made := &madeList{at: now}
	var list *lote.List
	var since time.Time
	err := n.Read(ctx, func(v registry.View, facts evidence.RegistryFacts) error {
		made.size = v.AsOf
		list = newTrustList(v, listSource{node: n.cfg.ID, checkpoint: string(note)}, now)
		since = n.signsListsSince(v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if made.plain, err = list.Marshal(); err != nil {
		return nil, err
	}
	if !since.IsZero() {
		cert, err := ca.ListSigner(n.cfg.FederationKey, list.Scheme.Operator[0].Value, since)
		if err != nil {
			return nil, err
		}
		if made.signed, err = lote.Sign(list, n.cfg.FederationKey, []*x509.Certificate{cert}, now); err != nil {
			return nil, err
		}
	}
	l.last = made
	return made, nil
}

// signsListsSince is since when the charter names this node's federation key; zero when it does not.
func (n *Node) signsListsSince(v registry.View) (since time.Time) {
	if n.cfg.FederationKey == nil {
		return since
	}
	own, err := registry.NewPublicKey(n.cfg.FederationKey.Public())
	if err != nil {
		return since
	}
	for _, node := range v.ActiveNodes() {
		for _, p := range node.Keys {
			if node.ID == n.cfg.ID && node.FederationKey == own && p.Federation == own {
				return unix(p.From)
			}
		}
	}
	return since
}

// keyIdentifier is how a verifier names an issuing authority in a question: trusted_authorities
// of type aki (OpenID4VP 6.1.1).
type keyIdentifier struct {
	AKI         string    `json:"aki"`                // base64url
	Certificate []byte    `json:"certificate"`        // DER
	Fingerprint string    `json:"fingerprint"`        // SHA-256 of it
	Operator    string    `json:"operator"`           // member that keeps the authority
	Since       time.Time `json:"since"`              //
	Removed     time.Time `json:"removed,omitzero"`   // what it certified before stays what it is
	NotAfter    time.Time `json:"not_after,omitzero"` // of the certificate
}

func (n *Node) getAKI(w http.ResponseWriter, r *http.Request) {
	var out struct {
		Genesis     string          `json:"genesis"`
		AsOf        uint64          `json:"asof"`
		Type        string          `json:"type"`
		Values      []string        `json:"values"` // of the authorities that count now
		Authorities []keyIdentifier `json:"authorities"`
	}
	out.Type, out.Values, out.Authorities = "aki", []string{}, []keyIdentifier{}
	err := n.Read(r.Context(), func(v registry.View, _ evidence.RegistryFacts) error {
		region := v.Region(n.cfg.Clock())
		out.Genesis, out.AsOf = region.Genesis, region.AsOf
		for _, a := range region.Anchors {
			cert := anchorCertificate(a.Anchor)
			if cert == nil || len(cert.SubjectKeyId) == 0 {
				continue
			}
			k := keyIdentifier{AKI: base64.RawURLEncoding.EncodeToString(cert.SubjectKeyId), Certificate: cert.Raw, Fingerprint: a.Fingerprint,
				Operator: a.Operator, Since: unix(a.Since), NotAfter: cert.NotAfter}
			if a.Removed != 0 {
				k.Removed = unix(a.Removed)
			} else {
				out.Values = append(out.Values, k.AKI)
			}
			out.Authorities = append(out.Authorities, k)
		}
		return nil
	})
	switch {
	case errors.Is(err, evidence.ErrNoCopy):
		web.WriteError(w, http.StatusServiceUnavailable, registry.ErrNoLog.Code, registry.ErrNoLog.Detail)
	case err != nil:
		n.internal(w, r, err)
	default:
		w.Header().Set("Cache-Control", "public, max-age=300")
		web.WriteJSON(w, http.StatusOK, out)
	}
}

// anchorCertificate parses the certificate of an authority; nil for one that is none.
func anchorCertificate(a registry.Anchor) *x509.Certificate {
	der, err := a.DER()
	if err != nil {
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil
	}
	return cert
}

// grantTypes are the credential types that a standing was ever granted, sorted.
func grantTypes(s registry.Standing) (types []string) {
	for _, g := range s.Grants {
		types = append(types, g.Types...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// typeTexts is what a credential type is called.
func typeTexts(typ string) []lote.Text {
	if t, err := paspoort.ParseType(typ); err == nil {
		name := t.Name()
		return bilingual(name.NL, name.EN)
	}
	if t, err := paspoort.TypeOf(typ); err == nil {
		name := t.Name()
		return bilingual(name.NL, name.EN)
	}
	return bilingual(typ, typ)
}

func bilingual(nl, en string) []lote.Text {
	return []lote.Text{{Lang: "nl", Value: nl}, {Lang: "en", Value: cmp.Or(en, nl)}}
}
