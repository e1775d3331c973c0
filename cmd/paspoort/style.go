package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// style dresses text for a terminal, and leaves it plain for a file, a pipe, or who
// asked for no colour (https://no-color.org).
type style struct{ on bool }

func styleOf(w io.Writer) style {
	f, ok := w.(*os.File)
	return style{ok && term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == ""}
}

func (s style) wrap(code, text string) string {
	if !s.on {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) bold(text string) string { return s.wrap("1", text) }
func (s style) dim(text string) string  { return s.wrap("2", text) }
func (s style) link(text string) string { return s.wrap("4;36", text) }
func (s style) good(text string) string { return s.wrap("32", text) }
func (s style) bad(text string) string  { return s.wrap("31", text) }
