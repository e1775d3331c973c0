package tlog

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const proofHeader = "c2sp.org/tlog-proof@v1"

// maxExtra bounds the opaque extra data of a proof, in base64 characters.
const maxExtra = 64 << 10

// ErrProofFile says that a tlog-proof file is malformed.
var ErrProofFile = errors.New("malformed tlog-proof")

// Proof is a tlog-proof file: offline evidence that an entry is in a log.
type Proof struct {
	Extra      []byte // "not authenticated": never trust it; nil when absent
	Index      uint64
	Path       []Hash // from the leaf's sibling up to the root's child
	Checkpoint []byte // the signed checkpoint note, verbatim
}

// Marshal writes the file; empty Extra makes no line.
func (p *Proof) Marshal() []byte {
	var b bytes.Buffer
	b.WriteString(proofHeader + "\n")
	if len(p.Extra) > 0 {
		b.WriteString("extra " + base64.StdEncoding.EncodeToString(p.Extra) + "\n")
	}
	fmt.Fprintf(&b, "index %d\n", p.Index)
	for _, h := range p.Path {
		b.WriteString(h.String() + "\n")
	}
	b.WriteString("\n")
	b.Write(p.Checkpoint)
	return b.Bytes()
}

// ParseProof reads a tlog-proof file; what it accepts, Marshal writes back byte for
// byte. It does not verify anything. It fails with [ErrProofFile].
func ParseProof(data []byte) (*Proof, error) {
	if len(data) > MaxNote+maxExtra {
		return nil, fmt.Errorf("%w: too large", ErrProofFile)
	}
	head, checkpoint, ok := bytes.Cut(data, []byte("\n\n"))
	if !ok {
		return nil, fmt.Errorf("%w: no checkpoint", ErrProofFile)
	}
	lines := strings.Split(string(head), "\n")
	if lines[0] != proofHeader { // "The first line MUST be the string c2sp.org/tlog-proof@v1"
		return nil, fmt.Errorf("%w: first line", ErrProofFile)
	}
	p := &Proof{Checkpoint: bytes.Clone(checkpoint)}
	lines = lines[1:]
	var err error
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		text := strings.TrimPrefix(lines[0], "extra ")
		if p.Extra, err = strictBase64(text); err != nil || text == "" || len(text) > maxExtra {
			return nil, fmt.Errorf("%w: extra", ErrProofFile)
		}
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%w: no index", ErrProofFile)
	}
	text, ok := strings.CutPrefix(lines[0], "index ")
	if p.Index, err = strconv.ParseUint(text, 10, 63); !ok || err != nil || strconv.FormatUint(p.Index, 10) != text {
		return nil, fmt.Errorf("%w: index", ErrProofFile)
	}
	if p.Path, err = parseHashes(lines[1:]); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProofFile, err)
	}
	if _, err := PeekCheckpoint(p.Checkpoint); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrProofFile, err)
	}
	return p, nil
}

func parseHashes(lines []string) ([]Hash, error) {
	if len(lines) > MaxProof {
		return nil, fmt.Errorf("more than %d hashes", MaxProof)
	}
	out := make([]Hash, 0, len(lines))
	for _, line := range lines {
		h, err := ParseHash(line)
		if err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

// Verify takes the steps 2 to 4 of "Verifying a tlog proof"; step 1, the leaf hash, is
// the application's. It fails as [Policy.Check] does and with [ErrProof].
func (p *Proof) Verify(policy *Policy, leaf Hash) (*Seen, error) {
	seen, err := policy.Check(p.Checkpoint)
	if err != nil {
		return nil, err
	}
	if err := VerifyInclusion(p.Index, seen.Checkpoint.Size, leaf, p.Path, seen.Checkpoint.Root); err != nil {
		return nil, err
	}
	return seen, nil
}
