package host

import (
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
	h.postMember("/take", h.takeAlong)
	h.postLarge("/take/back", h.bringBack)
	h.back("/take/back", "/take")
}

// takeAlong sends the whole paspoort as one file, sealed with a passphrase of its own.
func (h *Host) takeAlong(w http.ResponseWriter, r *http.Request, s *session) error {
	passphrase := []byte(r.PostForm.Get("passphrase"))
	if wallet.CheckPassphrase(passphrase) != nil {
		return h.renderTake(w, r, s, "passphrase-short")
	}
	paspoort := h.open(r, s)
	var sealed strings.Builder
	var err error
	ran := h.limits.derive(r.Context(), func() { err = paspoort.ExportArchive(&sealed, passphrase) })
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

// bringBack takes the contents of an archive in. Nothing doubles.
func (h *Host) bringBack(w http.ResponseWriter, r *http.Request, s *session) error {
	file, passphrase, err := archiveOf(w, r)
	if tooLarge(err) {
		return h.renderTake(w, r, s, "archive-large")
	}
	if err != nil {
		return h.renderTake(w, r, s, "archive")
	}
	var got wallet.Imported
	ran := h.limits.derive(r.Context(), func() {
		got, err = h.open(r, s).ImportArchive(strings.NewReader(file), passphrase)
	})
	if !ran {
		return h.renderTake(w, r, s, "busy")
	}
	if fault := archiveFault(err); fault != "" {
		return h.renderTake(w, r, s, fault)
	}
	if err != nil {
		return err
	}
	h.lookAtStandings(s)
	if got.New() == 0 {
		s.say("imported-nothing")
	} else {
		s.say("imported")
	}
	return see(w, r, "/paspoort")
}

// archiveOf reads the two fields of the form: the file and its passphrase.
func archiveOf(w http.ResponseWriter, r *http.Request) (file string, passphrase []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	form, err := r.MultipartReader()
	if err != nil {
		return "", nil, err
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", nil, err
		}
		raw, err := io.ReadAll(part)
		if err != nil {
			return "", nil, err
		}
		switch part.FormName() {
		case "archive":
			file = string(raw)
		case "passphrase":
			passphrase = raw
		}
	}
	if file == "" {
		return "", nil, errBadForm
	}
	return file, passphrase, nil
}

// archiveFault is what to say of an archive that was not taken in. Nothing was changed then.
func archiveFault(err error) string {
	switch {
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
