// Package backup is an archive of files that only its recipients can read: a tar (POSIX.1-2001
// pax) in age (https://age-encryption.org/v1), written and read as a stream, so that no part of
// it ever rests in the clear. Recipients are public keys, so the machine that makes backups
// cannot read them.
//
// It knows no role: what belongs in a backup is for who makes it.
//
//	to, err := backup.Recipients("age1...")
//	w, err := backup.NewWriter(file, to)
//	err = w.File("node.json", body)
//	err = w.Stream("store", dump)
//	err = w.Close()
package backup

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"strings"

	"filippo.io/age"

	"paspoort.example/paspoort/internal/keyfile"
)

var (
	// ErrKey: not a key of the kind that is asked, or none that opens the backup.
	ErrKey = errors.New("no key that fits")
	// ErrArchive: not a backup, or one that was cut off or changed.
	ErrArchive = errors.New("not a whole backup")
)

const (
	maxFile  = 16 << 20 // of one file, and of one part of a stream
	partSize = 4 << 20
	partMark = "/part" // a stream is entries NAME/part, one after the other, the last one empty
	closing  = "end"   // the last entry: an archive without it was cut off
)

// NewKey makes a key to read backups with, in a new file of mode 0600, and gives the public
// half, for [Recipients].
func NewKey(path string) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("backup key: %w", err)
	}
	text := fmt.Sprintf("# public key: %s\n%s\n", id.Recipient(), id)
	return id.Recipient().String(), keyfile.CreateText(path, []byte(text))
}

// Recipients reads public keys, at least one. It fails with [ErrKey].
func Recipients(keys ...string) ([]age.Recipient, error) {
	to, err := age.ParseRecipients(strings.NewReader(strings.Join(keys, "\n")))
	if err != nil {
		return nil, fmt.Errorf("%w: a recipient is a line that begins with age1: %w", ErrKey, err)
	}
	return to, nil
}

// Identities reads the file with the private keys, as NewKey or age-keygen made it. It fails
// with [ErrKey] or keyfile.ErrPermissions.
func Identities(path string) ([]age.Identity, error) {
	body, err := keyfile.ReadText(path)
	if err != nil {
		return nil, err
	}
	ids, err := age.ParseIdentities(strings.NewReader(string(body)))
	if err != nil {
		return nil, fmt.Errorf("%w: %s holds no line that begins with AGE-SECRET-KEY-1", ErrKey, path)
	}
	return ids, nil
}

// Writer writes one backup.
type Writer struct {
	sealed io.WriteCloser
	tar    *tar.Writer
}

// NewWriter begins a backup for the recipients.
func NewWriter(w io.Writer, to []age.Recipient) (*Writer, error) {
	sealed, err := age.Encrypt(w, to...)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	return &Writer{sealed, tar.NewWriter(sealed)}, nil
}

// File adds a file.
func (w *Writer) File(name string, body []byte) error {
	if len(body) > maxFile {
		return fmt.Errorf("backup: %s is too large", name)
	}
	err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(body)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = w.tar.Write(body)
	}
	if err != nil {
		return fmt.Errorf("backup: %s: %w", name, err)
	}
	return nil
}

// Stream adds what r gives, however much that is.
func (w *Writer) Stream(name string, r io.Reader) error {
	part := make([]byte, partSize)
	for {
		n, err := io.ReadFull(r, part)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("backup: %s: %w", name, err)
		}
		if err := w.File(name+partMark, part[:n]); err != nil || n == 0 {
			return err
		}
	}
}

// Close ends the backup; before that it is none.
func (w *Writer) Close() error {
	if err := w.File(closing, nil); err != nil {
		return err
	}
	if err := errors.Join(w.tar.Close(), w.sealed.Close()); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

// Read gives take each file and stream of a backup, in their order; body need not be read to
// its end. It fails with [ErrKey], [ErrArchive] or what take fails with.
func Read(r io.Reader, ids []age.Identity, take func(name string, body io.Reader) error) error {
	open, err := age.Decrypt(r, ids...)
	if _, none := errors.AsType[*age.NoIdentityMatchError](err); none {
		return fmt.Errorf("%w: this key opens another backup", ErrKey)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrArchive, err)
	}
	in := &reader{tar: tar.NewReader(open)}
	for {
		h, err := in.tar.Next()
		if err != nil {
			return fmt.Errorf("%w: %w", ErrArchive, err)
		}
		if h.Name == closing {
			break
		}
		name, isPart := strings.CutSuffix(h.Name, partMark)
		if !isPart {
			if h.Size > maxFile {
				return ErrArchive
			}
			if err := take(h.Name, in.tar); err != nil {
				return err
			}
			continue
		}
		in.name, in.left, in.done = h.Name, h.Size, h.Size == 0
		if err := take(name, in); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, in); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, open); err != nil { // age tells at the end that nothing is missing
		return fmt.Errorf("%w: %w", ErrArchive, err)
	}
	return nil
}

// reader joins the parts of a stream.
type reader struct {
	tar  *tar.Reader
	name string
	left int64
	done bool
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	for r.left == 0 && !r.done {
		h, err := r.tar.Next()
		if err != nil || h.Name != r.name {
			return 0, fmt.Errorf("%w: a stream is cut off", ErrArchive)
		}
		r.left, r.done = h.Size, h.Size == 0
	}
	if r.done {
		return 0, io.EOF
	}
	n, err := r.tar.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if errors.Is(err, io.EOF) && (n > 0 || r.left == 0) { // of this part, not of the stream
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrArchive, err)
	}
	return n, err
}
