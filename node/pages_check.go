package node

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/page"
	"paspoort.example/paspoort/specs/paspoort"
)

type checkPage struct {
	On      bool
	Problem string // key of a sentence: empty, many, large, unreadable
	Most    int    // credentials at once
	Verdict *checkedView
	Source  source
}

func (p *pages) showCheck(w http.ResponseWriter, r *http.Request) {
	p.rendered(p.check.Render(w, r, http.StatusOK, p.newCheckPage()))
}

// mostChecked is how many credentials a person looks through on one page.
const mostChecked = 25

func (p *pages) newCheckPage() checkPage {
	return checkPage{On: p.n.checker != nil, Most: mostChecked, Source: source{Node: p.n.cfg.ID}}
}

// postCheck checks what was pasted or chosen. The whole body stays below the limit, and
// the form is read with that much memory, so that nothing of it ever reaches a disk.
func (p *pages) postCheck(w http.ResponseWriter, r *http.Request) {
	data := p.newCheckPage()
	if !data.On {
		p.rendered(p.check.Render(w, r, http.StatusNotFound, data))
		return
	}
	text, problem := formCredential(w, r)
	shown := presentations(text)
	if len(shown) > mostChecked {
		problem = "many"
	}
	if problem != "" {
		data.Problem = problem
		status := http.StatusBadRequest
		if problem == "large" || problem == "many" {
			status = http.StatusRequestEntityTooLarge
		}
		p.rendered(p.check.Render(w, r, status, data))
		return
	}
	verdict, err := p.n.check(r.Context(), evidence.Request{Flow: paspoort.File, Presentations: shown})
	if err != nil {
		if !errors.Is(err, context.Canceled) {
			p.rendered(p.kit.Fault(w, r, page.Fault{Kind: page.Broken, Next: "/check"}))
		}
		return
	}
	data.Verdict = newCheckedView(verdict)
	p.rendered(p.check.Render(w, r, http.StatusOK, data))
}

// formCredential finds the credentials in the form: the file that was chosen, else the
// pasted text.
func formCredential(w http.ResponseWriter, r *http.Request) (text, problem string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxVerifyBody)
	err := r.ParseMultipartForm(2 * maxVerifyBody)
	if errors.Is(err, http.ErrNotMultipart) {
		err = r.ParseForm()
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", "large"
	case err != nil:
		return "", "unreadable"
	}
	text = r.PostFormValue("credential")
	if file, _, err := r.FormFile("file"); err == nil {
		raw, err := io.ReadAll(file)
		file.Close()
		if err != nil {
			return "", "unreadable"
		}
		if len(raw) > 0 {
			text = string(raw)
		}
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", "empty"
	}
	return text, ""
}
