package issuer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// An organisation that ceased signs its status lists no more, and after their last token nobody
// would know whether its credentials still count. The region asks another one to sign them on
// (status.custodian): this issuer then takes the last token of each list from the nodes' archive
// and publishes it again on its own schedule, at /custody. What the entries say stays as it was.
// Nodes fetch it there, and verifiers have it from the nodes.

// Custody says which lists this issuer was asked to sign on; *evidence.Custody is one.
type Custody interface {
	// Held are their newest tokens, verified, by organisation. An error means that it is not
	// known now: then what was signed on before goes on.
	Held(context.Context) (map[string][]evidence.Held, error)
}

// prefixCustody is of the store; see keys.go.
const prefixCustody = "o/"

// entrusted is a list in custody.
type entrusted struct {
	Organisation string    `json:"organisation"`
	URI          string    `json:"uri"`
	Last         string    `json:"last"` // token to sign on
	At           time.Time `json:"at"`   // its iat
}

// signedOn is what is published of a list in custody.
type signedOn struct {
	statusarchive.List
	token string
}

func custodyKey(uri string) []byte {
	sum := sha256.Sum256([]byte(uri))
	return key(prefixCustody, hex.EncodeToString(sum[:]))
}

// custodyPatience is how long the nodes may take to tell what is in custody.
const custodyPatience = 20 * time.Second

// signOn publishes the lists in custody anew. What goes wrong is logged: it may not hold up the
// issuer's own lists.
func (i *Issuer) signOn(ctx context.Context) {
	if i.c.Custody == nil {
		return
	}
	asked, cancel := context.WithTimeout(ctx, custodyPatience)
	defer cancel()
	held, err := i.c.Custody.Held(asked)
	if err == nil {
		err = i.entrust(held)
	}
	if err != nil {
		i.c.Log.Warn("which status lists are in custody is not known now", "error", err)
	}
	all, err := i.inCustody()
	if err != nil {
		i.c.Log.Error("status lists in custody could not be read", "error", err)
		return
	}
	now := i.c.Clock().UTC()
	var next []signedOn
	for _, e := range all {
		s, err := i.signOne(e, now)
		if err != nil {
			i.c.Log.Error("a status list in custody could not be signed on", "list", e.URI, "error", err)
			continue
		}
		next = append(next, s)
	}
	i.custody.Store(&next)
}

// entrust brings what is kept in line with what the region asked for.
func (i *Issuer) entrust(held map[string][]evidence.Held) error {
	return i.c.Store.Update(func(tx kv.Tx) error {
		var ended [][]byte
		err := tx.Scan([]byte(prefixCustody), func(k, value []byte) error {
			var e entrusted
			if err := kv.DecodeJSON(value, valueVersion, &e); err != nil {
				return err
			}
			if _, still := held[e.Organisation]; !still {
				ended = append(ended, slices.Clone(k))
			}
			return nil
		})
		if err != nil {
			return err
		}
		for _, k := range ended {
			if err := tx.Delete(k); err != nil {
				return err
			}
		}
		for organisation, lists := range held {
			for _, h := range lists {
				if err := entrustOne(tx, organisation, h); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// entrustOne keeps a token to sign on, unless it is what was signed on here, or is older than
// what is kept.
func entrustOne(tx kv.Tx, organisation string, h evidence.Held) error {
	k := custodyKey(h.Subject)
	var old entrusted
	if _, err := tx.Get(k); err == nil {
		if err := kv.GetJSON(tx, k, valueVersion, &old); err != nil {
			return err
		}
		if h.Own || !h.IssuedAt.After(old.At) {
			return nil
		}
	}
	return kv.PutJSON(tx, k, valueVersion, entrusted{organisation, h.Subject, h.String(), h.IssuedAt})
}

func (i *Issuer) inCustody() (all []entrusted, err error) {
	err = i.c.Store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefixCustody), func(_, value []byte) error {
			var e entrusted
			err := kv.DecodeJSON(value, valueVersion, &e)
			all = append(all, e)
			return err
		})
	})
	slices.SortFunc(all, func(a, b entrusted) int { return strings.Compare(a.URI, b.URI) })
	return all, err
}

// signOne signs the same list again, at the address that credentials refer to. Without a
// certificate nobody could tell who signed, and it would count for nothing.
func (i *Issuer) signOne(e entrusted, now time.Time) (signedOn, error) {
	last, err := statuslist.ParseToken(e.Last, statuslist.Limits{})
	if err != nil {
		return signedOn{}, err
	}
	claims := statuslist.TokenClaims{Subject: e.URI, IssuedAt: now, ExpiresAt: now.Add(i.c.StatusLifetime), TTL: i.c.PublishEvery}
	token, err := last.List.Token(i.c.StatusKey, jose.Header{KeyID: i.statusKeyID, X5C: rawChain(i.c.StatusChain)}, claims)
	if err != nil {
		return signedOn{}, err
	}
	return signedOn{token: token, List: statusarchive.List{
		URI: e.URI, Organisation: e.Organisation, Signer: i.c.Organisation, IssuedAt: now.Truncate(time.Second),
		ExpiresAt: claims.ExpiresAt.Truncate(time.Second), Digest: statusarchive.Digest(last.List), Days: 1,
	}}, nil
}

// custodyRoutes serve what is signed on.
func (i *Issuer) custodyRoutes(site *web.Site) {
	if i.c.Custody == nil {
		return
	}
	server := &statusarchive.Server{Archive: shelf{i}, MaxAge: min(time.Minute, i.c.PublishEvery), Report: func(err error) {
		i.c.Log.Error("the lists in custody could not be served", "error", err)
	}}
	site.Protocol.PathPrefix("/custody").Handler(web.CORS(http.StripPrefix("/custody", server)))
}

// shelf is what is published now. It implements [statusarchive.Archive].
type shelf struct{ i *Issuer }

func (s shelf) all() []signedOn {
	if p := s.i.custody.Load(); p != nil {
		return *p
	}
	return nil
}

// Lists implements [statusarchive.Archive].
func (s shelf) Lists(context.Context) (out []statusarchive.List, err error) {
	for _, l := range s.all() {
		out = append(out, l.List)
	}
	return out, nil
}

// Token implements [statusarchive.Archive]; what was is with the nodes.
func (s shelf) Token(_ context.Context, uri string, at time.Time) (string, error) {
	for _, l := range s.all() {
		if l.URI == uri && (at.IsZero() || !l.IssuedAt.After(at)) {
			return l.token, nil
		}
	}
	return "", statusarchive.ErrNotHeld
}

// Proof implements [statusarchive.Archive].
func (shelf) Proof(context.Context, string, string) ([]string, error) {
	return nil, statusarchive.ErrNotHeld
}
