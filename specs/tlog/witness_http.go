package tlog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// Doer sends an HTTP request; *http.Client is one. Timeouts, redirects and which addresses
// may be reached are its affair.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

const (
	sizeType   = "text/x.tlog.size" // of a 409
	noteType   = "text/plain; charset=utf-8"
	maxAnswer  = 64 << 10 // signature lines, or a size
	maxWitness = MaxNote  // a latest checkpoint
)

// ErrWitnessAnswer says that a witness answered with something that tlog-witness does not
// know, or without a cosignature of its key.
var ErrWitnessAnswer = errors.New("bad answer of the witness")

// ServeHTTP answers POST add-checkpoint and, for monitors, GET <origin hash>/checkpoint, below
// one prefix, which the caller strips.
func (w *WitnessServer) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/")
	method, serve := http.MethodPost, w.serveAdd
	if path != "add-checkpoint" {
		hash, ok := strings.CutSuffix(path, "/checkpoint")
		if !ok || len(hash) != 2*HashSize || strings.Trim(hash, "0123456789abcdef") != "" {
			http.NotFound(rw, r)
			return
		}
		method, serve = http.MethodGet, func(rw http.ResponseWriter, r *http.Request) { w.serveLatest(rw, r, hash) }
	}
	if r.Method != method {
		rw.Header().Set("Allow", method)
		http.Error(rw, "use "+method, http.StatusMethodNotAllowed)
		return
	}
	serve(rw, r)
}

func (w *WitnessServer) serveAdd(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxAddCheckpoint))
	if err != nil {
		http.Error(rw, "the request cannot be read or is too large", http.StatusBadRequest)
		return
	}
	a, err := ParseAddCheckpoint(body)
	var line string
	if err == nil {
		line, err = w.Add(r.Context(), a)
	}
	if err != nil {
		refuseWitness(rw, err)
		return
	}
	rw.Header().Set("Content-Type", noteType)
	fmt.Fprintln(rw, line)
}

func (w *WitnessServer) serveLatest(rw http.ResponseWriter, r *http.Request, originHash string) {
	note, err := w.Store.Latest(r.Context(), originHash)
	if err != nil {
		refuseWitness(rw, err)
		return
	}
	rw.Header().Set("Content-Type", noteType)
	rw.Header().Set("Cache-Control", "no-cache")
	rw.Write(note)
}

// refuseWitness is the one table of errors and statuses.
func refuseWitness(w http.ResponseWriter, err error) {
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		w.Header().Set("Content-Type", sizeType)
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintln(w, conflict.Size)
		return
	}
	for _, known := range []struct {
		err    error
		status int
	}{
		{ErrInconsistent, http.StatusUnprocessableEntity}, {ErrWitnessRequest, http.StatusBadRequest}, {ErrUntrusted, http.StatusForbidden},
		{ErrUnknownLog, http.StatusNotFound}, {ErrNotNow, http.StatusServiceUnavailable},
	} {
		if errors.Is(err, known.err) {
			http.Error(w, known.err.Error(), known.status)
			return
		}
	}
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// WitnessClient asks one witness.
type WitnessClient struct {
	HTTP Doer
	URL  string      // submission prefix, without trailing slash
	Key  VerifierKey // of TypeCosigner
}

// Add sends one request and returns the witness's cosignature. It fails with a
// [*ConflictError], the sentinels of witness.go, [ErrWitnessAnswer], or an error of HTTP.
func (c WitnessClient) Add(ctx context.Context, a *AddCheckpoint) (Signature, error) {
	body, err := c.do(ctx, http.MethodPost, "/add-checkpoint", a.Marshal(), maxAnswer)
	if err != nil {
		return Signature{}, err
	}
	at := bytes.LastIndex(a.Checkpoint, []byte("\n\n"))
	if at < 0 {
		return Signature{}, ErrNote
	}
	// "the client MAY concatenate it to the checkpoint, and use a note verification function
	// configured with the witness keys it trusts"; without the lines that it had already.
	text := a.Checkpoint[:at+1]
	opened, err := Open(append(append(bytes.Clone(text), '\n'), body...), c.Key)
	if err != nil || !bytes.Equal(opened.Text, text) || opened.Signatures[0].Time.Unix() <= 0 { // "the timestamp MUST NOT be zero"
		return Signature{}, fmt.Errorf("%w: no cosignature of %s", ErrWitnessAnswer, c.Key.Name)
	}
	return opened.Signatures[0], nil
}

// Cosign obtains a cosignature for a checkpoint: it begins with old, the size that the
// witness is believed to have cosigned last, and lets the witness correct it. prove gives
// the consistency proof from a size. A witness that cosigned a larger tree already ends it
// with the [*ConflictError]: ask again with a newer checkpoint.
func (c WitnessClient) Cosign(ctx context.Context, note []byte, old uint64, prove func(old uint64) ([]Hash, error)) (Signature, error) {
	checkpoint, err := PeekCheckpoint(note)
	if err != nil {
		return Signature{}, err
	}
	var conflict *ConflictError
	for range 3 { // once to learn the size, and once more if another asked in between
		if old > checkpoint.Size {
			return Signature{}, &ConflictError{old}
		}
		a := &AddCheckpoint{Old: old, Checkpoint: note}
		if old > 0 { // "If the old size is zero, the consistency proof MUST be empty"
			if a.Path, err = prove(old); err != nil {
				return Signature{}, err
			}
		}
		s, err := c.Add(ctx, a)
		if !errors.As(err, &conflict) || conflict.Size == old {
			return s, err
		}
		old = conflict.Size
	}
	return Signature{}, conflict
}

// Latest asks what the witness cosigned last for a log: the note as it came, which has its
// cosignature. It fails with [ErrUnknownLog] when there is none.
func (c WitnessClient) Latest(ctx context.Context, origin string) ([]byte, error) {
	note, err := c.do(ctx, http.MethodGet, "/"+OriginHash(origin)+"/checkpoint", nil, maxWitness)
	if err != nil {
		return nil, err
	}
	if _, _, err := OpenCheckpoint(note, origin, c.Key); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWitnessAnswer, err)
	}
	return note, nil
}

// do sends a request and reads an answer of at most limit bytes.
func (c WitnessClient) do(ctx context.Context, method, path string, body []byte, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask witness %s: %w", c.Key.Name, err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", noteType)
	}
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask witness %s: %w", c.Key.Name, err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("ask witness %s: %w", c.Key.Name, err)
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrWitnessAnswer, limit)
	}
	if resp.StatusCode == http.StatusOK {
		return raw, nil
	}
	return nil, witnessRefusal(resp.StatusCode, raw)
}

// witnessRefusal is refuseWitness read back.
func witnessRefusal(status int, body []byte) error {
	switch status {
	case http.StatusConflict: // "the tree size of the latest cosigned checkpoint in decimal, followed by a newline"
		text := strings.TrimSuffix(string(body), "\n")
		size, err := strconv.ParseUint(text, 10, 63)
		if err != nil || strconv.FormatUint(size, 10) != text {
			return fmt.Errorf("%w: a conflict without a size", ErrWitnessAnswer)
		}
		return &ConflictError{size}
	case http.StatusBadRequest:
		return ErrWitnessRequest
	case http.StatusForbidden:
		return ErrUntrusted
	case http.StatusNotFound:
		return ErrUnknownLog
	case http.StatusUnprocessableEntity:
		return ErrInconsistent
	case http.StatusServiceUnavailable:
		return ErrNotNow
	}
	return fmt.Errorf("%w: status %d", ErrWitnessAnswer, status)
}
