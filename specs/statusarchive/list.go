package statusarchive

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"paspoort.example/paspoort/specs/ijson"
)

// Limits of what is read from a server.
const (
	MaxToken  = 8 << 20   // bytes of one token, as package statuslist has it
	MaxBundle = 256 << 20 // bytes of a bundle
	MaxLists  = 50_000
	maxList   = 32 << 20 // bytes of the list of lists
)

// Sentinels of reading.
var (
	// ErrUnchanged says that a bundle is the one that was had before.
	ErrUnchanged = errors.New("status bundle: nothing new")
	// ErrNotHeld says that the server keeps no token of that list and time.
	ErrNotHeld = errors.New("status archive: no such token is kept there")
	// ErrAnswer says that a server answered something else than this protocol.
	ErrAnswer = errors.New("status archive: malformed answer")
)

// List is what an archive tells of one status list beside the tokens.
type List struct {
	URI          string    `json:"uri"`                 // of the list, where credentials refer to
	Organisation string    `json:"organisation"`        // whose list it is
	Signer       string    `json:"signer,omitempty"`    // organisation that signed the newest token, when that is another
	IssuedAt     time.Time `json:"issued_at"`           // of the newest token
	ExpiresAt    time.Time `json:"expires_at,omitzero"` // of the newest token
	Digest       string    `json:"digest"`              // hexadecimal SHA-256 of the newest list: its bits in one byte, then its bytes
	Days         int       `json:"days"`                // of which a token is kept
	Fetched      time.Time `json:"fetched,omitzero"`    // when the newest token was had
	Failing      time.Time `json:"failing,omitzero"`    // since when no token that counts can be had
	Notices      []Notice  `json:"notices,omitempty"`   // what the list did that an honest one does not
}

// Notice is something that a list did and an honest one does not. Both tokens are kept: see
// [Client.Proof].
type Notice struct {
	Code  string    `json:"code"`
	Seen  time.Time `json:"seen"`  // by the archive, for the first time
	Count int       `json:"count"` // how often since
	// Before and After are iat of the two tokens that show it.
	Before time.Time `json:"before"`
	After  time.Time `json:"after"`
}

// The codes of notices.
const (
	// RolledBack: a token of before one that was published already.
	RolledBack = "rolled_back"
	// TwoFaced: two tokens of one moment that say different things.
	TwoFaced = "two_faced"
	// Revived: an entry that was valid, then revoked, and is valid again. Revocation is final.
	Revived = "revived"
	// Shrunk: fewer entries, or of another width, than before.
	Shrunk = "shrunk"
)

type lists struct {
	Lists []List `json:"lists"`
}

// ParseLists reads the list of lists. It fails with [ErrAnswer].
func ParseLists(raw []byte) ([]List, error) {
	var in lists
	if err := (ijson.Limits{Bytes: maxList}).Unmarshal(raw, &in); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if len(in.Lists) > MaxLists {
		return nil, fmt.Errorf("%w: too many lists", ErrAnswer)
	}
	for _, l := range in.Lists {
		if u, err := url.Parse(l.URI); err != nil || !u.IsAbs() || l.IssuedAt.IsZero() {
			return nil, fmt.Errorf("%w: a list without address or date", ErrAnswer)
		}
	}
	return in.Lists, nil
}

// ReadBundle reads a bundle: compact tokens, each on a line of its own. It looks at no token.
// It fails with [ErrAnswer]; what follows a line that is too long is not read.
func ReadBundle(r io.Reader) ([]string, error) {
	var out []string
	lines := bufio.NewScanner(io.LimitReader(r, MaxBundle))
	lines.Buffer(nil, MaxToken)
	for lines.Scan() {
		line := lines.Bytes()
		if len(line) == 0 || bytes.IndexFunc(line, notCompact) >= 0 || len(out) == MaxLists {
			return nil, fmt.Errorf("%w: a bundle is compact tokens, one a line", ErrAnswer)
		}
		out = append(out, string(line))
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%w: bundle: %w", ErrAnswer, err)
	}
	return out, nil
}

// notCompact: the characters of a JWS in compact form (RFC 7515 7.1) are base64url and a dot.
func notCompact(r rune) bool {
	return r != '.' && r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}
