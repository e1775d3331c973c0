package main

// Rules of what is printed: the answer goes to standard output and all else to
// standard error; a state is a word and a sign, never a colour alone; who proved it
// comes before how; ages are told, not left to be computed.

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// defaultLanguage is Dutch, unless the terminal says English. Of its variables the first
// that is set counts (POSIX, 8.2 Internationalization Variables).
func defaultLanguage() string {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "en") {
				return "en"
			}
			return "nl"
		}
	}
	return "nl"
}

func checkLanguage(lang string) error {
	if lang == "nl" || lang == "en" {
		return nil
	}
	return exitError{exitUsage, fmt.Errorf("taal %q is er niet, kies nl of en / there is no language %q here: nl or en", lang, lang)}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// words of the frame around the sentences of a verdict.
type verdictWords struct {
	knows, old, status, asof, level string
	provedBy                        [5]string // by proof level, before a name
	nobody, whose, stands, unsure   string
	something                       string // a credential whose type cannot be read
}

var verdictTexts = map[string]verdictWords{
	"nl": {
		"Register van", "oud", "status", "van", "bewijsniveau",
		[5]string{"", "bevestigd door", "bevestigd door werkgever of leerbedrijf", "onafhankelijk beoordeeld door", "erkend waardepapier van"},
		"nog niet bewezen", "van wie is niet getoond", "of het nog geldt is niet bekend", "niet alles is zeker (zie boven)", "Bewijs",
	},
	"en": {
		"Registry of", "old", "status", "as of", "proof level",
		[5]string{"", "confirmed by", "confirmed by employer or work placement company", "assessed independently by", "recognised document of"},
		"not proved yet", "whose it is was not shown", "whether it still holds is not known", "not all is certain (see above)", "Credential",
	},
}

// printVerdict tells a verdict to a person.
func printVerdict(w io.Writer, v paspoort.Verdict, lang string) error {
	words := verdictTexts[lang]
	s := styleOf(w)
	fmt.Fprintf(w, "%s %s\n", s.sign(v.Outcome), s.bold(v.Sentence.In(lang)))
	for _, r := range v.RegistryViews() {
		name := r.Name
		if name == "" {
			name = r.Region[:min(12, len(r.Region))]
		}
		age := (time.Duration(r.AgeSeconds) * time.Second).String()
		fmt.Fprintf(w, "  %s\n", s.dim(fmt.Sprintf("%s %s, %s %s (%s %s)", words.knows, name, age, words.old, words.asof, r.Time)))
		if r.Via != nil || r.Doubt != "" {
			fmt.Fprintf(w, "  %s\n", s.dim(r.Note.In(lang)))
		}
	}
	for _, c := range v.Credentials {
		fmt.Fprintf(w, "\n%s %s\n", s.sign(c.Outcome), s.bold(cmp.Or(c.TypeName.In(lang), words.something)+issuedBy(c.Issuer)))
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
		fmt.Fprintf(w, "%s %s: %s\n", s.sign(skill.State), skill.Label, proof(v, skill, words, lang))
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

// proof says who proved a skill and how strongly. A proof of which something cannot be
// known is told with what that is: a file never shows whose it is.
func proof(v paspoort.Verdict, skill paspoort.SkillVerdict, words verdictWords, lang string) string {
	var best *paspoort.Proof
	for i, p := range skill.Proofs {
		if p.ProofLevel == nil || p.State == paspoort.Failed {
			continue
		}
		if best == nil || p.State == paspoort.OK && best.State != paspoort.OK || p.State == best.State && *p.ProofLevel > *best.ProofLevel {
			best = &skill.Proofs[i]
		}
	}
	if best == nil {
		return words.nobody
	}
	text := paspoort.LevelText(*best.ProofLevel).In(lang)
	if who := strings.TrimPrefix(issuedBy(best.By), " · "); who != "" && words.provedBy[*best.ProofLevel] != "" {
		text = words.provedBy[*best.ProofLevel] + " " + who
	}
	text += fmt.Sprintf(" (%s %d)", words.level, *best.ProofLevel)
	for _, c := range v.Credentials {
		if c.Index == best.Credential {
			text += openQuestions(c.Checks, words)
		}
	}
	return text
}

// openQuestions names what about a credential is not known.
func openQuestions(checks []paspoort.Check, words verdictWords) string {
	holder, status, other := "", "", ""
	for _, c := range checks {
		switch {
		case c.State == paspoort.OK, c.Name == paspoort.CheckNonceAudience: // for whom it was made goes with whose it is
		case c.Name == paspoort.CheckHolderBinding:
			holder = "; " + words.whose
		case c.Name == paspoort.CheckStatus:
			status = "; " + words.stands
		default:
			other = "; " + words.unsure
		}
	}
	return other + status + holder
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
