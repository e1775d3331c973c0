package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/tlog"
)

// Client is the client half of the protocol, for one node. Its answers are the node's word,
// except what [Client.Follow] replays.
type Client struct {
	HTTP Doer
	URL  string // of the node, without trailing slash
}

// Limits of answers.
const (
	maxAnswer   = 8 << 20
	leavesChunk = 1024
)

// Submit sends an event. A refusal of the registry is returned as error (*[Refusal]) together
// with the outcome.
func (c Client) Submit(ctx context.Context, s Submission) (Outcome, error) {
	raw, err := s.Marshal()
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	err = c.post(ctx, "/v1/events", raw, &out)
	if err == nil && out.Event != s.Event.Event.ID() {
		return out, ErrResponse.with("the outcome is of another event")
	}
	return out, err
}

// Outcome asks what became of an event.
func (c Client) Outcome(ctx context.Context, event string) (Outcome, error) {
	var out Outcome
	return out, c.get(ctx, "/v1/events/"+url.PathEscape(event), nil, &out)
}

// When limits a read in time.
type When struct {
	At          time.Time // zero: now
	AsOf        uint64    // 0: all leaves
	Consistency Consistency
}

func (w When) values() url.Values {
	q := url.Values{}
	if !w.At.IsZero() {
		q.Set("at", w.At.UTC().Format(time.RFC3339))
	}
	if w.AsOf != 0 {
		q.Set("asof", strconv.FormatUint(w.AsOf, 10))
	}
	if w.Consistency != "" {
		q.Set("consistency", string(w.Consistency))
	}
	return q
}

// Organisations asks for all organisations.
func (c Client) Organisations(ctx context.Context, w When) (OrganisationsAnswer, error) {
	var out OrganisationsAnswer
	return out, c.get(ctx, "/v1/organisations", w.values(), &out)
}

// Organisation asks for one organisation by id.
func (c Client) Organisation(ctx context.Context, id string, w When) (OrganisationAnswer, error) {
	var out OrganisationAnswer
	return out, c.get(ctx, "/v1/organisations/"+url.PathEscape(id), w.values(), &out)
}

// Admission asks whether an organisation is admitted.
func (c Client) Admission(ctx context.Context, q Question, w When) (AdmissionAnswer, error) {
	v := w.values()
	if !q.At.IsZero() {
		v.Set("at", q.At.UTC().Format(time.RFC3339))
	}
	for name, value := range map[string]string{
		"organisation": q.Lookup.Organisation, "url": q.Lookup.URL, "did": q.Lookup.DID, "host": q.Lookup.Host,
		"certificate": q.Lookup.Certificate, "spki": q.Lookup.SPKI, "role": string(q.Role), "type": q.Type,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	var out AdmissionAnswer
	return out, c.get(ctx, "/v1/admission", v, &out)
}

// Hobbels asks for the hobbels.
func (c Client) Hobbels(ctx context.Context, w When) (HobbelsAnswer, error) {
	var out HobbelsAnswer
	return out, c.get(ctx, "/v1/hobbels", w.values(), &out)
}

// Region asks for the charter, members and nodes.
func (c Client) Region(ctx context.Context, w When) (RegionAnswer, error) {
	var out RegionAnswer
	return out, c.get(ctx, "/v1/region", w.values(), &out)
}

// Proposals asks for the proposals.
func (c Client) Proposals(ctx context.Context, w When) (ProposalsAnswer, error) {
	var out ProposalsAnswer
	return out, c.get(ctx, "/v1/proposals", w.values(), &out)
}

// Head asks what the next event about a subject must name as its predecessor.
func (c Client) Head(ctx context.Context, subject string) (HeadAnswer, error) {
	var out HeadAnswer
	return out, c.get(ctx, "/v1/head", url.Values{"subject": {subject}, "consistency": {string(Linearizable)}}, &out)
}

// Timestamp asks for a signed time over a commitment.
func (c Client) Timestamp(ctx context.Context, commitment [32]byte) (string, error) {
	raw, err := ijson.Canonical(TimestampRequest{b64.EncodeToString(commitment[:])})
	if err != nil {
		return "", err
	}
	var out TimestampAnswer
	err = c.post(ctx, "/v1/timestamp", raw, &out)
	return out.Timestamp, err
}

// Checkpoint asks for the newest counting checkpoint.
func (c Client) Checkpoint(ctx context.Context) ([]byte, error) {
	return c.bytes(ctx, "/v1/checkpoint", nil, tlog.MaxNote)
}

// Handovers asks for the checkpoints at which the nodes changed.
func (c Client) Handovers(ctx context.Context) ([][]byte, error) {
	var out HandoversAnswer
	if err := c.get(ctx, "/v1/handovers", nil, &out); err != nil {
		return nil, err
	}
	notes := make([][]byte, len(out.Handovers))
	for i, note := range out.Handovers {
		notes[i] = []byte(note)
	}
	return notes, nil
}

// Leaves asks for leaves from one index up to another; the node may send fewer.
func (c Client) Leaves(ctx context.Context, from, to uint64) ([][]byte, error) {
	q := url.Values{"from": {strconv.FormatUint(from, 10)}, "to": {strconv.FormatUint(min(to, from+leavesChunk), 10)}}
	raw, err := c.bytes(ctx, "/v1/leaves", q, leavesChunk*(MaxLeaf+2))
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for len(raw) > 0 {
		if len(raw) < 2 || len(raw)-2 < int(raw[0])<<8|int(raw[1]) {
			return nil, ErrResponse.with("the leaves are cut off")
		}
		n := int(raw[0])<<8 | int(raw[1])
		out, raw = append(out, raw[2:2+n]), raw[2+n:]
	}
	if uint64(len(out)) > to-from {
		return nil, ErrResponse.with("more leaves than asked for")
	}
	return out, nil
}

// Snapshot asks for the registry in one file.
func (c Client) Snapshot(ctx context.Context) (Snapshot, error) {
	res, err := c.do(ctx, http.MethodGet, "/v1/snapshot", nil, nil)
	if err != nil {
		return Snapshot{}, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return Snapshot{}, refusalOf(res)
	}
	return ReadSnapshot(res.Body)
}

// Follow brings a replica up to the node's newest checkpoint, by way of the handovers between
// that and what the replica has. The replica is left at the last checkpoint that it could
// take. It returns the leaves that it took.
func (c Client) Follow(ctx context.Context, r *Replica) (leaves [][]byte, err error) {
	handovers, err := c.Handovers(ctx)
	if err != nil {
		return nil, err
	}
	newest, err := c.Checkpoint(ctx)
	if err != nil {
		return nil, err
	}
	end, err := noteSize(newest)
	if err != nil {
		return nil, err
	}
	for _, note := range append(handovers, newest) {
		size, err := noteSize(note)
		if err != nil {
			return leaves, err
		}
		if size <= r.Size() && !bytes.Equal(note, newest) || size > end {
			continue
		}
		if size < r.Size() {
			return leaves, ErrCheckpoint.with("the node is behind: it has %d leaves, here are %d", size, r.Size())
		}
		more, err := c.leavesUpTo(ctx, r.Size(), size)
		if err != nil {
			return leaves, err
		}
		if err := r.Extend(more, note); err != nil {
			return leaves, err
		}
		leaves = append(leaves, more...)
	}
	return leaves, nil
}

func (c Client) leavesUpTo(ctx context.Context, from, to uint64) ([][]byte, error) {
	var out [][]byte
	for from < to {
		more, err := c.Leaves(ctx, from, to)
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			return nil, ErrResponse.with("the node has fewer leaves than its checkpoint")
		}
		out, from = append(out, more...), from+uint64(len(more))
	}
	return out, nil
}

func noteSize(note []byte) (uint64, error) {
	c, err := tlog.PeekCheckpoint(note)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return c.Size, nil
}

func (c Client) post(ctx context.Context, path string, body []byte, out any) error {
	res, err := c.do(ctx, http.MethodPost, path, nil, body)
	if err != nil {
		return err
	}
	return decodeAnswer(res, out)
}

func (c Client) get(ctx context.Context, path string, q url.Values, out any) error {
	res, err := c.do(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return err
	}
	return decodeAnswer(res, out)
}

func (c Client) bytes(ctx context.Context, path string, q url.Values, limit int64) ([]byte, error) {
	res, err := c.do(ctx, http.MethodGet, path, q, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return nil, refusalOf(res)
	}
	return readLimited(res.Body, limit)
}

func (c Client) do(ctx context.Context, method, path string, q url.Values, body []byte) (*http.Response, error) {
	target := c.URL + path
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target, r)
	if err != nil {
		return nil, fmt.Errorf("ask registry node: %w", err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask registry node: %w", err)
	}
	return res, nil
}

func decodeAnswer(res *http.Response, out any) error {
	defer func() { _ = res.Body.Close() }()
	raw, err := readLimited(res.Body, maxAnswer)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		_ = ijson.Unmarshal(raw, out) // an outcome tells more than the refusal; best effort
		return refusalIn(raw, res.StatusCode)
	}
	if err := ijson.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("%w: %w", ErrResponse, err)
	}
	return nil
}

func refusalOf(res *http.Response) error {
	raw, err := readLimited(res.Body, 64<<10)
	if err != nil {
		return err
	}
	return refusalIn(raw, res.StatusCode)
}

func refusalIn(raw []byte, status int) error {
	var r struct {
		Code   string `json:"error"`
		Detail string `json:"error_description"`
	}
	if err := ijson.Unmarshal(raw, &r); err != nil || r.Code == "" {
		return ErrResponse.with("status %d", status)
	}
	return &Refusal{Code: r.Code, Detail: r.Detail}
}

func readLimited(r io.Reader, limit int64) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("ask registry node: %w", err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%w: %w", ErrResponse, errors.New("answer too long"))
	}
	return raw, nil
}
