package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/tlog"
)

// question is one thing that is asked of a node and that follows from the log as well. both gives
// the node's answer and ours about the first size leaves.
type question struct {
	about paspoort.Text
	both  func(size uint64) (got, want any, err error)
}

// answers compares what a node answers about the first size leaves with what the log says.
func (a *audit) answers(ctx context.Context, n registry.NodeRecord, size uint64, report *NodeReport) error {
	client := registry.Client{HTTP: a.config.Client, URL: n.URL}
	payloads, err := a.payloads(ctx, client, n.ID)
	if err != nil {
		return err
	}
	when := a.config.Now().UTC().Truncate(time.Second)
	var failed error
	for _, q := range a.questions(ctx, client, payloads, when, size) {
		equal, err := q.holds(size)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", q.about.EN, err))
			continue
		}
		if report.Answers++; equal {
			continue
		}
		f := Finding{Code: FalseAnswer, Node: n.ID, Detail: q.about.EN, Text: paspoort.Text{
			NL: textFalseAnswer.NL + " Het gaat om " + q.about.NL + ".", EN: textFalseAnswer.EN + " It is about " + q.about.EN + "."}}
		f.Leaf, f.Kind, f.Since = a.firstFalse(ctx, q, size)
		a.add(f)
	}
	return errors.Join(failed, a.today(ctx, asker{ctx, client, a.replay.state, payloads, when}, n.ID, size, report))
}

// holds says whether a node's answer is ours.
func (q question) holds(size uint64) (bool, error) {
	got, want, err := q.both(size)
	if err != nil {
		return false, err
	}
	g, err1 := ijson.Canonical(got)
	w, err2 := ijson.Canonical(want)
	return bytes.Equal(g, w), errors.Join(err1, err2)
}

// firstFalse finds the entry from which on a node answers falsely: by asking again what it says
// about fewer leaves.
func (a *audit) firstFalse(ctx context.Context, q question, size uint64) (leaf *uint64, kind registry.Kind, since time.Time) {
	first := uint64(sort.Search(int(size-1), func(n int) bool {
		equal, err := q.holds(uint64(n) + 1)
		return err == nil && !equal
	})) // index of the leaf whose coming makes it false
	if l, err := readLeaf(ctx, a.config.Source, first, a.replay.Size()); err == nil {
		kind, since = l.Event.Kind, time.Unix(l.LogTime, 0).UTC()
	}
	return &first, kind, since
}

// readLeaf reads one entry of a log of size leaves.
func readLeaf(ctx context.Context, s Source, index, size uint64) (registry.Leaf, error) {
	f := fetchBundle(ctx, s, index/tlog.TileWidth, size, false)
	if i := int(index % tlog.TileWidth); f.err == nil && i < len(f.entries) {
		return registry.ParseLeaf(f.entries[i])
	}
	return registry.Leaf{}, errors.Join(errors.New("no such entry"), f.err)
}

// payloads are those of one-person firms that a node shows. It adds a finding for one that the
// region decided to erase: that may be nowhere any more.
func (a *audit) payloads(ctx context.Context, client registry.Client, node string) (*registry.Payloads, error) {
	list, err := client.Payloads(ctx)
	if err != nil {
		return nil, err
	}
	out, view := &registry.Payloads{}, a.replay.state.View()
	for _, p := range list {
		if !view.Awaits(p.Commitment) {
			a.add(Finding{Code: Shown, Node: node, Text: textShown})
			break
		}
		if err := out.AddOpen(p); err != nil {
			a.add(Finding{Code: FalseAnswer, Node: node, Detail: err.Error(), Text: textFalseAnswer})
			break
		}
	}
	return out, nil
}

// asker asks one node, and answers for the log.
type asker struct {
	ctx      context.Context
	client   registry.Client
	state    *registry.State
	payloads *registry.Payloads
	at       time.Time
}

func (q asker) when(size uint64) registry.When { return registry.When{At: q.at, AsOf: size} }

func (q asker) view(size uint64) registry.View {
	v, err := q.state.AsOf(size)
	if err != nil { // of more leaves than there are, which nobody asks
		v = q.state.View()
	}
	v.Payloads = q.payloads
	return v
}

// questions are those about the whole, and about a sample of organisations.
func (a *audit) questions(ctx context.Context, client registry.Client, payloads *registry.Payloads, at time.Time, size uint64) []question {
	q := asker{ctx, client, a.replay.state, payloads, at}
	out := q.lists()
	all := q.view(size).Organisations(at).Organisations
	if len(all) <= wholeList {
		out = append(out, question{paspoort.Text{NL: "de lijst van organisaties", EN: "the list of organisations"}, func(size uint64) (any, any, error) {
			got, err := client.Organisations(ctx, q.when(size))
			return got.OrganisationList, q.view(size).Organisations(at), err
		}})
	}
	for _, i := range a.sample(len(all)) {
		id := all[i].ID
		out = append(out, question{paspoort.Text{NL: "organisatie " + id, EN: "organisation " + id}, func(size uint64) (any, any, error) {
			return organisation(ctx, client, id, q.when(size), q.view(size))
		}})
	}
	return out
}

// lists are the questions that have one answer for the whole region.
func (q asker) lists() []question {
	out := []question{
		{paspoort.Text{NL: "de regio en haar leden", EN: "the region and its members"}, func(size uint64) (any, any, error) {
			got, err := q.client.Region(q.ctx, q.when(size))
			return got.Region, q.view(size).Region(q.at), err
		}},
		{paspoort.Text{NL: "de hobbels", EN: "the hobbels"}, func(size uint64) (any, any, error) {
			got, err := q.client.Hobbels(q.ctx, q.when(size))
			return got.HobbelList, q.view(size).Hobbels(q.at), err
		}},
		{paspoort.Text{NL: "de voorstellen", EN: "the proposals"}, func(size uint64) (any, any, error) {
			got, err := q.client.Proposals(q.ctx, q.when(size))
			return got.Proposals, q.view(size).Proposals(), err
		}},
		{paspoort.Text{NL: "de functies", EN: "the job profiles"}, func(size uint64) (any, any, error) {
			got, _, err := q.client.AllFunctions(q.ctx, q.when(size))
			return listed(got), listed(q.view(size).Functions(registry.ListingQuery{}, q.at).Items), err
		}},
		{paspoort.Text{NL: "de modules", EN: "the modules"}, func(size uint64) (any, any, error) {
			got, _, err := q.client.AllModules(q.ctx, q.when(size))
			return listed(got), listed(q.view(size).Modules(registry.ListingQuery{}, q.at).Items), err
		}},
	}
	if q.state.Rules() < 3 {
		return out // and nodes may be older than the questions that follow
	}
	return append(out,
		question{paspoort.Text{NL: "de erkende regio's", EN: "the accepted regions"}, func(size uint64) (any, any, error) {
			got, err := q.client.Peers(q.ctx, q.when(size))
			return got.Peers, q.view(size).Peers(q.at), err
		}},
		question{paspoort.Text{NL: "de getuigen", EN: "the witnesses"}, func(size uint64) (any, any, error) {
			got, err := q.client.Witnesses(q.ctx, q.when(size))
			return got.Witnesses, q.view(size).Witnesses(), err
		}},
		question{paspoort.Text{NL: "wie lijsten van anderen bijhoudt", EN: "who keeps the lists of others"}, func(size uint64) (any, any, error) {
			got, err := q.client.Custodians(q.ctx, q.when(size))
			return got.Custodians, q.view(size).Custodians(q.at), err
		}},
	)
}

// listed makes no list and an empty one the same.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// wholeList is how many organisations are asked for in one list; of more only a sample is.
const wholeList = 2000

// organisation is what a node and the log say of one organisation, with what it was admitted to.
func organisation(ctx context.Context, client registry.Client, id string, when registry.When, view registry.View) (got, want any, err error) {
	type whole struct {
		Organisation registry.Organisation
		Certificates []registry.CertificateFact
		Admitted     []registry.Answer
	}
	var theirs, ours whole
	answer, err := client.Organisation(ctx, id, when)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		return nil, nil, err
	}
	theirs.Organisation, theirs.Certificates = answer.Organisation, answer.Certificates
	if o, err := view.Organisation(id, when.At); err == nil {
		ours.Organisation, ours.Certificates = o, view.Certificates(id)
	}
	for _, role := range ours.Organisation.Roles {
		q := registry.Question{Lookup: registry.Lookup{Organisation: id}, Role: role.Role, At: when.At}
		said, err := client.Admission(ctx, q, when)
		if err != nil {
			return nil, nil, err
		}
		follows, err := view.Admission(q)
		if err != nil {
			return nil, nil, err
		}
		theirs.Admitted, ours.Admitted = append(theirs.Admitted, said.Answer), append(ours.Admitted, follows)
	}
	return theirs, ours, nil
}

// sample are some of n things: all when there are few.
func (a *audit) sample(n int) []int {
	if n <= a.config.Sample || a.config.Rand == nil {
		out := make([]int, min(n, a.config.Sample))
		for i := range out {
			out[i] = i
		}
		return out
	}
	return a.config.Rand.Perm(n)[:a.config.Sample]
}
