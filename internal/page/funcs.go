package page

import (
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"time"
	_ "time/tzdata" // the zone of the Netherlands, also where the system has none
)

// funcs are what templates can call, in one language.
//
//	t KEY [NAME VALUE]...     a text
//	tn KEY N [NAME VALUE]...  a text that counts
//	tk PREFIX VALUE           the text PREFIX.VALUE
//	day TIME                  2 maart 2026
//	moment TIME               2 maart 2026, 13.00 uur
//	clock TIME                13.00 uur
//	age DURATION              3 minuten
//	applink URL               a link that opens an app on this device
//	lang, tag                 nl-A2, and nl: the language of the texts, and for lang=
//	asset NAME                the path of a picture of the sources: "kaart.svg"
func (k *Kit) funcs(lang Language) template.FuncMap {
	c := k.catalogs[lang]
	return template.FuncMap{
		"t":  func(key string, values ...any) (string, error) { return c.say(key, values) },
		"tn": func(key string, n int, values ...any) (string, error) { return c.count(key, n, values) },
		"tk": func(prefix string, value any, values ...any) (string, error) {
			return c.say(fmt.Sprintf("%s.%v", prefix, value), values)
		},
		"lang":    func() Language { return lang },
		"tag":     lang.Tag,
		"asset":   k.assetPath,
		"day":     func(t time.Time) string { return day(lang, t) },
		"moment":  func(t time.Time) string { return moment(lang, t) },
		"clock":   func(t time.Time) string { return clock(lang, t) },
		"age":     c.age,
		"iso":     func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"applink": applink,
	}
}

func (k *Kit) assetPath(name string) (string, error) {
	a, ok := k.assets[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return a.path, nil
}

var dutchMonths = [...]string{"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"}

func day(lang Language, t time.Time) string {
	t = local(t)
	if lang == English {
		return t.Format("2 January 2006")
	}
	return fmt.Sprintf("%d %s %d", t.Day(), dutchMonths[t.Month()-1], t.Year())
}

func moment(lang Language, t time.Time) string { return day(lang, t) + ", " + clock(lang, t) }

func clock(lang Language, t time.Time) string {
	if lang == English {
		return local(t).Format("15:04")
	}
	return local(t).Format("15.04 uur")
}

func local(t time.Time) time.Time {
	zone, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		return t.UTC()
	}
	return t.In(zone)
}

// age tells a duration in its largest unit, rounded down: who reads that a list is
// one hour old must not find it older than two.
func (c *catalog) age(d time.Duration) (string, error) {
	switch {
	case d < time.Minute:
		return c.count("age.seconds", int(max(d, 0)/time.Second), nil)
	case d < time.Hour:
		return c.count("age.minutes", int(d/time.Minute), nil)
	case d < 48*time.Hour:
		return c.count("age.hours", int(d/time.Hour), nil)
	}
	return c.count("age.days", int(d/(24*time.Hour)), nil)
}

// appSchemes are the custom schemes that open a wallet: OpenID4VCI 1.0 4.1.2,
// OpenID4VP 1.0 13.1.2, HAIP 1.0 4.2 and 5.1, and what EUDI wallets register.
var appSchemes = []string{"openid-credential-offer", "openid4vp", "haip-vci", "haip-vp", "eudi-openid4vp", "https"}

// applink marks a link with one of these schemes as safe; html/template otherwise
// replaces every scheme that it does not know.
func applink(raw string) (template.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || !slices.Contains(appSchemes, u.Scheme) {
		return "", fmt.Errorf("not a link to a wallet")
	}
	return template.URL(raw), nil // not u.String(), which drops the empty host of "openid4vp://?"
}
