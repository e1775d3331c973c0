package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/founding"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/specs/registry"
)

// newNodeFederationKeyCommand is for nodes of before rules version 3, which had four keys.
func newNodeFederationKeyCommand() *cobra.Command {
	var config, out string
	cmd := &cobra.Command{
		Use:   "federation-key",
		Short: "Make a node's key for OpenID Federation, when it has none yet",
		Long: `Make a node's key for OpenID Federation, when it has none yet: nodes that were made before
rules version 3 have none, and sign no statements. The key is written beside the node's
other keys. A member proposes it to the region with the file that this command writes:

  paspoort registry propose node.keys node.keys.json

Then put "federation_key": "federation.key" in node.json and start the node again.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var c conf.Node
			if err := conf.Load(config, &c); err != nil {
				return hint(err, "name the configuration file of the node with --config")
			}
			if c.FederationKey != "" {
				return errors.New("this node has a key for OpenID Federation already: see federation_key in its configuration")
			}
			path := filepath.Join(filepath.Dir(c.TimestampKey), founding.FileFederationKey)
			key, err := keyfile.LoadOrCreate(path, keyfile.ES256)
			if err != nil {
				return err
			}
			pub, err := registry.NewPublicKey(key.Public())
			if err != nil {
				return err
			}
			raw, err := json.MarshalIndent(&registry.NodeChange{ID: c.ID, Keys: &registry.NodeKeys{Federation: pub}, Reason: "signs statements of OpenID Federation"}, "", "  ")
			if err != nil {
				return err
			}
			if err := keyfile.WriteAtomic(out, append(raw, '\n'), 0o644); err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "Written: %s (keep it secret) and %s (for a member, who types:)\n  %s\n", path, out, typed("paspoort registry propose node.keys "+out))
			fmt.Fprintf(w, "Then put \"federation_key\": %q in %s and start the node again.\n", founding.FileFederationKey, config)
			return nil
		},
	}
	cmd.Flags().StringVar(&config, "config", "node.json", "configuration file of the node")
	cmd.Flags().StringVar(&out, "out", "node.keys.json", "file for the member that proposes the key")
	return cmd
}
