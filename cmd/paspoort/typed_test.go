package main

import (
	"path/filepath"
	"testing"
)

// TestTyped: a command in a text begins as the program was started, and nothing else in
// the text changes.
func TestTyped(t *testing.T) {
	was := program
	t.Cleanup(func() { program = was })
	program = "build/paspoort"
	for text, want := range map[string]string{
		"Typ: paspoort wallet list":              "Typ: build/paspoort wallet list",
		"paspoort verify F":                      "build/paspoort verify F",
		`with "paspoort wallet import", or`:      `with "build/paspoort wallet import", or`,
		"a:\n  paspoort wallet init":             "a:\n  build/paspoort wallet init",
		"see: build/paspoort wallet show --help": "see: build/paspoort wallet show --help",
		"Dit paspoort is van u.":                 "Dit paspoort is van u.",
		"een paspoort walletje":                  "een paspoort walletje",
	} {
		if got := typed(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestStarted: how the program is typed again.
func TestStarted(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"paspoort":                                  "paspoort",
		"build/paspoort":                            "build/paspoort",
		"./paspoort":                                "./paspoort",
		filepath.Join(here, "build", "paspoort"):    "build/paspoort",
		filepath.Join(here, "paspoort"):             "./paspoort",
		filepath.Join(here, "mijn map", "paspoort"): "'mijn map/paspoort'",
		"/opt/paspoort":                             "/opt/paspoort",
	} {
		if got := started(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
