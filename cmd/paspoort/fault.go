package main

// How failures are told to a person: one sentence that says what happened and one that
// says what to do, in Dutch or English; what a protocol or the machine said of it comes
// after, as a short detail. With --json the same stands on standard output under the
// protocol's own code, so that a program needs to read nothing else.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

// A fault is a failure with its words. It is the error that a command returns.
type fault struct {
	code       string // of the protocol where it gives one, else ours
	text, next paspoort.Text
	detail     string
	lang       string
	cause      error
}

func (f *fault) Error() string { return f.text.In(f.lang) }
func (f *fault) Unwrap() error { return f.cause }

func (f *fault) print(w io.Writer) {
	fmt.Fprintln(w, "paspoort:", f.Error())
	if next := f.next.In(f.lang); next != "" {
		fmt.Fprintln(w, "  "+next)
	}
	if f.detail != "" {
		fmt.Fprintln(w, "  "+styleOf(w).dim("("+f.detail+")"))
	}
}

// A failure is how faults answer as JSON.
type failure struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	Next        string `json:"next,omitempty"`
	Detail      string `json:"detail,omitempty"`
	Data        any    `json:"data,omitempty"` // what the person needs for deciding
}

// told wraps a command: whatever it returns is told as a fault.
func told(run func(*cobra.Command, []string) error, lang *string, asJSON *bool) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := run(cmd, args)
		if err == nil {
			return nil
		}
		if e, ok := errors.AsType[exitError](err); ok && e.err == nil {
			return err // said already
		}
		if ctx := cmd.Context(); ctx != nil && ctx.Err() != nil {
			err = errors.Join(context.Canceled, err)
		}
		f := explain(err, *lang)
		if *asJSON {
			answer := failure{Error: f.code, Description: f.Error(), Next: f.next.In(f.lang), Detail: f.detail}
			if d, ok := errors.AsType[withData](err); ok {
				answer.Data = d.data
			}
			f.cause = errors.Join(f.cause, printJSON(cmd.OutOrStdout(), answer))
		}
		return f
	}
}

// withData is an error with what belongs beside it in JSON.
type withData struct {
	error
	data any
}

func (w withData) Unwrap() error { return w.error }

// explain finds the words for an error: of the first row of the table that fits.
func explain(err error, lang string) *fault {
	if f, ok := errors.AsType[*fault](err); ok {
		if f.lang == "" { // words that were chosen where the language was not at hand
			f.lang = lang
		}
		return f
	}
	f := &fault{code: "failed", lang: lang, cause: err, detail: shorten(err.Error()),
		text: paspoort.Text{NL: "Het is niet gelukt.", EN: "It did not work."}}
	for _, k := range knownFaults {
		if !k.is(err) {
			continue
		}
		f.code, f.text, f.next, f.detail = k.code, k.text, k.next, ""
		if k.detail {
			f.detail = detailOf(err)
		}
		break
	}
	if n := attemptsLeft.FindStringSubmatch(f.detail); n != nil && f.code == wrongCode {
		f.next = paspoort.Text{NL: "Kijk de code na. U kunt het nog " + n[1] + " keer proberen.", EN: "Check the code. Attempts left: " + n[1] + "."}
	}
	if h, ok := errors.AsType[hinted](err); ok && f.next == (paspoort.Text{}) {
		f.next = paspoort.Text{NL: h.next, EN: h.next}
	}
	if code := protocolCode(err); code != "" {
		f.code = code
	}
	f.text, f.next = typedText(f.text), typedText(f.next)
	return f
}

// attemptsLeft is how an issuer of ours says how often a code may still be tried.
var attemptsLeft = regexp.MustCompile(`attempts left: ([0-9]+)$`)

// protocolCode is the code that the other side gave, or that a request of its earns.
func protocolCode(err error) string {
	if e, ok := errors.AsType[*openid4vci.Error](err); ok {
		return string(e.Code)
	}
	if e, ok := errors.AsType[*openid4vp.RefusedError](err); ok {
		return string(e.Code)
	}
	if e, ok := errors.AsType[*openid4vp.Error](err); ok {
		return string(e.Code)
	}
	return ""
}

// detailOf is what lies at the bottom of an error, or what the other side said.
func detailOf(err error) string {
	if e, ok := errors.AsType[*openid4vci.Error](err); ok {
		return shorten(strings.Trim(string(e.Code)+": "+e.Description, ": "))
	}
	if e, ok := errors.AsType[*openid4vp.RefusedError](err); ok {
		return shorten(strings.TrimSpace(fmt.Sprintf("%d %s %s", e.Status, e.Code, e.Description)))
	}
	if e, ok := errors.AsType[*openid4vp.Error](err); ok {
		return shorten(e.Error())
	}
	leaf, above := err, err
	for {
		inner := causeOf(leaf)
		if inner == nil {
			break
		}
		leaf, above = inner, leaf
	}
	// A bare sentinel says which rule, what was added to it says why.
	if _, why, ok := strings.Cut(above.Error(), leaf.Error()+": "); ok {
		return shorten(why)
	}
	_, own, _ := strings.Cut(leaf.Error(), ": ")
	if own == "" || isSystem(leaf) {
		own = leaf.Error()
	}
	return shorten(own)
}

// causeOf is what an error was made of; nil when it says enough by itself.
func causeOf(err error) error {
	if isSystem(err) {
		return nil
	}
	switch u := err.(type) {
	case interface{ Unwrap() []error }:
		if all := u.Unwrap(); len(all) > 0 {
			return all[len(all)-1]
		}
	case interface{ Unwrap() error }:
		return u.Unwrap()
	}
	return nil
}

// isSystem: the call and its subject say more than the number of the failure in it.
func isSystem(err error) bool {
	switch err.(type) {
	case *net.OpError, *net.DNSError, *fs.PathError, *os.SyscallError, *os.LinkError:
		return true
	}
	return false
}

// shorten keeps a detail on one line of a screen.
func shorten(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 160 {
		return string(r[:160]) + "…"
	}
	return s
}
