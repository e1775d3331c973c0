package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"paspoort.example/paspoort/specs/jose"
)

// Exit codes of `paspoort verify` that the demo expects; cmd/paspoort defines them.
const (
	verifyOK     = 0
	verifyStatus = 4
	verifyRegion = 5
)

// keepForLater stores what a verifier would keep to judge without a network: the
// credentials, a snapshot of the registry, the status lists.
func (d *demo) keepForLater(ctx context.Context) error {
	d.evidence, d.snapshot, d.lists = d.l.path("offline", "bewijs.txt"), d.l.path("offline", "region.snapshot"), d.l.path("offline", "lists")
	if err := os.MkdirAll(d.lists, 0o700); err != nil {
		return err
	}
	body, _, err := d.HTTP.Get(ctx, d.settings.url(d.nodes[0].id)+"/v1/snapshot")
	if err != nil {
		return err
	}
	shown := d.answer.withoutBinding().Presentations
	err = errors.Join(
		os.WriteFile(d.snapshot, body, 0o600),
		os.WriteFile(d.evidence, []byte(strings.Join(shown, "\n")), 0o600))
	if err != nil {
		return err
	}
	for i, text := range shown {
		uri, err := statusURI(text)
		if err != nil {
			return err
		}
		list, _, err := d.HTTP.Get(ctx, uri, "application/statuslist+jwt")
		if err != nil {
			return err
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%d.jwt", d.lists, i), list, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// statusURI is where the status list of a credential is.
func statusURI(credential string) (string, error) {
	jwt, _, _ := strings.Cut(credential, "~")
	signed, err := jose.Parse(jwt)
	if err != nil {
		return "", err
	}
	var claims struct {
		Status struct {
			List struct {
				URI string `json:"uri"`
			} `json:"status_list"`
		} `json:"status"`
	}
	if err := json.Unmarshal(signed.Payload, &claims); err != nil {
		return "", err
	}
	return claims.Status.List.URI, expect(claims.Status.List.URI != "", "a credential names no status list")
}

// offline is step 9: every service ended, the network cut.
func (d *demo) offline(ctx context.Context) (string, error) {
	if d.o.Before != nil {
		if err := d.o.Before(d.World); err != nil {
			return "", err
		}
	}
	stopped := len(d.processes)
	if err := d.end(); err != nil {
		return "", err
	}
	cut, how := cutNetwork(ctx)
	base := []string{"verify", d.evidence, "--registry", d.snapshot, "--lang", "en"}
	verify := func(want int, more ...string) (string, error) {
		return d.typed(ctx, cut, want, slices.Concat(base, more)...)
	}
	answer, err := verify(verifyOK, "--genesis", d.Genesis, "--status", d.lists)
	if err != nil {
		return "", err
	}
	if _, err := verify(verifyStatus, "--genesis", d.Genesis); err != nil {
		return "", fmt.Errorf("without --status: %w", err)
	}
	if _, err := verify(verifyRegion, "--genesis", d.Neighbour.Genesis); err != nil {
		return "", fmt.Errorf("with another region pinned: %w", err)
	}
	return fmt.Sprintf("%d processes ended, %s: paspoort verify still answers (%s); without --status the status is unknown (exit %d); the snapshot of another region is refused (exit %d)",
		stopped, how, age(answer), verifyStatus, verifyRegion), nil
}

// typed runs the program as a person would, and wants an exit code.
func (d *demo) typed(ctx context.Context, prefix []string, want int, args ...string) (string, error) {
	words := slices.Concat(prefix, []string{d.program}, args)
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		return "", err
	}
	got := cmd.ProcessState.ExitCode()
	return out.String(), expect(got == want, "paspoort verify ended with %d, want %d:\n%s", got, want, out.String())
}

// cutNetwork gives the words that run a command without a network, where this
// computer permits that to us.
func cutNetwork(ctx context.Context) (prefix []string, how string) {
	for _, words := range [][]string{{"unshare", "-n"}, {"unshare", "-r", "-n"}} {
		if exec.CommandContext(ctx, words[0], append(words[1:], "true")...).Run() == nil {
			return words, "network cut (" + strings.Join(words, " ") + ")"
		}
	}
	return nil, "network not cut (unshare is not permitted here)"
}

// age is the line of an answer that says how old its knowledge is.
func age(answer string) string {
	for line := range strings.Lines(answer) {
		if strings.Contains(line, "Registry of") {
			return strings.TrimSpace(line)
		}
	}
	return "it does not say how old its knowledge is"
}
