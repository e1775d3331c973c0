package alert

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// Sender brings a message to the operator. An error means that it may not have arrived.
type Sender interface {
	Send(ctx context.Context, subject, body string) error
}

// Config of a Notifier.
type Config struct {
	Sender   Sender
	Name     string // of the server, as it stands in the subject: "knoop-1"
	Language string // of the mail; empty means Dutch
	// Remind is how often a critical problem that lasts is told again; 0 means a day.
	Remind time.Duration
	// MostPerHour bounds the messages; what changes beyond it waits. 0 means 6.
	MostPerHour int
	Log         *slog.Logger // nil means nothing is logged
}

// Notifier turns changes into messages. What could not be sent is sent with the next
// message. Not safe for concurrent use: one goroutine looks, and tells.
type Notifier struct {
	c       Config
	words   words
	waiting []Change
	told    time.Time // of the last message that was sent
	sent    []time.Time
	retry   time.Time // not before
	failed  int       // in a row
}

// NewNotifier fails when there are no texts in the language.
func NewNotifier(c Config) (*Notifier, error) {
	w, err := loadWords(c.Language)
	if err != nil {
		return nil, err
	}
	if c.Remind == 0 {
		c.Remind = 24 * time.Hour
	}
	if c.MostPerHour == 0 {
		c.MostPerHour = 6
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Notifier{c: c, words: w}, nil
}

// sendPatience bounds one attempt: a mail server that hangs must not stop the looking.
const sendPatience = 30 * time.Second

// Tell takes what changed and what is open, and sends when there is something to say. The
// error is that of sending; the changes are kept for the next call.
func (n *Notifier) Tell(ctx context.Context, now time.Time, changes []Change, open []Problem) error {
	n.waiting = merge(n.waiting, changes)
	if len(n.waiting) == 0 && !n.reminds(now, open) || now.Before(n.retry) || n.full(now) {
		return nil
	}
	subject, body := n.message(now, open)
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	if err := n.c.Sender.Send(ctx, subject, body); err != nil {
		n.failed++
		n.retry = now.Add(min(time.Minute<<min(n.failed, 6), time.Hour))
		n.c.Log.Warn("alert not sent", "changes", len(n.waiting), "again_at", n.retry, "error", err)
		return fmt.Errorf("alert: %w", err)
	}
	n.c.Log.Info("alert sent", "changes", len(n.waiting), "open", len(open))
	n.waiting, n.told, n.failed, n.retry = nil, now, 0, time.Time{}
	n.sent = append(n.sent, now)
	return nil
}

// Failed is how many attempts in a row did not succeed.
func (n *Notifier) Failed() int { return n.failed }

// merge joins changes of the same thing: who was not told that it began needs not be told
// that it ended.
func merge(waiting, changes []Change) []Change {
	for _, c := range changes {
		i := slices.IndexFunc(waiting, func(w Change) bool { return w.Code == c.Code && w.Subject == c.Subject })
		if i < 0 {
			waiting = append(waiting, c)
			continue
		}
		c.Was = waiting[i].Was
		if waiting[i] = c; c.Was == c.Level {
			waiting = slices.Delete(waiting, i, i+1)
		}
	}
	return waiting
}

// reminds says whether something critical was told so long ago that it is told again.
func (n *Notifier) reminds(now time.Time, open []Problem) bool {
	return slices.ContainsFunc(open, func(p Problem) bool {
		last := p.Since
		if n.told.After(last) {
			last = n.told
		}
		return p.Level == Critical && now.Sub(last) >= n.c.Remind
	})
}

func (n *Notifier) full(now time.Time) bool {
	n.sent = slices.DeleteFunc(n.sent, func(t time.Time) bool { return now.Sub(t) >= time.Hour })
	return len(n.sent) >= n.c.MostPerHour
}

// message says what began or grew worse, what is better, and what is open still.
func (n *Notifier) message(now time.Time, open []Problem) (subject, body string) {
	var b strings.Builder
	worst, told := Fine, map[key]bool{}
	write := func(heading string, list []Problem, full bool) {
		if len(list) == 0 {
			return
		}
		fmt.Fprintf(&b, "%s\n\n", n.words[heading])
		for _, p := range list {
			told[key{p.Code, p.Subject}] = true
			n.write(&b, p, full)
		}
		b.WriteString("\n")
	}
	var worse, better, rest []Problem
	for _, c := range n.waiting {
		if c.Level > c.Was {
			worse = append(worse, c.Problem)
		} else {
			better = append(better, c.Problem)
		}
	}
	for _, p := range open {
		worst = max(worst, p.Level)
	}
	slices.SortFunc(worse, order)
	write("mail.worse", worse, true)
	write("mail.better", better, false)
	for _, p := range open {
		if !told[key{p.Code, p.Subject}] {
			rest = append(rest, p)
		}
	}
	write("mail.open", rest, len(n.waiting) == 0)
	fmt.Fprintf(&b, "-- \n%s, %s\n%s\n", n.c.Name, now.UTC().Format("2006-01-02 15:04 UTC"), n.words["mail.end"])
	first := n.words["mail.fine"]
	if list := slices.Concat(worse, rest, better); worst > Fine && len(list) > 0 {
		first = n.words.say("problem.title."+list[0].Code, list[0])
	}
	return fmt.Sprintf("[%s] %s: %s", n.c.Name, n.words["mail.level."+worst.String()], first), b.String()
}

func (n *Notifier) write(b *strings.Builder, p Problem, full bool) {
	fmt.Fprintf(b, "* %s: %s\n", n.words["mail.level."+p.Level.String()], n.words.say("problem.title."+p.Code, p))
	if full {
		fmt.Fprintf(b, "  %s\n  %s\n", n.words.say("problem.text."+p.Code, p), n.words.say("problem.do."+p.Code, p))
	}
}

// Test sends a message that says only that mail arrives.
func (n *Notifier) Test(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sendPatience)
	defer cancel()
	return n.c.Sender.Send(ctx, fmt.Sprintf("[%s] %s", n.c.Name, n.words["mail.test.subject"]), n.words["mail.test.text"]+"\n")
}
