package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/wallet"
)

func newRegistryInitCommand(f *registryFlags) *cobra.Command {
	var regions []string
	var ready string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Set down who you are and where the region is",
		Long: `Set down who you are and where the region is, in the file that --config names.

A member says who it is; an organisation that is new gets an id and a key:

  paspoort registry init --pin GENESIS=URL,URL --as member/gemeente-aakermonde --key lid.key
  paspoort registry init --pin GENESIS=URL,URL

The key file of an organisation is made when it is not there, sealed with a passphrase; a
member names the key that the region knows.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings := outbound.Settings{CAFile: f.caFile, LoopbackHTTP: f.loopback, AllowPrivate: f.private}
			if f.region != "" {
				regions = append(regions, f.region)
			}
			chosen, err := chosenRegions(regions, f.nodes, ready, &settings)
			if errors.Is(err, errGenesis) {
				return withWords(exitError{exitUsage, errors.New("no region to pin")}, "no_genesis",
					words("Zo is het geen regio: haar nummer (genesis, 64 tekens) en het adres van een knooppunt zijn beide nodig.", "This is no region: its id (genesis, 64 characters) and the address of a node are both needed."),
					words("Noem haar zo: --pin GENESIS=URL", "Name it like this: --pin GENESIS=URL"))
			}
			if err != nil {
				return err
			}
			if len(chosen) != 1 {
				return needs("pin")
			}
			if err := mayReach(cmd.Context(), chosen[0].Nodes, settings); err != nil {
				return inLanguage(err, f.lang)
			}
			return f.init(cmd, chosen[0], settings)
		},
	}
	cmd.Flags().StringArrayVar(&regions, "pin", nil, "GENESIS=URL,URL: the region by its id, and its nodes")
	cmd.Flags().StringVar(&ready, "ready-file", "", "take the region from the ready file of paspoort dev")
	return cmd
}

func (f *registryFlags) init(cmd *cobra.Command, region wallet.RegionSettings, settings outbound.Settings) error {
	if _, err := os.Stat(f.config); err == nil {
		return fmt.Errorf("%w: %s", errSeatExists, f.config)
	}
	dir := filepath.Dir(f.config)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	s := conf.Seat{Region: conf.Region{Genesis: region.Genesis, Nodes: region.Nodes}, Outbound: settings, Party: f.as, Key: f.key, Data: filepath.Join(dir, "registry-copy")}
	if s.Party == "" {
		id, err := registry.NewOrganisationID(rand.Reader)
		if err != nil {
			return err
		}
		s.Party = registry.OrganisationParty(id)
	}
	if !strings.HasPrefix(s.Party, registry.MemberParty("")) && !strings.HasPrefix(s.Party, registry.OrganisationParty("")) {
		return exitError{exitUsage, fmt.Errorf("%w: --as is member/ID or organisation/ID", errNeedFlag)}
	}
	member := strings.HasPrefix(s.Party, registry.MemberParty(""))
	if s.Key == "" && member {
		return needs("key")
	}
	if s.Key == "" {
		s.Key = filepath.Join(dir, "registry.key")
	}
	for _, path := range []*string{&s.Key, &s.Data, &s.Outbound.CAFile} {
		if *path == "" || conf.OnToken(*path) {
			continue
		}
		full, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = full
	}
	if member {
		if err := keyIsThere(s.Key); err != nil {
			return err
		}
	}
	checked, err := f.checkSeat(cmd, s)
	if err != nil {
		return err
	}
	made, err := f.makeKey(cmd, s.Key)
	if err != nil {
		return err
	}
	if err := conf.Write(f.config, s); err != nil {
		return err
	}
	answer := map[string]any{"config": f.config, "party": s.Party, "key": s.Key, "key_made": made, "genesis": s.Region.Genesis, "checked": checked}
	return f.say(cmd, answer, func(p *registryPrinter) {
		p.line("%s Vastgelegd in %s", "%s Set down in %s", p.s.good("✓"), f.config)
		p.fact("Regio", "Region", s.Region.Genesis)
		p.fact("U tekent als", "You sign as", s.Party)
		p.fact("Sleutel", "Key", s.Key)
		if !checked {
			p.line("Let op: geen knooppunt antwoordt nu, dus het is niet nagekeken.", "Mind: no node answers now, so it was not checked.")
		}
		if made {
			p.line("De sleutel is nieuw; hij is nu gemaakt.", "The key is new; it was made now.")
			p.line("\nBewaar een kopie van de sleutel op een andere plek. Zonder sleutel en wachtwoordzin kunt u niets meer tekenen.",
				"\nKeep a copy of the key in another place. Without key and passphrase you can sign nothing any more.")
		}
		if strings.HasPrefix(s.Party, registry.OrganisationParty("")) {
			p.line("\nVraag nu toelating aan:\n  %s apply --help", "\nNow apply for admission:\n  %s apply --help", p.command)
		} else {
			p.line("\nKijk wat op u wacht:\n  %s status", "\nSee what waits for you:\n  %s status", p.command)
		}
	})
}

// makeKey makes a sealed key file when there is none yet.
func (f *registryFlags) makeKey(cmd *cobra.Command, path string) (made bool, err error) {
	if conf.OnToken(path) {
		return false, nil
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	secret, err := f.newSecret(cmd, path)
	if err != nil {
		return false, err
	}
	key, err := keyfile.Generate(keyfile.ES256)
	if err != nil {
		return false, err
	}
	return true, keyfile.Create(path, key, secret)
}

// newSecret is a passphrase that is long enough: whoever has the file can try for ever. Who
// types one that will not do is asked again.
func (f *registryFlags) newSecret(cmd *cobra.Command, path string) (secret string, err error) {
	for range newPassphraseTries {
		secret, err = f.secret(cmd, path, true)
		if err == nil && len([]rune(secret)) < minPassphrase {
			err = errWeakKey
		}
		if err == nil || f.passphrase != "" || !errors.Is(err, errWeakKey) && !errors.Is(err, errDiffer) {
			return secret, err
		}
		f.printer(cmd.ErrOrStderr()).line("Te kort, of niet twee keer hetzelfde.", "Too short, or not the same twice.")
	}
	return "", err
}

// absoluteKey is the address of a key that holds from every folder.
func absoluteKey(key string) (string, error) {
	if conf.OnToken(key) {
		return key, nil
	}
	return filepath.Abs(key)
}
