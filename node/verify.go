package node

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/paspoort"
)

// Checking a credential is a service that the asker chooses: the node sees what it is
// given, works in memory, keeps nothing and logs nothing of it, and may have it switched
// off. Who does not want the node to see anything verifies with a copy of the registry.

// maxVerifyBody bounds what is given for checking.
const maxVerifyBody = 1 << 20

// verifyRequest is the body of POST /v1/verify. Exactly one of Credential and Presentation
// is given.
type verifyRequest struct {
	Credential   string    `json:"credential"`   // an SD-JWT, without key binding, or several with white space between
	Presentation texts     `json:"presentation"` // one SD-JWT with key binding, several with white space between, or a list of them
	Expected     *expected `json:"expected"`     // what the asker had asked for
	Flow         string    `json:"flow"`         // "same_device", "cross_device" or "file"; empty is "file" unless expected is given
	Asked        []string  `json:"asked"`        // uris of skills
}

type expected struct {
	Nonce    string `json:"nonce"`
	Audience string `json:"aud"`
}

// texts is a string or a list of strings.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(raw []byte) error {
	var one string
	if err := json.Unmarshal(raw, &one); err == nil {
		*t = texts{one}
		return nil
	}
	var list []string
	if err := json.Unmarshal(raw, &list); err != nil {
		return errors.New("a presentation is a text or a list of texts")
	}
	*t = list
	return nil
}

var errVerifyOff = web.Errorf(http.StatusNotFound, "switched-off", "this node does not check credentials; use another node or check with your own copy of the registry")

func (n *Node) postVerify(w http.ResponseWriter, r *http.Request) {
	if n.checker == nil {
		web.WriteFailure(w, errVerifyOff)
		return
	}
	var q verifyRequest
	if err := web.ReadJSON(r, maxVerifyBody, &q); err != nil {
		web.WriteFailure(w, err)
		return
	}
	request, err := q.request()
	if err != nil {
		web.WriteFailure(w, err)
		return
	}
	verdict, err := n.check(r.Context(), request)
	if err != nil {
		web.WriteFailure(w, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	web.WriteJSON(w, http.StatusOK, verdict)
}

// request checks the form of what is asked.
func (q verifyRequest) request() (evidence.Request, error) {
	bad := func(text string) error { return web.Errorf(http.StatusBadRequest, "bad-request", "%s", text) }
	out := evidence.Request{Flow: paspoort.Flow(q.Flow), Asked: q.Asked}
	switch {
	case (q.Credential == "") == (len(q.Presentation) == 0):
		return out, bad("give a credential or a presentation, and not both")
	case q.Credential != "" && q.Expected != nil:
		return out, bad("a credential by itself answers no request: expected belongs to a presentation")
	case q.Expected != nil && (q.Expected.Nonce == "" || q.Expected.Audience == ""):
		return out, bad("expected has a nonce and an aud")
	case len(q.Asked) > 100:
		return out, bad("asked has at most 100 skills")
	}
	switch out.Flow {
	case "", paspoort.File, paspoort.SameDevice, paspoort.CrossDevice:
	default:
		return out, bad("flow is same_device, cross_device or file")
	}
	given := q.Presentation
	if q.Credential != "" {
		given = texts{q.Credential}
	}
	if out.Presentations = presentations(given...); len(out.Presentations) == 0 {
		return out, bad("there is only white space in what is given")
	}
	if q.Expected != nil {
		out.Expected = &paspoort.Expected{Nonce: q.Expected.Nonce, Audience: q.Expected.Audience}
	} else if out.Flow == "" {
		out.Flow = paspoort.File
	}
	return out, nil
}

// presentations are the credentials in texts: a file of several holds one a line, with line
// ends of any kind, and no SD-JWT has white space in it.
func presentations(given ...string) (out []evidence.Presentation) {
	for _, text := range given {
		for one := range strings.FieldsSeq(text) {
			out = append(out, evidence.Presentation{Text: one})
		}
	}
	return out
}

// maxChecks bounds checks under way. Each may wait some seconds for documents and lists of
// issuers, at addresses that whoever asks has chosen: their number is what a flood would make
// grow here, and what it could send elsewhere.
const maxChecks = 64

var errBusy = web.Errorf(http.StatusServiceUnavailable, "busy", "the check was not finished; try again")

// check asks for a verdict. The error holds nothing of what was given.
func (n *Node) check(ctx context.Context, r evidence.Request) (paspoort.Verdict, error) {
	select {
	case n.checks <- struct{}{}:
		defer func() { <-n.checks }()
	default:
		return paspoort.Verdict{}, errBusy
	}
	verdict, err := n.checker.Verify(ctx, r)
	if errors.Is(err, evidence.ErrTooMany) {
		return verdict, web.Errorf(http.StatusRequestEntityTooLarge, "too-many", "check at most 64 credentials at once")
	}
	if err != nil {
		return verdict, errBusy
	}
	return verdict, nil
}
