package statusarchive

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"paspoort.example/paspoort/specs/statuslist"
)

// Archive is what a [Server] serves. Methods are called from many goroutines.
type Archive interface {
	// Lists are all lists, by address.
	Lists(context.Context) ([]List, error)
	// Token is the newest token of a list that was issued by a moment; zero means now. Without
	// one it fails with ErrNotHeld.
	Token(ctx context.Context, uri string, at time.Time) (string, error)
	// Proof are the two tokens of a notice. Without that notice it fails with ErrNotHeld.
	Proof(ctx context.Context, uri, code string) ([]string, error)
}

// Server answers for an archive, at the paths "" (the lists), /token, /proof and /bundle below a
// prefix that the caller takes off. All is public: it asks nobody who they are, and sets no
// cookie.
type Server struct {
	Archive Archive
	// MaxAge is how long caches may keep an answer.
	MaxAge time.Duration
	// Report is told of errors that are not the asker's; may be nil.
	Report func(error)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		refuse(w, http.StatusMethodNotAllowed, "method-not-allowed", "use GET")
		return
	}
	w.Header().Set("Cache-Control", "public, max-age="+strconv.Itoa(int(s.MaxAge/time.Second)))
	var err error
	switch r.URL.Path {
	case "", "/":
		err = s.lists(w, r)
	case "/token":
		err = s.token(w, r)
	case "/proof":
		err = s.proof(w, r)
	case "/bundle":
		err = s.bundle(w, r)
	default:
		err = ErrNotHeld
	}
	switch {
	case err == nil:
	case errors.Is(err, ErrNotHeld):
		refuse(w, http.StatusNotFound, "not-held", "no such status list token is kept here; without path there is the list of those that are")
	case errors.Is(err, errQuestion):
		refuse(w, http.StatusBadRequest, "bad-question", "give the address of a status list as uri, and time in seconds since 1970 if at all")
	default:
		if s.Report != nil {
			s.Report(err)
		}
		refuse(w, http.StatusInternalServerError, "internal", "the archive cannot be read now; ask another node")
	}
}

var errQuestion = errors.New("malformed question")

func (s *Server) lists(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Archive.Lists(r.Context())
	if err != nil {
		return err
	}
	if all == nil {
		all = []List{}
	}
	raw, err := json.Marshal(lists{all})
	if err != nil {
		return err
	}
	return write(w, r, "application/json", raw)
}

// token answers with one token; "time" is that of the draft's 8.4: "a Status List Token that
// was valid at that specified time".
func (s *Server) token(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	var at time.Time
	if q.Has("time") {
		seconds, err := strconv.ParseInt(q.Get("time"), 10, 64)
		if err != nil || seconds < 0 {
			return errQuestion
		}
		at = time.Unix(seconds, 0).UTC()
	}
	if q.Get("uri") == "" {
		return errQuestion
	}
	token, err := s.Archive.Token(r.Context(), q.Get("uri"), at)
	if err != nil {
		return err
	}
	return write(w, r, statuslist.MediaType, []byte(token))
}

func (s *Server) proof(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	tokens, err := s.Archive.Proof(r.Context(), q.Get("uri"), q.Get("code"))
	if err != nil {
		return err
	}
	var raw []byte
	for _, t := range tokens {
		raw = append(append(raw, t...), '\n')
	}
	return write(w, r, "text/plain; charset=utf-8", raw)
}

// bundle writes token after token: all of them need not be in memory at once.
func (s *Server) bundle(w http.ResponseWriter, r *http.Request) error {
	all, err := s.Archive.Lists(r.Context())
	if err != nil {
		return err
	}
	sum := sha256.New()
	for _, l := range all {
		io.WriteString(sum, l.URI+" "+l.IssuedAt.String()+" "+l.Digest+"\n")
	}
	tag := `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if r.Method == http.MethodHead {
		return nil
	}
	for _, l := range all {
		token, err := s.Archive.Token(r.Context(), l.URI, time.Time{})
		if errors.Is(err, ErrNotHeld) {
			continue // erased since
		}
		if err == nil {
			_, err = io.WriteString(w, token+"\n")
		}
		if err != nil {
			if s.Report != nil {
				s.Report(err)
			}
			panic(http.ErrAbortHandler) // the answer began: who asked has to see that it is not whole
		}
	}
	return nil
}

func write(w http.ResponseWriter, r *http.Request, contentType string, body []byte) error {
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", contentType)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // who asked is gone, and there is nobody to tell
	}
	return nil
}

func refuse(w http.ResponseWriter, status int, code, detail string) {
	raw, _ := json.Marshal(map[string]string{"error": code, "error_description": detail}) // two texts
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}
