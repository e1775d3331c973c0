package node

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
)

// Revocation lists of the region's authorities (RFC 5280 5), for who does not read the registry.
// The member that keeps an authority makes one away from any server, and gives it to any node;
// the nodes pass it on. None of them can make one, and none takes one that tells anything else
// than the registry does. There is no OCSP.

const (
	opCRLs    = "crls"     // the revocation lists that you have
	opKeepCRL = "keep-crl" // a revocation list to keep
	crlMedia  = "application/pkix-crl"
	prefixCRL = "k/"
	crlRound  = 10 * time.Minute
)

func keyCRL(anchor string) []byte { return []byte(prefixCRL + anchor) }

// revocations keeps what the registry revoked, for a while if the log does not grow: finding it
// out means looking at every organisation, and a suspension begins and ends without a leaf.
type revocations struct {
	mu   sync.Mutex
	size uint64
	at   time.Time
	by   map[string]revokedBy // anchor fingerprint
}

type revokedBy struct {
	root   *x509.Certificate
	list   []ca.Revoked
	hidden int
}

// known is what the registry revoked, by authority.
func (s *revocations) known(n *Node) (by map[string]revokedBy, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := n.machine
	m.mu.RLock()
	defer m.mu.RUnlock()
	defer m.lostRows(&err)
	now := n.cfg.Clock()
	if age := now.Sub(s.at); s.by != nil && s.size == m.meta.Size && age >= 0 && age < crlRound {
		return s.by, nil
	}
	view := m.state.View()
	view.Payloads = m.payloads
	by = map[string]revokedBy{}
	if m.meta.Size > 0 {
		for _, a := range view.Region(now).Anchors {
			if root := anchorCertificate(a.Anchor); root != nil {
				r := revokedBy{root: root}
				r.list, r.hidden = ca.RevokedIn(view, a.Fingerprint, now)
				by[a.Fingerprint] = r
			}
		}
	}
	s.size, s.at, s.by = m.meta.Size, now, by
	return by, nil
}

// then is what counted as revoked or on hold at a moment, as it is known now.
func (s *revocations) then(n *Node, anchor string, at time.Time) (list []ca.Revoked, err error) {
	m := n.machine
	m.mu.RLock()
	defer m.mu.RUnlock()
	defer m.lostRows(&err)
	view := m.state.View()
	view.Payloads = m.payloads
	list, _ = ca.RevokedIn(view, anchor, at)
	return list, nil
}

// crlRoutes: a list is small enough to be fetched as a whole, and tells nobody who is checked.
func (n *Node) crlRoutes(r *mux.Router) {
	read := []string{http.MethodGet, http.MethodHead}
	r.Handle("/v1/crl", only(n.crls, append(read, http.MethodPost)...))
	r.Handle("/v1/crl/{anchor:[0-9a-f]{64}}", web.CORS(only(n.getCRL, read...)))
}

func (n *Node) crls(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		n.postCRL(w, r)
		return
	}
	list, err := n.listCRLs()
	if err != nil {
		n.internal(w, r, err)
		return
	}
	web.WriteJSON(w, http.StatusOK, map[string]any{"genesis": n.genesis, "authorities": list})
}

// crlState is what a node has of an authority's list.
type crlState struct {
	Anchor     string    `json:"anchor"`
	Subject    string    `json:"subject"`
	Revoked    int       `json:"revoked"` // by the registry
	Missing    int       `json:"missing"` // of those, in the list that is served; all when there is none
	Number     int64     `json:"number,omitzero"`
	ThisUpdate time.Time `json:"this_update,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	Path       string    `json:"path,omitempty"`
}

func (n *Node) listCRLs() ([]crlState, error) {
	known, err := n.revocations.known(n)
	if err != nil {
		return nil, err
	}
	out, now := []crlState{}, n.cfg.Clock()
	for anchor, r := range known {
		s := crlState{Anchor: anchor, Subject: r.root.Subject.String(), Missing: ca.Missing(&x509.RevocationList{}, r.list, now), Revoked: len(r.list) + r.hidden}
		_, l, err := n.storedCRL(anchor)
		if err != nil {
			return nil, err
		}
		if l != nil {
			s.Number, s.ThisUpdate, s.NextUpdate, s.Missing = l.Number.Int64(), l.ThisUpdate, l.NextUpdate, ca.Missing(l, r.list, now)
			s.Path = "/v1/crl/" + anchor
		}
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b crlState) int { return strings.Compare(a.Anchor, b.Anchor) })
	return out, nil
}

// getCRL serves the list of an authority.
func (n *Node) getCRL(w http.ResponseWriter, r *http.Request) {
	der, l, err := n.storedCRL(mux.Vars(r)["anchor"])
	switch {
	case err != nil:
		n.internal(w, r, err)
		return
	case l == nil:
		web.WriteError(w, http.StatusNotFound, "not-found", "this authority has no revocation list, or none reached this node yet")
		return
	}
	w.Header().Set("Content-Type", crlMedia)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	w.Header().Set("Last-Modified", l.ThisUpdate.Format(http.TimeFormat))
	w.Write(der)
}

// postCRL takes a list from whoever has it: its signature says whose it is.
func (n *Node) postCRL(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Content-Type") != crlMedia {
		web.WriteError(w, http.StatusUnsupportedMediaType, "media-type", "send the list in DER as "+crlMedia)
		return
	}
	der, err := web.ReadBody(r, ca.MaxCRL)
	if err != nil {
		web.WriteFailure(w, err)
		return
	}
	anchor, err := n.keepCRL(der, true)
	switch {
	case errors.Is(err, ca.ErrCRL):
		web.WriteError(w, http.StatusUnprocessableEntity, "crl", err.Error())
		return
	case err != nil:
		n.internal(w, r, err)
		return
	}
	n.offerCRL(r.Context(), der)
	list, err := n.listCRLs()
	if err != nil {
		n.internal(w, r, err)
		return
	}
	for _, s := range list {
		if s.Anchor == anchor {
			web.WriteJSON(w, http.StatusOK, s)
		}
	}
}

// storedCRL is the list that is kept of an authority; nil when there is none.
func (n *Node) storedCRL(anchor string) (der []byte, l *x509.RevocationList, err error) {
	err = n.store.View(func(tx kv.Tx) error {
		raw, err := tx.Get(keyCRL(anchor))
		if errors.Is(err, kv.ErrNotFound) {
			return nil
		}
		if err == nil {
			_, der, err = kv.Body(raw)
		}
		if err == nil {
			l, err = ca.ParseCRL(der)
		}
		return err
	})
	return der, l, err
}

// keepCRL checks a list and keeps it when it is newer than the one that is kept. A new one has to
// be complete; one that other nodes took may have been overtaken by what was revoked since.
func (n *Node) keepCRL(der []byte, complete bool) (anchor string, err error) {
	l, err := ca.ParseCRL(der)
	if err != nil {
		return "", err
	}
	known, err := n.revocations.known(n)
	if err != nil {
		return "", err
	}
	for name, r := range known {
		if l.CheckSignatureFrom(r.root) == nil {
			anchor = name
		}
	}
	if anchor == "" {
		return "", fmt.Errorf("%w: no authority of this region signed it", ca.ErrCRL)
	}
	r := known[anchor]
	if err := ca.CheckCRL(l, r.root, r.list, r.hidden, n.cfg.Clock()); err != nil {
		return "", err
	}
	if held := ca.OnHold(l, r.list) - r.hidden; held > 0 {
		at := n.cfg.Clock() // suspensions begin without a new leaf
		if !complete {      // who was on hold when it was made may be admitted again since
			at = l.ThisUpdate
		}
		then, err := n.revocations.then(n, anchor, at)
		if err != nil {
			return "", err
		}
		held = ca.OnHold(l, r.list, then) - r.hidden
		if held > 0 {
			return "", fmt.Errorf("%w: it puts %d certificates on hold whose organisations are admitted; make it again", ca.ErrCRL, held)
		}
	}
	if missing := ca.Missing(l, r.list, n.cfg.Clock()); complete && missing > 0 {
		return "", fmt.Errorf("%w: certificates that the region revoked are not in it: %d; make it again", ca.ErrCRL, missing)
	}
	return anchor, n.store.Update(func(tx kv.Tx) error {
		if raw, err := tx.Get(keyCRL(anchor)); err == nil {
			_, old, err := kv.Body(raw)
			if err != nil {
				return err
			}
			kept, err := ca.ParseCRL(old)
			if err != nil {
				return err
			}
			switch order := l.Number.Cmp(kept.Number); {
			case order == 0 && string(old) == string(der):
				return nil
			case order <= 0:
				return fmt.Errorf("%w: number %d is kept here, and this is number %d", ca.ErrCRL, kept.Number, l.Number)
			}
		} else if !errors.Is(err, kv.ErrNotFound) {
			return err
		}
		return tx.Set(keyCRL(anchor), kv.Value(valueFormat, der))
	})
}

// serveCRLs answers another node.
func (n *Node) serveCRLs() ([]byte, error) {
	list := [][]byte{}
	err := n.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixCRL), func(_, value []byte) error {
			_, der, err := kv.Body(value)
			list = append(list, der)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return json.Marshal(list)
}

// runCRLs asks the others now and then for newer lists. A node that is behind refuses what it
// cannot know to be right yet, and takes it in a later round.
func (n *Node) runCRLs(ctx context.Context) {
	for {
		for _, id := range n.others() {
			n.fetchCRLs(ctx, id)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(crlRound):
		}
	}
}

func (n *Node) fetchCRLs(ctx context.Context, from string) {
	call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
	raw, err := n.peers.call(call, from, opCRLs, nil)
	cancel()
	var list [][]byte
	if err == nil {
		err = json.Unmarshal(raw, &list)
	}
	for _, der := range list {
		if _, bad := n.keepCRL(der, false); bad != nil {
			n.log.Debug("revocation list not taken", "from", from, "error", bad)
		}
	}
	if err != nil && ctx.Err() == nil {
		n.log.Debug("revocation lists not fetched", "from", from, "error", err)
	}
}

// offerCRL gives a list to the other nodes; who misses it asks later.
func (n *Node) offerCRL(ctx context.Context, der []byte) {
	for _, id := range n.others() {
		call, cancel := context.WithTimeout(ctx, n.cfg.PeerTimeout)
		if _, err := n.peers.call(call, id, opKeepCRL, der); err != nil {
			n.log.Debug("revocation list not given", "to", id, "error", err)
		}
		cancel()
	}
}
