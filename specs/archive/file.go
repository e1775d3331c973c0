package archive

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"

	"paspoort.example/paspoort/specs/ijson"
)

// Write encrypts an archive with a passphrase. Errors: ErrName, ErrTooLarge, ErrChanged
// for a file that is no I-JSON, those of out.
func Write(out io.Writer, passphrase []byte, a Archive) error {
	m, err := manifestOf(a)
	if err != nil {
		return err
	}
	recipient, err := age.NewScryptRecipient(string(passphrase))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	factor := a.WorkFactor
	if factor == 0 {
		factor = WorkFactor
	}
	if factor < 1 || factor > WorkFactor {
		return fmt.Errorf("%w: work factor %d", ErrTooLarge, factor)
	}
	recipient.SetWorkFactor(factor)
	sealed, err := age.Encrypt(out, recipient)
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if err := writeTar(sealed, m, a); err != nil {
		return err
	}
	if err := sealed.Close(); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

func writeTar(out io.Writer, m *manifest, a Archive) error {
	limited := &limitWriter{out: out, left: MaxBytes}
	t := tar.NewWriter(limited)
	put := func(name string, body []byte) error {
		err := t.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: int64(len(body)), Mode: 0o600, ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR})
		if err == nil {
			_, err = t.Write(body)
		}
		return err
	}
	raw, err := ijson.Marshal(m)
	if err == nil {
		err = put(manifestName, raw)
	}
	for _, f := range m.Files {
		if err == nil {
			err = put(f.Name, a.Files[f.Name])
		}
	}
	if err == nil {
		err = t.Close()
	}
	if err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

// limitWriter refuses what Read would.
type limitWriter struct {
	out  io.Writer
	left int64
}

func (w *limitWriter) Write(p []byte) (int, error) {
	if w.left -= int64(len(p)); w.left < 0 {
		return 0, ErrTooLarge
	}
	return w.out.Write(p)
}

// Read decrypts an archive and holds it to its manifest. What it returns is whole: after
// any error it returns nothing. Errors: ErrPassphrase, ErrNotArchive, ErrVersion,
// ErrChanged, ErrTooLarge, ErrName.
func Read(in io.Reader, passphrase []byte) (*Archive, error) {
	identity, err := age.NewScryptIdentity(string(passphrase))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPassphrase, err)
	}
	identity.SetMaxWorkFactor(WorkFactor)
	plain, err := age.Decrypt(in, identity)
	if err != nil {
		return nil, decryptError(err)
	}
	return readTar(plain)
}

// decryptError translates what age says. It has no sentinel for some of it.
func decryptError(err error) error {
	switch {
	case strings.Contains(err.Error(), "work factor too large"):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case strings.Contains(err.Error(), "not passphrase-encrypted"):
		return fmt.Errorf("%w: %w", ErrNotArchive, err)
	case errors.Is(err, age.ErrIncorrectIdentity):
		return ErrPassphrase
	}
	return fmt.Errorf("%w: %w", ErrNotArchive, err)
}

// readTar reads what is inside.
func readTar(plain io.Reader) (*Archive, error) {
	limited := &limitReader{in: plain, left: MaxBytes}
	t := tar.NewReader(limited)
	raw, name, err := next(t, 2*MaxFile)
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: it is empty", ErrNotArchive)
	}
	if err != nil {
		return nil, err
	}
	if name != manifestName {
		return nil, fmt.Errorf("%w: it does not begin with a manifest", ErrNotArchive)
	}
	m, made, err := readManifest(raw)
	if err != nil {
		return nil, err
	}
	listed := make(map[string]entry, len(m.Files))
	for _, f := range m.Files {
		listed[f.Name] = f
	}
	a := &Archive{Made: made, Files: make(map[string]json.RawMessage, len(m.Files))}
	for {
		body, name, err := next(t, MaxFile)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		f, ok := listed[name]
		switch {
		case a.Files[name] != nil:
			return nil, fmt.Errorf("%w: %s is there twice", ErrChanged, name)
		case !ok:
			return nil, fmt.Errorf("%w: a file that the manifest does not list", ErrChanged)
		case f.Size != int64(len(body)), f.SHA256 != hash(body):
			return nil, fmt.Errorf("%w: %s is not what the manifest says", ErrChanged, name)
		}
		if err := checkFile(name, body); err != nil {
			return nil, err
		}
		a.Files[name] = body
	}
	if len(a.Files) != len(listed) {
		return nil, fmt.Errorf("%w: %d files are missing", ErrChanged, len(listed)-len(a.Files))
	}
	// To the very end: only there age says that nothing was cut off.
	if _, err := io.Copy(io.Discard, limited); err != nil {
		return nil, tarError(err)
	}
	return a, nil
}

// next is the next regular file; io.EOF after the last.
func next(t *tar.Reader, most int64) ([]byte, string, error) {
	h, err := t.Next()
	if err == io.EOF {
		return nil, "", io.EOF
	}
	if err != nil {
		return nil, "", tarError(err)
	}
	if h.Typeflag != tar.TypeReg || h.Size < 0 {
		return nil, "", fmt.Errorf("%w: something that is no file", ErrChanged)
	}
	if h.Size > most {
		return nil, "", ErrTooLarge
	}
	body, err := io.ReadAll(t)
	if err != nil {
		return nil, "", tarError(err)
	}
	return body, h.Name, nil
}

func tarError(err error) error {
	if errors.Is(err, ErrTooLarge) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrChanged, err)
}

// limitReader fails where more comes than may.
type limitReader struct {
	in   io.Reader
	left int64
}

func (r *limitReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	if r.left -= int64(n); r.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}
