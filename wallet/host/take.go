package host

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/archive"
	"paspoort.example/paspoort/wallet"
)

func (h *Host) takeRoutes() {
	h.post("/take", h.sure(h.takeAlong))
	h.postLarge("/take/back", h.bringBack)
	h.back("/take/back", "/take")
}

// takeAlong sends the whole paspoort as one file, sealed with a passphrase of its own.
func (h *Host) takeAlong(w http.ResponseWriter, r *http.Request, s *session) error {
	passphrase := []byte(r.PostForm.Get("passphrase"))
	switch {
	case wallet.CheckPassphrase(passphrase) != nil:
		return h.renderTake(w, r, s, "passphrase-short")
	case tooKnown(string(passphrase), ""):
		return h.renderTake(w, r, s, "passphrase-known")
	}
	paspoort := h.open(r, s)
	var sealed strings.Builder
	var err error
	ran := h.limits.derive(r.Context(), func() { err = paspoort.ExportArchive(r.Context(), &sealed, passphrase) })
	if !ran {
		return h.renderTake(w, r, s, "busy")
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="paspoort-%s.age"`, h.c.Clock().Format(time.DateOnly)))
	_, err = io.WriteString(w, sealed.String())
	if err != nil {
		h.c.Log.Info("an archive was not taken to its end")
	}
	return nil
}

// bringBack takes the contents of an archive in. Nothing doubles. Opening it costs a key
// derivation; taking it in may last longer, and holds nobody up.
func (h *Host) bringBack(w http.ResponseWriter, r *http.Request, s *session) error {
	var luggage *wallet.Luggage
	var err error
	turn := true
	came := h.limits.upload(r.Context(), func() {
		var file, passphrase []byte
		if file, passphrase, err = archiveOf(w, r); err != nil {
			return
		}
		turn = h.limits.derive(r.Context(), func() { luggage, err = wallet.OpenArchive(bytes.NewReader(file), passphrase) })
	})
	if !came || !turn {
		return h.renderTake(w, r, s, "busy")
	}
	var got wallet.Imported
	if err == nil {
		got, err = h.open(r, s).TakeIn(r.Context(), luggage)
	}
	if fault := archiveFault(err); fault != "" {
		return h.renderTake(w, r, s, fault)
	}
	if err != nil {
		return err
	}
	h.lookAtStandings(s, h.open(r, s))
	if got.New() == 0 {
		s.say("imported-nothing")
	} else {
		s.say("imported")
	}
	return see(w, r, "/paspoort")
}

// archiveOf reads the two fields of the form: the file and its passphrase.
func archiveOf(w http.ResponseWriter, r *http.Request) (file, passphrase []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	form, err := r.MultipartReader()
	if err != nil {
		return nil, nil, err
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, err
		}
		raw, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, err
		}
		switch part.FormName() {
		case "archive":
			file = raw
		case "passphrase":
			passphrase = raw
		}
	}
	if len(file) == 0 {
		return nil, nil, errBadForm
	}
	return file, passphrase, nil
}

// archiveFault is what to say of an archive that was not taken in. Nothing was changed then.
func archiveFault(err error) string {
	switch {
	case err == nil:
	case tooLarge(err):
		return "archive-large"
	case errors.Is(err, errBadForm), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, http.ErrNotMultipart), errors.Is(err, wallet.ErrArchive):
		return "archive"
	case errors.Is(err, archive.ErrPassphrase):
		return "archive-passphrase"
	case errors.Is(err, archive.ErrTooLarge):
		return "archive-large"
	case errors.Is(err, archive.ErrVersion):
		return "archive-newer"
	case errors.Is(err, archive.ErrNotArchive), errors.Is(err, archive.ErrChanged), errors.Is(err, archive.ErrName):
		return "archive"
	}
	return ""
}
