package trqp

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// What is accepted at most.
const (
	MaxBytes      = 64 << 10 // of a question or an answer
	maxIdentifier = 2000
	maxDepth      = 8
)

// ErrMessage: what was sent is no question, or no answer, of the protocol.
var ErrMessage = errors.New("trqp: not a message of the protocol")

// Query is a question; which of the two, the address says.
type Query struct {
	Entity    string // entity_id: whom it is about
	Authority string // authority_id: whose word is asked
	Action    string
	Resource  string
	Time      time.Time         // context.time; zero: now
	Context   map[string]string // other members of context; nil: none
}

// Answer is an answer to either question.
type Answer struct {
	Query
	Yes       bool      // authorized, or recognized
	Evaluated time.Time // time_evaluated: when the server looked
	Message   string    // for people
	Log       *Log      // ours: where the proof is; nil: none
}

// Log says which entry of a public log the answer rests on. It is an addition of ours, which
// 2.0 leaves room for ("adding new OPTIONAL fields").
type Log struct {
	Origin string  `json:"origin"`          // of the log
	Size   uint64  `json:"size"`            // leaves that the answer took into account
	Index  *uint64 `json:"index,omitempty"` // of the event behind a yes
	Proof  string  `json:"proof,omitempty"` // address of its tlog-proof
}

// wire is the JSON of all four messages; members that do not belong to one are absent.
type wire struct {
	Entity     string         `json:"entity_id"`
	Authority  string         `json:"authority_id"`
	Action     string         `json:"action"`
	Resource   string         `json:"resource"`
	Authorized *bool          `json:"authorized,omitempty"`
	Recognized *bool          `json:"recognized,omitempty"`
	Requested  string         `json:"time_requested,omitempty"`
	Evaluated  string         `json:"time_evaluated,omitempty"`
	Message    string         `json:"message,omitempty"`
	Context    map[string]any `json:"context,omitempty"`
	Log        *Log           `json:"paspoort_log,omitempty"`
}

func (q Query) wire() wire {
	w := wire{Entity: q.Entity, Authority: q.Authority, Action: q.Action, Resource: q.Resource}
	if q.Time.IsZero() && len(q.Context) == 0 {
		return w
	}
	w.Context = map[string]any{}
	for name, value := range q.Context {
		w.Context[name] = value
	}
	if !q.Time.IsZero() {
		w.Context["time"] = stamp(q.Time)
	}
	return w
}

// Marshal encodes the question.
func (q Query) Marshal() ([]byte, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	return ijson.Marshal(q.wire())
}

// ParseQuery reads a question. Its error wraps [ErrMessage] and says what to send instead.
func ParseQuery(raw []byte) (Query, error) {
	var w wire
	if err := (ijson.Limits{Depth: maxDepth, Bytes: MaxBytes}).Unmarshal(raw, &w); err != nil {
		return Query{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	return w.query()
}

func (w wire) query() (Query, error) {
	q := Query{Entity: w.Entity, Authority: w.Authority, Action: w.Action, Resource: w.Resource}
	for name, value := range w.Context {
		text, ok := value.(string)
		switch {
		case name == "time" && !ok:
			return Query{}, fmt.Errorf("%w: context.time is a text", ErrMessage)
		case name == "time":
			at, err := parseTime(text)
			if err != nil {
				return Query{}, err
			}
			q.Time = at
		case ok: // "a context member it does not recognize MUST [be] ignore[d]": one that is no text cannot even be repeated
			if q.Context == nil {
				q.Context = map[string]string{}
			}
			q.Context[name] = text
		}
	}
	return q, q.check()
}

// parseTime reads RFC 3339 "using only Z (+00:00) offset", as the schema says.
func parseTime(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil || !strings.HasSuffix(text, "Z") && !strings.HasSuffix(text, "+00:00") {
		return time.Time{}, fmt.Errorf("%w: a time is RFC 3339 in UTC, such as 2026-06-19T11:30:00Z", ErrMessage)
	}
	if at.IsZero() {
		return time.Time{}, fmt.Errorf("%w: the time lies too far back", ErrMessage)
	}
	return at.UTC(), nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// check: "All identifiers MUST be represented as single strings conforming to RFC 3986"; action
// and resource are not empty.
func (q Query) check() error {
	for name, id := range map[string]string{"entity_id": q.Entity, "authority_id": q.Authority, "action": q.Action, "resource": q.Resource} {
		if id == "" || len(id) > maxIdentifier || strings.ContainsFunc(id, notInURI) {
			return fmt.Errorf("%w: %s is an identifier as RFC 3986 has them", ErrMessage, name)
		}
		if _, err := url.Parse(id); err != nil && (name == "entity_id" || name == "authority_id") {
			return fmt.Errorf("%w: %s is not a URI", ErrMessage, name)
		}
	}
	if len(q.Context) > 16 {
		return fmt.Errorf("%w: the context has at most 16 members", ErrMessage)
	}
	if _, twice := q.Context["time"]; twice {
		return fmt.Errorf("%w: the time stands in a field of its own", ErrMessage)
	}
	return nil
}

// notInURI says whether a character never stands in a URI (RFC 3986 2).
func notInURI(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"<>\\^`{|}", r) }

// marshal encodes an answer to the question of a kind.
func (a Answer) marshal(k kind) ([]byte, error) {
	w := a.Query.wire()
	w.Evaluated, w.Message, w.Log = stamp(a.Evaluated), a.Message, a.Log
	if !a.Time.IsZero() {
		w.Requested = stamp(a.Time)
	}
	if k == authorization {
		w.Authorized = &a.Yes
	} else {
		w.Recognized = &a.Yes
	}
	return ijson.Marshal(w)
}

// parseAnswer reads an answer to a question of a kind, and holds it to that question.
func parseAnswer(raw []byte, k kind) (Answer, error) {
	var w wire
	if err := (ijson.Limits{Depth: maxDepth, Bytes: MaxBytes}).Unmarshal(raw, &w); err != nil {
		return Answer{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	yes := w.Recognized
	if k == authorization {
		yes = w.Authorized
	}
	if yes == nil {
		return Answer{}, fmt.Errorf("%w: the answer is neither yes nor no", ErrMessage)
	}
	q, err := w.query()
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Query: q, Yes: *yes, Message: w.Message, Log: w.Log}
	if a.Evaluated, err = parseTime(w.Evaluated); err != nil {
		return Answer{}, err
	}
	if w.Requested != "" {
		if a.Time, err = parseTime(w.Requested); err != nil {
			return Answer{}, err
		}
	}
	return a, nil
}

// kind is which of the questions.
type kind string

const (
	authorization kind = "authorization"
	recognition   kind = "recognition"
)
