package monitor

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// Message is what is told at once.
type Message struct {
	Monitor string  `json:"monitor"` // its name
	Events  []Event `json:"events,omitempty"`
	Alarms  []Alarm `json:"alarms,omitempty"`
}

// Alarm is something that is wrong with a region or a node.
type Alarm struct {
	Region string        `json:"region"` // genesis
	Name   string        `json:"region_name,omitempty"`
	Node   string        `json:"node,omitempty"` // its address
	Code   string        `json:"code"`           // of internal/audit, or "unreachable"
	At     time.Time     `json:"at"`             // when it was found
	Text   paspoort.Text `json:"text"`
	Detail string        `json:"detail,omitempty"`
	Proof  string        `json:"proof,omitempty"` // file with the proof
}

// Teller brings a message to somebody. An error means that it may not have arrived.
type Teller interface {
	Tell(ctx context.Context, m Message) error
}

// Mail tells by mail.
type Mail struct {
	Sender   alert.Sender
	Language string // nl or en; empty means nl
}

// Tell implements Teller.
func (m Mail) Tell(ctx context.Context, msg Message) error {
	lang := m.Language
	if lang == "" {
		lang = "nl"
	}
	return m.Sender.Send(ctx, subject(msg, lang), body(msg, lang))
}

var (
	textAlarm    = paspoort.Text{NL: "er is iets mis", EN: "something is wrong"}
	textMore     = paspoort.Text{NL: "en nog %d", EN: "and %d more"}
	textProposed = paspoort.Text{NL: "voorgesteld", EN: "proposed"}
	textFor      = paspoort.Text{NL: "U volgt: %s", EN: "You watch: %s"}
	textProof    = paspoort.Text{NL: "Het bewijs staat in %s; controleer het met: paspoort log proof BESTAND --log URL", EN: "The proof is in %s; check it with: paspoort log proof FILE --log URL"}
	textEntry    = paspoort.Text{NL: "regel %d van het register van %s, %s", EN: "entry %d of the registry of %s, %s"}
	textEnd      = paspoort.Text{
		NL: "Dit bericht komt van uw eigen volger (paspoort log monitor). Alles is nagerekend; u hoeft hem niet op zijn woord te geloven: paspoort log verify URL --genesis GENESIS",
		EN: "This message is from your own monitor (paspoort log monitor). All of it was checked; you need not take its word: paspoort log verify URL --genesis GENESIS"}
)

func subject(m Message, lang string) string {
	if len(m.Alarms) > 0 {
		return oneLine(fmt.Sprintf("[%s] %s: %s", m.Monitor, orHash(m.Alarms[0].Name, m.Alarms[0].Region), textAlarm.In(lang)))
	}
	first := m.Events[0]
	text := fmt.Sprintf("[%s] %s: %s", m.Monitor, orHash(first.RegionName, first.Region), doing(first, lang))
	if more := len(m.Events) - 1; more > 0 {
		text += ", " + fmt.Sprintf(textMore.In(lang), more)
	}
	return oneLine(text)
}

// oneLine is text of others without what a header may not hold, or what would look like words of
// ours in a message.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
			return ' '
		}
		return r
	}, text)
	return strings.Join(strings.Fields(text), " ")
}

// maxDetail is how much of a detail is told: it may repeat what a node said.
const maxDetail = 300

func orHash(name, genesis string) string {
	if name != "" {
		return oneLine(name)
	}
	return fmt.Sprintf("%.12s", genesis)
}

func doing(e Event, lang string) string {
	text := e.Text.In(lang)
	if e.State == Proposed {
		text += " (" + textProposed.In(lang) + ")"
	}
	if e.Name != "" {
		text += ": " + oneLine(e.Name)
	}
	return text
}

func body(m Message, lang string) string {
	var b strings.Builder
	for _, a := range m.Alarms {
		fmt.Fprintf(&b, "! %s", orHash(a.Name, a.Region))
		if a.Node != "" {
			fmt.Fprintf(&b, ", %s", a.Node)
		}
		fmt.Fprintf(&b, "\n  %s\n", a.Text.In(lang))
		if a.Detail != "" {
			fmt.Fprintf(&b, "  (%.*s)\n", maxDetail, oneLine(a.Detail))
		}
		if a.Proof != "" {
			fmt.Fprintf(&b, "  "+textProof.In(lang)+"\n", a.Proof)
		}
		b.WriteString("\n")
	}
	for _, e := range m.Events {
		fmt.Fprintf(&b, "* %s\n", doing(e, lang))
		fmt.Fprintf(&b, "  "+textEntry.In(lang)+"\n", e.Index, orHash(e.RegionName, e.Region), e.At.Format("2006-01-02 15:04 UTC"))
		fmt.Fprintf(&b, "  "+textFor.In(lang)+"\n\n", strings.Join(e.Watches, ", "))
	}
	fmt.Fprintf(&b, "-- \n%s\n", textEnd.In(lang))
	return b.String()
}

// Webhook tells by a POST of the message as JSON.
type Webhook struct {
	Client registry.Doer
	URL    string
	// Secret, when set, makes the header Paspoort-Signature: "sha256=" and the HMAC of the body in
	// hexadecimal, so that the receiver knows who sent it.
	Secret []byte
}

// Tell implements Teller.
func (h Webhook) Tell(ctx context.Context, m Message) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if len(h.Secret) > 0 {
		mac := hmac.New(sha256.New, h.Secret)
		mac.Write(raw)
		r.Header.Set("Paspoort-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	}
	res, err := h.Client.Do(r)
	if err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("webhook: %w", &outbound.StatusError{Code: res.StatusCode})
	}
	return nil
}
