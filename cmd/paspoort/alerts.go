package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
)

// newTestAlertsCommand sends one message the way alerts go, for a role whose file is read by
// load: an alert that never arrives is found out on the wrong day.
func newTestAlertsCommand(role string, load func(path string) (conf.Server, error)) *cobra.Command {
	config := role + ".json"
	cmd := &cobra.Command{
		Use:   "test-alerts",
		Short: "Send a test message the way alerts are sent",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			server, err := load(config)
			if err != nil {
				return err
			}
			log, err := server.Logger(role)
			if err != nil {
				return err
			}
			n, err := server.Notifier(log)
			if err != nil {
				return err
			}
			if n == nil {
				return hint(fmt.Errorf("%s has no alerts", config), `add "alerts": {"smtp": "mail.example:587", "from": "...", "to": ["..."]}`)
			}
			if err := n.Test(cmd.Context()); err != nil {
				return hint(err, "is the mail server reachable from here, and do user and password_file fit?")
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "sent to %d address(es); see whether it arrives\n", len(server.Alerts.To))
			return err
		},
	}
	cmd.Flags().StringVar(&config, "config", config, "configuration file")
	return cmd
}

func nodeServer(path string) (conf.Server, error) {
	var c conf.Node
	err := loadConfig(path, &c)
	return c.Server, err
}

func issuerServer(path string) (conf.Server, error) {
	var c conf.Issuer
	err := loadConfig(path, &c)
	return c.Server, err
}

func verifierServer(path string) (conf.Server, error) {
	var c conf.Verifier
	err := loadConfig(path, &c)
	return c.Server, err
}
