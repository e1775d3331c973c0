package alert

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed catalogs
var catalogs embed.FS

//go:embed mail
var mailTexts embed.FS

// Catalogs hold the words of every code, as a source of package page: problem.title.CODE,
// problem.text.CODE and problem.do.CODE, with the values {subject}, {value} and {limit}.
func Catalogs() fs.FS { return catalogs }

// Languages that mail can be written in; the first is the default.
var Languages = []string{"nl", "en"}

// words are the texts of one language by key.
type words map[string]string

func loadWords(lang string) (words, error) {
	if lang == "" {
		lang = Languages[0]
	}
	out := words{}
	for _, name := range []struct {
		from fs.FS
		file string
	}{{catalogs, "catalogs/problems." + lang + ".json"}, {mailTexts, "mail/" + lang + ".json"}} {
		raw, err := fs.ReadFile(name.from, name.file)
		if err != nil {
			return nil, fmt.Errorf("alert: no texts in the language %q: choose one of %s", lang, strings.Join(Languages, ", "))
		}
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, fmt.Errorf("alert: %s: %w", name.file, err)
		}
	}
	return out, nil
}

// say fills a text. A code without words is told by its name: better than silence.
func (w words) say(key string, p Problem) string {
	text, ok := w[key]
	if !ok {
		text = key
	}
	return strings.NewReplacer("{subject}", p.Subject, "{value}", p.Value, "{limit}", p.Limit).Replace(text)
}
