package main

// Rules of what is printed: the answer goes to standard output and all else to
// standard error; a state is a word and a sign, never a colour alone; who proved it
// comes before how; ages are told, not left to be computed.

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// defaultLanguage is the language of the terminal: Dutch, or English for all others.
func defaultLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "nl") {
				return "nl"
			}
			return "en"
		}
	}
	return "en"
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// words of the frame around the sentences of a verdict.
type verdictWords struct{ knows, old, status, asof, level, provedBy, nobody string }

var verdictTexts = map[string]verdictWords{
	"nl": {"Register van", "oud", "status", "van", "bewijsniveau", "bewezen door", "nog niet bewezen"},
	"en": {"Registry of", "old", "status", "as of", "proof level", "proved by", "not proved yet"},
}

// printVerdict tells a verdict to a person.
func printVerdict(w io.Writer, v paspoort.Verdict, lang string) error {
	words, ok := verdictTexts[lang]
	if !ok {
		return exitError{exitUsage, fmt.Errorf("there is no language %q here: nl or en", lang)}
	}
	s := styleOf(w)
	fmt.Fprintf(w, "%s %s\n", s.sign(v.Outcome), s.bold(v.Sentence.In(lang)))
	for _, r := range v.RegistryViews() {
		name := r.Name
		if name == "" {
			name = r.Region[:min(12, len(r.Region))]
		}
		age := (time.Duration(r.AgeSeconds) * time.Second).String()
		fmt.Fprintf(w, "  %s\n", s.dim(fmt.Sprintf("%s %s, %s %s (%s %s)", words.knows, name, age, words.old, words.asof, r.Time)))
	}
	for _, c := range v.Credentials {
		fmt.Fprintf(w, "\n%s %s\n", s.sign(c.Outcome), s.bold(c.TypeName.In(lang)+issuedBy(c.Issuer)))
		for _, check := range c.Checks {
			fmt.Fprintf(w, "  %s %-16s %s\n", s.sign(check.State), paspoort.CheckTitle(check.Name).In(lang), check.Sentence.In(lang))
		}
		if c.StatusAsOf != "" {
			fmt.Fprintf(w, "  %s\n", s.dim(fmt.Sprintf("%s %s, %s %s", words.status, c.Status, words.asof, c.StatusAsOf)))
		}
	}
	if len(v.Skills) > 0 {
		fmt.Fprintln(w)
	}
	for _, skill := range v.Skills {
		fmt.Fprintf(w, "%s %s: %s\n", s.sign(skill.State), skill.Label, proof(skill, words, lang))
	}
	return nil
}

func issuedBy(i paspoort.IssuerView) string {
	for _, name := range []string{i.Name, i.CallsItself, i.ID} {
		if name != "" {
			return " · " + name
		}
	}
	return ""
}

func proof(skill paspoort.SkillVerdict, words verdictWords, lang string) string {
	if skill.ProofLevel == nil || len(skill.Proofs) == 0 {
		return words.nobody
	}
	return fmt.Sprintf("%s %d (%s), %s%s", words.level, *skill.ProofLevel, skill.ProofText.In(lang), words.provedBy, issuedBy(skill.Proofs[0].By))
}

// sign is the sign of a state, dressed for a terminal.
func (s style) sign(state paspoort.State) string {
	switch state {
	case paspoort.OK:
		return s.good("✓")
	case paspoort.Failed:
		return s.bad("✕")
	}
	return s.wrap("33", "?")
}
