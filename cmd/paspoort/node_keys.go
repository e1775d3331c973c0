package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/registry"
)

// minPassphrase is the shortest passphrase that seals a member's key.
const minPassphrase = 12

// newPassphraseTries is how often a person is asked for a new one.
const newPassphraseTries = 3

// openKey opens the key of a member: a file, or a key on a token. The passphrase or PIN comes
// from a file, or is asked.
func openKey(cmd *cobra.Command, address, file string) (keyfile.Opened, error) {
	return keyfile.Open(address, func() (string, error) { return passphraseOf(cmd, file, "Passphrase of "+address+": ") })
}

func passphraseOf(cmd *cobra.Command, file, prompt string) (string, error) {
	if file != "" {
		body, err := keyfile.ReadText(file) // who can read it needs only a copy of the key
		if errors.Is(err, keyfile.ErrPermissions) {
			err = hint(err, "type: chmod 600 "+file)
		}
		return strings.TrimRight(string(body), "\r\n"), err
	}
	words, err := readHidden(cmd, prompt)
	if errors.Is(err, errNoTerminal) {
		return "", hint(err, "give the passphrase in a file: --passphrase-file FILE")
	}
	return string(words), err
}

// newPassphrase asks for a passphrase twice, unless it is in a file. Who types one that will
// not do is asked again.
func newPassphrase(cmd *cobra.Command, file string) (words string, err error) {
	for range newPassphraseTries {
		words, err = passphraseOf(cmd, file, fmt.Sprintf("New passphrase for the member's key, at least %d characters: ", minPassphrase))
		if err != nil {
			return "", err
		}
		if len([]rune(words)) < minPassphrase {
			err = fmt.Errorf("the passphrase is shorter than %d characters: take some words that belong to you only", minPassphrase)
		} else if file == "" {
			var again string
			if again, err = passphraseOf(cmd, "", "Once more: "); err == nil && again != words {
				err = errDiffer
			}
		}
		if err == nil || file != "" {
			return words, err
		}
		fmt.Fprintln(cmd.ErrOrStderr(), err)
	}
	return "", err
}

// thisComputer is outbound.Loopback in the words of a configuration file.
var thisComputer = []string{"127.0.0.0/8", "::1/128"}

// regionClient reaches a node by its public address, also on this computer and in the given
// private ranges.
func regionClient(url, caFile string, private ...string) (registry.Client, error) {
	return regionClientBy(url, outbound.Settings{CAFile: caFile, AllowPrivate: private})
}

// regionClientBy is regionClient with the outbound settings of a configuration file.
func regionClientBy(url string, settings outbound.Settings) (registry.Client, error) {
	settings.LoopbackHTTP, settings.MaxBytes = true, max(settings.MaxBytes, maxLeavesBytes)
	settings.AllowPrivate = slices.Concat(thisComputer, settings.AllowPrivate)
	policy, err := settings.Policy()
	if err != nil {
		return registry.Client{}, err
	}
	return registry.Client{HTTP: outbound.New(policy), URL: strings.TrimRight(url, "/")}, nil
}
