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

// newHolder makes the folder's wallet: it knows the region and its nodes.
func (w *World) newHolder(ctx context.Context) (*holder, error) {
	h := &holder{program: w.program, dir: w.l.path("wallet"), secret: w.l.path("wallet.passphrase")}
	if _, err := keyfile.Secret(h.secret); err != nil {
		return nil, err
	}
	args := append([]string{"init"}, w.walletFlags()...)
	return h, h.run(ctx, nil, args...)
}

// walletFlags tell a new wallet which region to rely on.
func (w *World) walletFlags() []string {
	flags := []string{"--region", w.Genesis}
	for _, n := range nodes {
		flags = append(flags, "--node", w.settings.url(n.id))
	}
	if w.settings.TLS {
		return append(flags, "--ca-file", w.l.path(localCA))
	}
	return append(flags, "--loopback-http")
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
