package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/monitor"
	"paspoort.example/paspoort/internal/outbound"
)

func newLogMonitorCommand(f *logFlags) *cobra.Command {
	config := "monitor.json"
	var once bool
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Watch the logs of regions, and be told by mail or at an address",
		Long: `Watch the logs of regions: for a member, an organisation or a journalist. Everything
that the nodes show is checked and kept. What you asked about is told by mail, or posted
to an address as JSON; so is what is wrong. When a node or a region shows two histories,
the proof is kept in a file: see paspoort log proof.

The file (mode 0600):

  {
    "name": "redactie",
    "data": "monitor",
    "regions": [{"genesis": "3f2a...", "nodes": ["https://knoop-1.example"]}],
    "watches": [
      {"name": "wij", "organisation": "org_..."},
      {"name": "opleidingen", "type": "urn:paspoort:opleiding:1"},
      {"name": "intrekkingen", "withdrawals": true},
      {"name": "buren", "kinds": ["peer.accepted", "peer.dropped"]}
    ],
    "mail": {"smtp": "mail.example:587", "from": "volger@redactie.example", "to": ["jan@redactie.example"],
             "user": "volger", "password_file": "mail.password"},
    "webhook": {"url": "https://redactie.example/paspoort", "secret_file": "webhook.secret"}
  }

All that one watch names must hold. "everything": true tells all. What happened before the
first look is told with "from_begin": true beside a region. No region hears what you watch.`,
		Example: `  paspoort log monitor --config monitor.json
  paspoort log monitor --config monitor.json --once`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			m, err := f.monitor(cmd, config)
			if err != nil {
				return err
			}
			defer m.Close()
			if !once {
				return m.Run(cmd.Context())
			}
			if err := m.Look(cmd.Context()); err != nil {
				return withWords(err, "not_all", words("Niet alles kon worden bekeken of gemeld.", "Not all could be looked at or told."),
					words("Het gebeurt alsnog bij de volgende keer.", "It is done the next time."))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&config, "config", config, "configuration file")
	cmd.Flags().BoolVar(&once, "once", false, "look once, tell what there is to tell, and end")
	return cmd
}

func (f *logFlags) monitor(cmd *cobra.Command, path string) (*monitor.Monitor, error) {
	var c conf.Monitor
	if err := conf.Load(path, &c); err != nil {
		return nil, badMonitor(err)
	}
	if c.Data == "" {
		return nil, badMonitor(errors.New(`"data" names no folder`))
	}
	c.Outbound.LoopbackHTTP = c.Outbound.LoopbackHTTP || f.loopback
	policy, err := c.Outbound.Policy()
	if err != nil {
		return nil, badMonitor(err)
	}
	policy.MaxBytes = max(policy.MaxBytes, audit.MaxFile)
	client := outbound.New(policy)
	tellers, err := c.Tellers(client)
	if err != nil {
		return nil, badMonitor(err)
	}
	log, err := c.Logger()
	if err != nil {
		return nil, badMonitor(err)
	}
	m, err := monitor.New(cmd.Context(), monitor.Config{
		Name: c.Name, Dir: c.Data, Regions: c.Regions, Watches: c.Watches, Tellers: tellers, Client: client,
		Every: c.Every(), Patience: c.Patience(), Log: log, Scratch: freshStore,
	})
	if err != nil {
		return nil, badMonitor(err)
	}
	return m, nil
}

// freshStore is an empty store in a folder.
func freshStore(dir string) (kv.Store, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	return kv.OpenBadger(dir, kv.Options{})
}

func badMonitor(err error) error {
	return withWords(err, "bad_monitor", words(fmt.Sprintf("De volger kan zo niet beginnen: %v.", err), fmt.Sprintf("The monitor cannot begin like this: %v.", err)),
		words("Kijk het bestand na: paspoort log monitor --help", "Check the file: paspoort log monitor --help"))
}
