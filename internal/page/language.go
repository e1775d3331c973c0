package page

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Language is a language of the pages, as the names of the catalogs and the cookie
// write it.
type Language string

// The languages that a kit can speak. EasyDutch is Dutch at level A2, for who reads
// with trouble: a language of its own to us, the same to a browser.
const (
	Dutch     Language = "nl"
	EasyDutch Language = "nl-A2"
	English   Language = "en"
)

// defaultLanguages are those of a kit that does not say; the first is the default.
var defaultLanguages = []Language{Dutch, English}

var languageNames = map[Language]string{Dutch: "Nederlands", EasyDutch: "Makkelijk Nederlands", English: "English"}

// Tag is the language as BCP 47 writes it, for lang= and for texts of a standard that
// know no levels.
func (l Language) Tag() string {
	if l == EasyDutch {
		return string(Dutch)
	}
	return string(l)
}

// The choice of language is remembered in a cookie that holds nothing else.
const cookieName = "lang"

// language is the reader's: chosen just now (?lang=en), chosen before (a cookie),
// or what the browser asks. A new choice is remembered; on a device that is not the
// reader's only until the browser closes.
func (k *Kit) language(w http.ResponseWriter, r *http.Request) Language {
	if lang, ok := known(k.languages, r.URL.Query().Get("lang")); ok {
		age := 365 * 24 * 3600
		if frameOf(r).Private {
			age = 0
		}
		http.SetCookie(w, &http.Cookie{
			Name: cookieName, Value: string(lang), Path: "/", MaxAge: age,
			HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil,
		})
		return lang
	}
	return k.Language(r)
}

// Language is the reader's, without remembering anything.
func (k *Kit) Language(r *http.Request) Language {
	if lang, ok := known(k.languages, r.URL.Query().Get("lang")); ok {
		return lang
	}
	if c, err := r.Cookie(cookieName); err == nil {
		if lang, ok := known(k.languages, c.Value); ok {
			return lang
		}
		// A site beside this one may have easy Dutch where this one has none.
		if lang, ok := known(k.languages, Language(c.Value).Tag()); ok {
			return lang
		}
	}
	return accepted(k.languages, r.Header.Get("Accept-Language"))
}

func known(languages []Language, s string) (Language, bool) {
	if lang := Language(s); slices.Contains(languages, lang) {
		return lang, true
	}
	return "", false
}

// accepted reads Accept-Language (RFC 9110 12.5.4): the language of ours with the
// greatest weight, the first when equal. A browser asks for "nl" and never for an
// easy one: that is the reader's own choice.
func accepted(languages []Language, header string) Language {
	best, weight := languages[0], 0.0
	for i, part := range strings.Split(header, ",") {
		if i == 20 { // nobody reads twenty languages
			break
		}
		tag, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
		lang, ok := known(languages, primary)
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
func (k *Kit) switches(r *http.Request, current Language) []switchEntry {
	// One slash: "//elsewhere.example" would lead to another site.
	path := "/" + strings.TrimLeft(r.URL.EscapedPath(), "/")
	var out []switchEntry
	for _, lang := range k.languages {
		q := r.URL.Query()
		q.Set("lang", string(lang))
		out = append(out, switchEntry{lang.Tag(), languageNames[lang], path + "?" + q.Encode(), lang == current})
	}
	return out
}
