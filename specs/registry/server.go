package registry

import (
	"encoding/binary"
	"errors"
	"net/http"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// ServerConfig is what a node brings to the server half of the protocol.
type ServerConfig struct {
	Reader     Reader
	Log        Log
	Writer     Writer
	Timestamps Timestamper // nil: this node gives no timestamps
	Now        func() time.Time
}

// maxLeavesAnswer bounds one answer of /v1/leaves.
const maxLeavesAnswer = 4096

// NewServer is the handler of the registry's part of a node's API, under /v1/. Tiles, pages and
// what else a node offers are the node's.
func NewServer(c ServerConfig) http.Handler {
	s := server{c}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/events", s.submit)
	mux.HandleFunc("GET /v1/events/{id}", s.event)
	mux.HandleFunc("GET /v1/organisations", s.organisations)
	mux.HandleFunc("GET /v1/organisations/{id}", s.organisation)
	mux.HandleFunc("GET /v1/admission", s.admission)
	mux.HandleFunc("GET /v1/hobbels", s.hobbels)
	mux.HandleFunc("GET /v1/region", s.region)
	mux.HandleFunc("GET /v1/proposals", s.proposals)
	mux.HandleFunc("GET /v1/proposals/{id}", s.progress)
	mux.HandleFunc("GET /v1/ending", s.ending)
	s.listingRoutes(mux)
	s.outsideRoutes(mux)
	mux.HandleFunc("GET /v1/head", s.head)
	mux.HandleFunc("GET /v1/snapshot", s.snapshot)
	mux.HandleFunc("GET /v1/checkpoint", s.checkpoint)
	mux.HandleFunc("GET /v1/handovers", s.handovers)
	mux.HandleFunc("GET /v1/leaves", s.leaves)
	mux.HandleFunc("GET /v1/payloads", s.payloads)
	mux.HandleFunc("POST /v1/timestamp", s.timestamp)
	return mux
}

type server struct{ ServerConfig }

func (s server) submit(w http.ResponseWriter, r *http.Request) {
	raw, err := readBody(w, r, MaxSubmission)
	if err != nil {
		fail(w, err)
		return
	}
	sub, err := ParseSubmission(raw)
	if err != nil {
		fail(w, err)
		return
	}
	out, err := s.Writer.Submit(r.Context(), sub)
	if err != nil {
		fail(w, err)
		return
	}
	if err := out.Err(); err != nil {
		answer(w, statusOf(err), out)
		return
	}
	answer(w, http.StatusOK, out)
}

// view reads at, asof and consistency, and runs fn on a view of that.
func (s server) view(w http.ResponseWriter, r *http.Request, fn func(View, ReadInfo, time.Time) (any, error)) {
	q := r.URL.Query()
	at, err := parseTime(q.Get("at"), s.Now())
	if err != nil {
		fail(w, err)
		return
	}
	asof, err := parseNumber(q.Get("asof"))
	if err != nil {
		fail(w, err)
		return
	}
	c := Consistency(q.Get("consistency"))
	if c == "" {
		c = Stale
	}
	if c != Stale && c != Linearizable {
		fail(w, ErrRequest.with("consistency is stale or linearizable"))
		return
	}
	var out any
	err = s.Reader.View(r.Context(), c, func(v View, info ReadInfo) error {
		if v.State.Size() > 0 || asof > 0 {
			past, err := v.State.AsOf(asof)
			if err != nil {
				return err
			}
			v.AsOf = past.AsOf
		}
		var err error
		out, err = fn(v, info, at)
		return err
	})
	if err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusOK, out)
}

func (s server) organisations(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		return OrganisationsAnswer{v.Organisations(at), info}, nil
	})
}

func (s server) organisation(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		o, err := v.Organisation(r.PathValue("id"), at)
		if err != nil {
			return nil, ErrNotFound.with("no organisation with this id")
		}
		return OrganisationAnswer{v.moment(at), o, v.Certificates(o.ID), info}, nil
	})
}

func (s server) admission(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		a, err := v.Admission(Question{Role: Role(q.Get("role")), Type: q.Get("type"), At: at, Lookup: Lookup{
			Organisation: q.Get("organisation"), URL: q.Get("url"), DID: q.Get("did"), Host: q.Get("host"),
			Certificate: q.Get("certificate"), SPKI: q.Get("spki"),
		}})
		return AdmissionAnswer{a, info}, err
	})
}

func (s server) hobbels(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		return HobbelsAnswer{v.Hobbels(at), info}, nil
	})
}

func (s server) region(w http.ResponseWriter, r *http.Request) {
	s.view(w, r, func(v View, info ReadInfo, at time.Time) (any, error) {
		return RegionAnswer{v.Region(at), info}, nil
	})
}

func (s server) head(w http.ResponseWriter, r *http.Request) {
	subject := r.URL.Query().Get("subject")
	s.view(w, r, func(v View, _ ReadInfo, _ time.Time) (any, error) {
		return HeadAnswer{
			Genesis: v.State.Genesis(), Subject: subject, Head: v.State.Head(subject),
			Rules: v.State.Rules(), LogTime: v.State.logTime,
		}, nil
	})
}

// snapshot sends the leaves under the newest checkpoint, with that checkpoint.
func (s server) snapshot(w http.ResponseWriter, r *http.Request) {
	out := &lateWriter{w: w}
	if err := WriteSnapshot(r.Context(), s.Log, out); err != nil && !out.begun {
		fail(w, err)
	}
	// Later errors cut the file off; it says itself how many leaves it has.
}

// lateWriter names the type of the file when the first of it comes.
type lateWriter struct {
	w     http.ResponseWriter
	begun bool
}

func (l *lateWriter) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		h := l.w.Header()
		h.Set("Content-Type", "application/vnd.paspoort.registry-snapshot")
		h.Set("Content-Disposition", `attachment; filename="registry.snapshot"`)
	}
	return l.w.Write(p)
}

func (s server) checkpoint(w http.ResponseWriter, r *http.Request) {
	note, err := s.Log.Checkpoint(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(note)
}

func (s server) handovers(w http.ResponseWriter, r *http.Request) {
	notes, err := s.Log.Handovers(r.Context())
	if err != nil {
		fail(w, err)
		return
	}
	out := HandoversAnswer{Handovers: []string{}}
	for _, note := range notes {
		out.Handovers = append(out.Handovers, string(note))
	}
	answer(w, http.StatusOK, out)
}

// leaves sends leaves behind 2 bytes length each, as an entry bundle of tlog-tiles.
func (s server) leaves(w http.ResponseWriter, r *http.Request) {
	from, err1 := parseNumber(r.URL.Query().Get("from"))
	to, err2 := parseNumber(r.URL.Query().Get("to"))
	if err := errors.Join(err1, err2); err != nil || to <= from {
		fail(w, ErrRequest.with("ask for leaves from one index to a larger one"))
		return
	}
	leaves, err := s.Log.Leaves(r.Context(), from, min(to, from+maxLeavesAnswer))
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	for _, leaf := range leaves {
		if _, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(leaf))), leaf...)); err != nil {
			return // the client's connection
		}
	}
}

func (s server) timestamp(w http.ResponseWriter, r *http.Request) {
	if s.Timestamps == nil {
		fail(w, ErrNotFound.with("this node gives no timestamps"))
		return
	}
	raw, err := readBody(w, r, 1024)
	if err != nil {
		fail(w, err)
		return
	}
	var q TimestampRequest
	if err := ijson.UnmarshalClosed(raw, &q); err != nil {
		fail(w, ErrRequest.with("a timestamp is asked for with {\"commitment\": ...}"))
		return
	}
	commitment, err := decode64(q.Commitment, 32)
	if err != nil {
		fail(w, ErrRequest.with("the commitment is 32 bytes in base64url"))
		return
	}
	jws, err := s.Timestamps.Timestamp(r.Context(), [32]byte(commitment))
	if err != nil {
		fail(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	answer(w, http.StatusOK, TimestampAnswer{jws})
}
