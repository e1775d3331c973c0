package sdjwtvc

import "strings"

// bestLocale is the index of the locale for the wanted tags (RFC 4647 3.4 in
// small): an equal tag, else the same language, else the first; -1 without any.
func bestLocale(locales, tags []string) int {
	for _, tag := range tags {
		for i, l := range locales {
			if strings.EqualFold(l, tag) {
				return i
			}
		}
		for i, l := range locales {
			if strings.EqualFold(language(l), language(tag)) {
				return i
			}
		}
	}
	if len(locales) == 0 {
		return -1
	}
	return 0
}

// language is the first subtag.
func language(tag string) string {
	l, _, _ := strings.Cut(tag, "-")
	return l
}
