package dev

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// The skills that the employer asks for, by CompetentNL: two that the holder
// learned, one from earlier work.
const (
	skillCare     = "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01" // Verzorgen, module ZORG-02
	skillGuide    = "https://linkeddata.competentnl.nl/id/humancapability/D989743D35" // Psychosociaal begeleiden, module ZORG-05
	skillTogether = "https://linkeddata.competentnl.nl/id/humancapability/1D54A21B60" // Samenwerken, from work
	purpose       = "Wij zoeken een helpende voor afdeling Rietkraag. Wij willen weten of u kunt verzorgen, begeleiden en samenwerken."
)

var asked = []string{skillCare, skillGuide, skillTogether}

// shown is what the holder showed, word for word, and what it was asked for.
type shown struct {
	Presentations []string `json:"presentations"`
	Expected      expected `json:"expected"`
	asked         []string // skills
}

type expected struct {
	Nonce    string `json:"nonce"`
	Audience string `json:"aud"`
}

// request is a request at the verifier.
type request struct {
	ID         string            `json:"id"`
	Invocation string            `json:"invocation"`
	State      string            `json:"state"`
	Verdict    *paspoort.Verdict `json:"verdict"`
	Shown      *shown            `json:"shown"`
}

// present is step 4: the employer asks twice, for an answer in the open and for an
// encrypted one, and the holder shows what is asked and nothing else.
func (d *demo) present(ctx context.Context) (string, error) {
	var sent int
	for _, mode := range []string{"direct_post", "direct_post.jwt"} {
		done, err := d.ask(ctx, mode)
		if err != nil {
			return "", fmt.Errorf("%s: %w", mode, err)
		}
		if err := onlyAsked(done.Verdict); err != nil {
			return "", fmt.Errorf("%s: %w", mode, err)
		}
		d.answer, d.verdict = *done.Shown, *done.Verdict
		sent = len(done.Shown.Presentations)
	}
	return fmt.Sprintf("%s asked for %d skills, in the open and encrypted; the holder saw who asks and why, and sent %d credentials with those skills and no name",
		d.Name(d.settings.url(verifier)), len(asked), sent), nil
}

// ask asks the holder of the demo for all skills.
func (d *demo) ask(ctx context.Context, mode string) (*request, error) {
	return d.askWho(ctx, d.holder, mode, asked...)
}

// askWho makes a request, lets a holder answer it, and reads how it ended.
func (d *demo) askWho(ctx context.Context, h *holder, mode string, skills ...string) (*request, error) {
	api, err := d.administrator(verifier)
	if err != nil {
		return nil, err
	}
	var made request
	body := map[string]any{"skills": skills, "purpose": purpose, "response_mode": mode}
	if err := api.do(ctx, http.MethodPost, "/api/v1/requests", body, &made); err != nil {
		return nil, err
	}
	if err := h.show(ctx, made.Invocation, d.Name(d.settings.url(verifier)), purpose); err != nil {
		return nil, err
	}
	var done request
	if err := api.do(ctx, http.MethodGet, "/api/v1/requests/"+made.ID, nil, &done); err != nil {
		return nil, err
	}
	if done.State != "done" || done.Verdict == nil || done.Shown == nil {
		return nil, fmt.Errorf("the request is %s, want done with a verdict", done.State)
	}
	done.Shown.asked = skills
	return &done, nil
}

// onlyAsked looks for anything that was disclosed without being asked.
func onlyAsked(v *paspoort.Verdict) error {
	for _, c := range v.Credentials {
		if c.Claims["given_name"] != nil || c.Claims["family_name"] != nil || c.Claims["record"] != nil {
			return fmt.Errorf("a name or record was disclosed that nobody asked for")
		}
	}
	for _, s := range v.Skills {
		if !slices.Contains(asked, s.URI) {
			return fmt.Errorf("the skill %q was disclosed, which nobody asked for", s.Label)
		}
	}
	return nil
}

// verify is step 5: the verdict, here and through each node.
func (d *demo) verify(ctx context.Context) (string, error) {
	own := digest(d.verdict)
	if err := expect(d.verdict.Outcome == paspoort.OK, "the verdict is %s: %s\n%s", d.verdict.Outcome, d.verdict.Sentence.EN, own); err != nil {
		return "", err
	}
	if err := expect(d.verdict.SameHolder.State == paspoort.OK, "same holder is %s", d.verdict.SameHolder.State); err != nil {
		return "", err
	}
	for _, n := range d.nodes {
		v, err := d.through(ctx, n.id, d.answer)
		if err != nil {
			return "", err
		}
		if other := digest(v); other != own {
			return "", fmt.Errorf("%s judges otherwise:\n%s\nhere:\n%s", n.id, other, own)
		}
	}
	return fmt.Sprintf("%s; same holder; the same verdict here and through %d nodes (registry %d s old)",
		d.skills(), len(d.nodes), d.verdict.Registry.AgeSeconds), nil
}

// skills tells the verdict per skill.
func (d *demo) skills() string {
	var out []string
	for _, s := range d.verdict.Skills {
		p := s.Proofs[0]
		out = append(out, fmt.Sprintf("%s: level %d by %s, signed %s, %s%s", s.Label, *s.ProofLevel, p.By.Name, p.SignedOn, p.Status, d.ageOf(p.StatusAsOf)))
	}
	return strings.Join(out, "; ")
}

// ageOf says how old a status list was when the verdict was given.
func (d *demo) ageOf(asof string) string {
	published, err := time.Parse(time.RFC3339, asof)
	if err != nil {
		return ""
	}
	judged, err := time.Parse(time.RFC3339, d.verdict.At)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (list %.0f s old)", judged.Sub(published).Seconds())
}

// through asks a node for its verdict. With nothing expected it is asked about the
// credentials as files.
func (d *demo) through(ctx context.Context, node string, a shown) (paspoort.Verdict, error) {
	var v paspoort.Verdict
	api := admin{http: d.HTTP, url: d.settings.url(node)}
	body := map[string]any{"presentation": a.Presentations, "asked": a.asked}
	if a.Expected.Nonce != "" {
		body["expected"], body["flow"] = a.Expected, paspoort.CrossDevice
	}
	err := api.do(ctx, http.MethodPost, "/v1/verify", body, &v)
	return v, err
}

// digest is what two verdicts about one answer must have in common: everything but
// when and by whom it was judged.
func digest(v paspoort.Verdict) string {
	type skill struct {
		URI, Code string
		State     paspoort.State
		Level     *int
		By        string
	}
	var out struct {
		Outcome paspoort.State
		Code    string
		Same    paspoort.State
		Checks  []string
		Skills  []skill
	}
	out.Outcome, out.Code, out.Same = v.Outcome, v.Code, v.SameHolder.State
	for i, c := range v.Credentials {
		for _, check := range c.Checks {
			out.Checks = append(out.Checks, fmt.Sprintf("%d %s %s %s", i, check.Name, check.State, check.Code))
		}
	}
	for _, s := range v.Skills {
		by := ""
		if len(s.Proofs) > 0 {
			by = s.Proofs[0].By.Organisation
		}
		out.Skills = append(out.Skills, skill{s.URI, s.Code, s.State, s.ProofLevel, by})
	}
	text, err := json.MarshalIndent(out, "", " ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// state is the state of a check about the first credential of an organisation's
// type that shows a skill.
func state(v paspoort.Verdict, skill, check string) (paspoort.State, string) {
	for _, s := range v.Skills {
		if s.URI != skill || len(s.Proofs) == 0 {
			continue
		}
		c := v.Credentials[s.Proofs[0].Credential]
		if check == paspoort.CheckStatus {
			for _, found := range c.Checks {
				if found.Name == check {
					return found.State, c.Status
				}
			}
		}
		for _, found := range c.Checks {
			if found.Name == check {
				return found.State, found.Code
			}
		}
	}
	return "", "the skill is not shown"
}

const publishPatience = time.Minute
