package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/specs/paspoort"
)

// program is how a person types this program; main knows it from how it was started. The
// texts say paspoort, and typed puts this in its place.
var program = "paspoort"

// started is how a program is typed again that was started under this name: a name that
// the shell found by itself stays, a path becomes short where it can.
func started(name string) string {
	if filepath.IsAbs(name) {
		name = relative(name)
	}
	if !plainWord.MatchString(name) {
		return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
	}
	return name
}

// plainWord is what a shell takes as one word without quotes.
var plainWord = regexp.MustCompile(`^[\w./@%+:,-]+$`)

// command is where a text names a command of this program. What stands in a path is none.
var command = regexp.MustCompile(`(^|[\s"'(])paspoort (demo|desk|dev|issuer|log|node|region|registry|verifier|verify|wallet)\b`)

// typed is a text in which every command begins as a person would type it here.
func typed(text string) string {
	return command.ReplaceAllStringFunc(text, func(found string) string {
		return strings.Replace(found, "paspoort", program, 1)
	})
}

func typedText(t paspoort.Text) paspoort.Text {
	return paspoort.Text{NL: typed(t.NL), EN: typed(t.EN)}
}

// typedHelp does so in the help of a command and of all under it.
func typedHelp(cmd *cobra.Command) {
	cmd.Long, cmd.Example = typed(cmd.Long), typed(cmd.Example)
	for _, sub := range cmd.Commands() {
		typedHelp(sub)
	}
}

// relative is how a person would type the path of the program here.
func relative(program string) string {
	here, err := os.Getwd()
	if err != nil {
		return program
	}
	rel, err := filepath.Rel(here, program)
	if err != nil || len(rel) > len(program) {
		return program
	}
	if filepath.Base(rel) == rel {
		return "./" + rel
	}
	return rel
}
