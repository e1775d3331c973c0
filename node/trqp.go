package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/trqp"
)

// The actions that this region authorises for, in questions of TRQP.
const (
	actionIssue  = "issue"  // resource: a credential type
	actionVerify = "verify" // resource: a purpose
	actionHost   = "host"   // resource: "wallet"
	hostedWallet = "wallet"
)

// trqpRoutes answer the two questions of the Trust Registry Query Protocol about this region.
func (n *Node) trqpRoutes(r *mux.Router) {
	server := &trqp.Server{
		Registry: trustRegistry{n, n.mirrors.neighbours.List, n.cfg.Clock, func() string { return n.region().node(n.cfg.ID).URL }}, Clock: n.cfg.Clock,
		Report: func(_ context.Context, err error) { n.log.Error("request failed", "route", "/trqp/", "error", err) },
	}
	for _, question := range []string{"authorization", "recognition"} {
		r.Handle("/trqp/"+question, web.CORS(server))
	}
}

// trustRegistry is a copy of the registry as a [trqp.Registry].
type trustRegistry struct {
	copy  evidence.Copy
	peers func() []*evidence.Neighbour // copies of other regions; nil: none
	clock func() time.Time
	url   func() string // of the node
}

// Authorized implements [trqp.Registry]: was the organisation admitted, on that day.
func (t trustRegistry) Authorized(ctx context.Context, q trqp.Query) (trqp.Answer, error) {
	return t.answer(ctx, q, authorized)
}

// Recognized implements [trqp.Registry]: was the other region accepted, on that day.
func (t trustRegistry) Recognized(ctx context.Context, q trqp.Query) (trqp.Answer, error) {
	named := t.regionOf(ctx, q.Entity)
	return t.answer(ctx, q, func(v registry.View, q trqp.Query, at time.Time) (finding, error) {
		return recognized(v, named, q, at)
	})
}

// regionOf is the id of the region that is named by its entity identifier, which stands in its
// own log; "" when no copy here says so.
func (t trustRegistry) regionOf(ctx context.Context, entity string) (genesis string) {
	if t.peers == nil || !strings.Contains(entity, "://") {
		return ""
	}
	for _, p := range t.peers() {
		if p.Follower == nil {
			continue
		}
		found := ""
		err := p.Follower.Read(ctx, func(v registry.View, _ evidence.RegistryFacts) error {
			if sameEntity(v.Region(t.clock()).Entity) == sameEntity(entity) {
				found = p.Genesis
			}
			return nil
		})
		switch {
		case err != nil || found == "":
		case genesis != "" && genesis != found:
			return "" // two say that they are it, and nothing tells who is
		default:
			genesis = found
		}
	}
	return genesis
}

// finding is an answer with the event that it rests on.
type finding struct {
	yes     bool
	message string
	event   string
}

// answer reads the copy as far as its checkpoint goes, for a question to this region, and says
// where in the log the answer stands.
func (t trustRegistry) answer(ctx context.Context, q trqp.Query, find func(registry.View, trqp.Query, time.Time) (finding, error)) (a trqp.Answer, err error) {
	now := t.clock()
	at := q.Time
	if at.IsZero() {
		at = now
	}
	if at.After(now.Add(time.Minute)) {
		return a, &trqp.Problem{Status: http.StatusBadRequest, Title: "bad request", Detail: "what will be true later nobody knows; ask about the present or the past"}
	}
	err = t.copy.Read(ctx, func(v registry.View, facts evidence.RegistryFacts) error {
		if now.Sub(facts.Time) > maxPeerAge { // D11: who was withdrawn since is not known; a yes or no would be one too many
			return &trqp.Problem{Status: http.StatusServiceUnavailable, Title: "not known now", Detail: "this node has not heard from enough others for more than a week; ask another node of the region"}
		}
		region := v.Region(now)
		if q.Authority != region.Genesis && q.Authority != regionURN(region.Genesis) && (region.Entity == "" || q.Authority != region.Entity) {
			return trqp.NotKnown("this registry speaks for one region; name it by its entity identifier, or as %s", regionURN(region.Genesis))
		}
		found, err := find(v, q, at)
		if err != nil {
			return err
		}
		a = trqp.Answer{Yes: found.yes, Message: found.message, Log: &trqp.Log{Origin: region.Origin, Size: v.AsOf}}
		if index, ok := v.State.Leaf(found.event); ok && a.Yes && index < v.AsOf {
			a.Log.Index, a.Log.Proof = &index, fmt.Sprintf("%s/v1/proof/%d", t.url(), index)
		}
		return nil
	})
	if errors.Is(err, evidence.ErrNoCopy) {
		return a, &trqp.Problem{Status: http.StatusServiceUnavailable, Title: "not ready", Detail: registry.ErrNoLog.Detail}
	}
	return a, err
}

func authorized(v registry.View, q trqp.Query, at time.Time) (finding, error) {
	question := registry.Question{Lookup: entityLookup(q.Entity), At: at}
	purpose := ""
	switch q.Action {
	case actionIssue:
		question.Role, question.Type = registry.Issuer, q.Resource
		if t, err := paspoort.TypeOf(q.Resource); err == nil {
			question.Type = string(t) // the registry's short name
		}
	case actionVerify:
		question.Role, purpose = registry.Verifier, q.Resource
	case actionHost:
		question.Role = registry.WalletHost
		if q.Resource != hostedWallet {
			return finding{}, trqp.NotKnown("the only resource of action %q is %q", actionHost, hostedWallet)
		}
	default:
		return finding{}, trqp.NotKnown("the actions of this region are %q, %q and %q", actionIssue, actionVerify, actionHost)
	}
	answer, err := v.Admission(question)
	if err == nil && answer.Code == registry.CodeType && question.Type != q.Resource {
		question.Type = q.Resource // or the type's full name
		answer, err = v.Admission(question)
	}
	if err != nil {
		return finding{}, err
	}
	if answer.Organisation == nil || answer.Organisation.Since == 0 {
		return finding{}, trqp.NotKnown("no organisation with this identifier was known here at that time")
	}
	out := finding{yes: answer.Admitted, message: string(answer.Code)}
	if answer.Grant == nil {
		return out, nil
	}
	out.event = answer.Grant.Event
	switch {
	case answer.Admitted && purpose != "" && !slices.Contains(answer.Grant.Purposes, purpose):
		out.yes, out.message = false, "admitted, for other purposes"
	case answer.Admitted:
		out.message = "admitted from " + day(answer.Since) + " until " + day(answer.Until)
	case answer.Withdrawn != nil:
		out.message = "withdrawn with effect from " + day(answer.Withdrawn.EffectiveFrom) + ", decided " + day(answer.Withdrawn.Decided)
	}
	return out, nil
}

func day(t int64) string { return unix(t).Format(time.DateOnly) }

// entityLookup finds out by which of its names an organisation is meant.
func entityLookup(id string) registry.Lookup {
	id = strings.TrimPrefix(id, "urn:paspoort:organisation:")
	switch {
	case strings.HasPrefix(id, "did:"):
		return registry.Lookup{DID: id}
	case strings.HasPrefix(id, "org_"):
		return registry.Lookup{Organisation: id}
	}
	return registry.Lookup{URL: id}
}

// recognized answers for regions by their id, by their entity identifier (named is whose it is), or
// by the address of one of their nodes.
func recognized(v registry.View, named string, q trqp.Query, at time.Time) (finding, error) {
	if q.Action != actionIssue {
		return finding{}, trqp.NotKnown("other regions are recognised for action %q only", actionIssue)
	}
	id := strings.TrimPrefix(q.Entity, regionURN(""))
	for _, p := range v.Peers(at) {
		if p.Genesis != id && p.Genesis != named && !slices.Contains(p.URLs, q.Entity) {
			continue
		}
		out := finding{yes: p.State == registry.PeerAccepted && p.Relies(q.Resource), event: p.Event}
		switch {
		case out.yes:
			out.message = "accepted from " + day(p.Since) + " until " + day(p.Until)
		case p.State == registry.PeerAccepted:
			out.message = "accepted, for other credential types"
		default:
			out.message = "accepted once; now: " + string(p.State)
		}
		return out, nil
	}
	return finding{}, trqp.NotKnown("no other region with this identifier was accepted here by that time")
}
