package conf

import (
	"fmt"
	"log/slog"
	"strings"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/keyfile"
	"paspoort.example/paspoort/internal/monitor"
	"paspoort.example/paspoort/internal/outbound"
)

// Monitor configures paspoort log monitor.
type Monitor struct {
	Name    string           `json:"name,omitempty"` // in the messages; empty means "paspoort"
	Data    string           `json:"data"`           // folder for copies of the logs, proofs and what was told
	Regions []monitor.Region `json:"regions"`
	Watches []monitor.Watch  `json:"watches"`
	// EveryMinutes is the time between two looks; 0 means 5.
	EveryMinutes int `json:"every_minutes,omitzero"`
	// PatienceMinutes is how long no node of a region may answer before that is told; 0 means 60.
	PatienceMinutes int `json:"patience_minutes,omitzero"`

	Mail     *Alerts           `json:"mail,omitempty"`    // where messages go by mail
	Webhook  *Webhook          `json:"webhook,omitempty"` // where they are posted
	Outbound outbound.Settings `json:"outbound,omitzero"`
	Log      Log               `json:"log,omitzero"`
}

// Webhook is an address that messages are posted to as JSON.
type Webhook struct {
	URL string `json:"url"`
	// SecretFile holds a secret that signs each message; mode 0600.
	SecretFile string `json:"secret_file,omitempty"`
}

func (m *Monitor) paths() []*string {
	out := []*string{&m.Data, &m.Outbound.CAFile}
	if m.Mail != nil {
		out = append(out, &m.Mail.PasswordFile)
	}
	if m.Webhook != nil {
		out = append(out, &m.Webhook.SecretFile)
	}
	return out
}

// Logger writes what the monitor has to say to standard error.
func (m Monitor) Logger() (*slog.Logger, error) { return Operate{Log: m.Log}.Logger("monitor") }

// Tellers are those that messages go to. client is for the webhook.
func (m Monitor) Tellers(client *outbound.Client) (out []monitor.Teller, err error) {
	if m.Mail != nil {
		sender, err := m.Mail.sender()
		if err != nil {
			return nil, fmt.Errorf("%w: mail: %w", ErrConfig, err)
		}
		out = append(out, monitor.Mail{Sender: sender, Language: m.Mail.Language})
	}
	if m.Webhook != nil {
		if err := client.CheckURL(m.Webhook.URL); err != nil {
			return nil, fmt.Errorf("%w: webhook.url: %w", ErrConfig, err)
		}
		hook := monitor.Webhook{Client: client, URL: m.Webhook.URL}
		if m.Webhook.SecretFile != "" {
			raw, err := keyfile.ReadText(m.Webhook.SecretFile)
			if err != nil {
				return nil, fmt.Errorf("%w: webhook.secret_file: %w", ErrConfig, err)
			}
			hook.Secret = []byte(strings.TrimSpace(string(raw)))
		}
		out = append(out, hook)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: name where to tell it: mail, webhook or both", ErrConfig)
	}
	return out, nil
}

// Every is the time between two looks, Patience how long nobody may answer.
func (m Monitor) Every() time.Duration { return time.Duration(m.EveryMinutes) * time.Minute }

// Patience is how long no node of a region may answer.
func (m Monitor) Patience() time.Duration { return time.Duration(m.PatienceMinutes) * time.Minute }

// sender is the mail server, with its password.
func (a *Alerts) sender() (alert.SMTP, error) {
	mail := alert.SMTP{Server: a.SMTP, Security: a.Security, User: a.User, From: a.From, To: a.To}
	if a.PasswordFile != "" {
		raw, err := keyfile.ReadText(a.PasswordFile)
		if err != nil {
			return mail, fmt.Errorf("password_file: %w", err)
		}
		mail.Password = strings.TrimSpace(string(raw))
	}
	return mail, mail.Check()
}
