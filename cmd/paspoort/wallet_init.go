package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/wallet"
)

func newWalletInitCommand(f *walletFlags) *cobra.Command {
	var regions, nodes []string
	var ready string
	var settings outbound.Settings
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a paspoort",
		Long: `Make a paspoort, and say which regions it relies on. A region is pinned by its
genesis, 64 hexadecimal digits, and reached by its nodes:

  paspoort wallet init --region GENESIS=URL,URL
  paspoort wallet init --region GENESIS --node URL --node URL
  paspoort wallet init --ready-file ready.json     the region of "paspoort dev"`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := chosenRegions(regions, nodes, ready, &settings)
			if err != nil {
				return err
			}
			return f.init(cmd, chosen, settings)
		},
	}
	cmd.Flags().StringArrayVar(&regions, "region", nil, "GENESIS or GENESIS=URL,URL of a region to rely on; may be repeated")
	cmd.Flags().StringArrayVar(&nodes, "node", nil, "address of a node of the region named last; may be repeated")
	cmd.Flags().StringVar(&ready, "ready-file", "", "take the regions from the ready file of paspoort dev")
	cmd.Flags().StringVar(&settings.CAFile, "ca-file", "", "certificates to trust for https beside the system's")
	cmd.Flags().BoolVar(&settings.LoopbackHTTP, "loopback-http", false, "allow plain http on this computer")
	return cmd
}

// chosenRegions reads the flags, and the ready file, which brings its authority.
func chosenRegions(regions, nodes []string, ready string, settings *outbound.Settings) ([]wallet.RegionSettings, error) {
	out := []wallet.RegionSettings{}
	for _, r := range regions {
		genesis, urls, _ := strings.Cut(r, "=")
		s := wallet.RegionSettings{Genesis: genesis, Nodes: []string{}}
		if urls != "" {
			s.Nodes = strings.Split(urls, ",")
		}
		out = append(out, s)
	}
	if len(nodes) > 0 {
		if len(out) == 0 {
			return nil, exitError{exitUsage, fmt.Errorf("%w: --node needs a --region", errGenesis)}
		}
		out[len(out)-1].Nodes = append(out[len(out)-1].Nodes, nodes...)
	}
	if ready != "" {
		var file struct {
			Regions []struct {
				Genesis string
				Nodes   []struct{ URL string }
			}
			CAFile string `json:"ca_file"`
		}
		raw, err := os.ReadFile(ready)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &file); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", errReadyFile, ready, err)
		}
		if len(file.Regions) == 0 {
			return nil, fmt.Errorf("%w: %s names no region", errReadyFile, ready)
		}
		for _, r := range file.Regions {
			s := wallet.RegionSettings{Genesis: r.Genesis}
			for _, n := range r.Nodes {
				s.Nodes = append(s.Nodes, n.URL)
			}
			out = append(out, s)
		}
		settings.CAFile = file.CAFile
		settings.LoopbackHTTP = true // a region on this computer, with https or without
	}
	return out, checkRegions(out)
}

func isGenesis(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}

func checkRegions(regions []wallet.RegionSettings) error {
	for _, r := range regions {
		if !isGenesis(r.Genesis) {
			return exitError{exitUsage, fmt.Errorf("%w: %.64q is no genesis", errGenesis, r.Genesis)}
		}
		if len(r.Nodes) == 0 {
			return exitError{exitUsage, fmt.Errorf("%w: region %.12s has no node", errGenesis, r.Genesis)}
		}
	}
	return nil
}

func (f *walletFlags) init(cmd *cobra.Command, regions []wallet.RegionSettings, settings outbound.Settings) (err error) {
	if settings.CAFile != "" {
		if settings.CAFile, err = filepath.Abs(settings.CAFile); err != nil {
			return err
		}
	}
	if _, err := settings.Policy(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(f.dir, outboundFile)); err == nil {
		return wallet.ErrExists
	}
	secret, err := f.secret(cmd, true)
	if err != nil {
		return err
	}
	if err := wallet.CheckPassphrase(secret); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.dir), 0o700); err != nil {
		return err
	}
	err = os.Mkdir(f.dir, 0o700)
	made, fresh := false, err == nil
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	path := filepath.Join(f.dir, outboundFile)
	if err := writeSettings(path, settings); err != nil {
		return err
	}
	defer func() {
		switch { // nothing half-made stays behind
		case !made && fresh:
			err = errors.Join(err, os.RemoveAll(f.dir))
		case !made:
			err = errors.Join(err, os.Remove(path))
		}
	}()
	o, err := f.open(cmd, func(c wallet.Config) (*wallet.Wallet, error) { return wallet.Init(c, secret, regions...) })
	if err != nil {
		return err
	}
	made = true
	if err := o.Close(); err != nil {
		return err
	}
	return f.say(cmd, map[string]any{"dir": f.dir, "regions": regions}, func(p *walletPrinter) { p.made(f.dir, regions) })
}

// writeSettings makes the file, so that of two commands at once only one makes a wallet.
func writeSettings(path string, settings outbound.Settings) error {
	raw, err := json.MarshalIndent(settings, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return wallet.ErrExists
	}
	if err != nil {
		return err
	}
	_, err = file.Write(append(raw, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}
