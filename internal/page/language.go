package page

import (
	"net/http"
	"strconv"
	"strings"
)

// Language is a language of the pages, as BCP 47 writes it.
type Language string

const (
	Dutch   Language = "nl"
	English Language = "en"
)

// Languages in the order in which they are offered; the first is the default.
var Languages = []Language{Dutch, English}

var languageNames = map[Language]string{Dutch: "Nederlands", English: "English"}

// The choice of language is remembered in a cookie that holds nothing else.
const cookieName = "lang"

// language is the reader's: chosen just now (?lang=en), chosen before (a cookie),
// or what the browser asks. A new choice is remembered.
func (k *Kit) language(w http.ResponseWriter, r *http.Request) Language {
	if lang, ok := known(r.URL.Query().Get("lang")); ok {
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: string(lang), Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
		})
		return lang
	}
	if c, err := r.Cookie(cookieName); err == nil {
		if lang, ok := known(c.Value); ok {
			return lang
		}
	}
	return accepted(r.Header.Get("Accept-Language"))
}

func known(s string) (Language, bool) {
	for _, lang := range Languages {
		if s == string(lang) {
			return lang, true
		}
	}
	return "", false
}

// accepted reads Accept-Language (RFC 9110 12.5.4): the language of ours with the
// greatest weight, the first when equal.
func accepted(header string) Language {
	best, weight := Languages[0], 0.0
	for i, part := range strings.Split(header, ",") {
		if i == 20 { // nobody reads twenty languages
			break
		}
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		lang, ok := known(primary)
		if !ok {
			continue
		}
		if q := quality(params); q > weight {
			best, weight = lang, q
		}
	}
	return best
}

func quality(params string) float64 {
	value, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
	if !found {
		return 1
	}
	q, err := strconv.ParseFloat(value, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}

// switches are the links of the language switch: this page, in each language.
func switches(r *http.Request, current Language) []switchEntry {
	// One slash: "//elsewhere.example" would lead to another site.
	path := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/")
	var out []switchEntry
	for _, lang := range Languages {
		q := r.URL.Query()
		q.Set("lang", string(lang))
		out = append(out, switchEntry{lang, languageNames[lang], path + "?" + q.Encode(), lang == current})
	}
	return out
}
