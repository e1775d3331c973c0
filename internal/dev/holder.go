package dev

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"paspoort.example/paspoort/internal/keyfile"
)

// holder is a person with the command line wallet.
type holder struct {
	program string
	dir     string // of the wallet
	secret  string // file with the passphrase
}

// newHolder makes a wallet with a name: it knows the region and its nodes.
func (w *World) newHolder(ctx context.Context, name string) (*holder, error) {
	h := &holder{program: w.program, dir: w.l.path(name), secret: w.l.path(name + ".passphrase")}
	if _, err := keyfile.Secret(h.secret); err != nil {
		return nil, err
	}
	ready := w.l.path("ready.json")
	if err := w.WriteReady(ready); err != nil {
		return nil, err
	}
	return h, h.run(ctx, nil, "init", "--ready-file", ready)
}

// run types a wallet command and decodes what it answers with --json.
func (h *holder) run(ctx context.Context, out any, args ...string) error {
	full := append([]string{"wallet", "--dir", h.dir, "--passphrase-file", h.secret, "--json"}, args...)
	cmd := exec.CommandContext(ctx, h.program, full...)
	var said, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complaints
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("wallet %s: %w: %s", args[0], err, strings.TrimSpace(complaints.String()+said.String()))
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(said.Bytes(), out); err != nil {
		return fmt.Errorf("wallet %s answered %q: %w", args[0], said.String(), err)
	}
	return nil
}

// consent is what the wallet shows before anything goes.
type consent struct {
	Consent struct {
		Asker struct {
			Known bool   `json:"known"`
			Name  string `json:"name"`
		} `json:"asker"`
		Purpose string     `json:"purpose"`
		Items   []struct{} `json:"items"`
	} `json:"consent"`
	Sent bool `json:"sent"`
}

// show answers a request, and checks what the holder saw: who asks, as the registry
// knows it, and why.
func (h *holder) show(ctx context.Context, invocation, asker, purpose string) error {
	var c consent
	if err := h.run(ctx, &c, "present", invocation, "--yes"); err != nil {
		return err
	}
	seen := c.Consent
	if !c.Sent || !seen.Asker.Known || !strings.HasPrefix(seen.Asker.Name, asker) || seen.Purpose != purpose {
		return fmt.Errorf("the wallet showed %+v, want %s with its purpose", c, asker)
	}
	return nil
}
