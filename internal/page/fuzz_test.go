package page

import (
	"bytes"
	"encoding/xml"
	"io"
	"slices"
	"testing"
)

// FuzzAccepted: whatever a browser asks, the answer is a language that we have.
func FuzzAccepted(f *testing.F) {
	for _, seed := range []string{"nl", "en-GB;q=0.8, nl;q=0.7", "*", ";;,,q=", "en;q=NaN", "en;q=-1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if got := accepted(defaultLanguages, header); !slices.Contains(defaultLanguages, got) {
			t.Errorf("%q gives %q", header, got)
		}
	})
}

// FuzzQR: any text is drawn as well-formed SVG, or refused.
func FuzzQR(f *testing.F) {
	for _, seed := range []string{"openid4vp://?x=1", "", "\x00\xff", `"><script>`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		svg, err := QR(text)
		if err != nil {
			return
		}
		d := xml.NewDecoder(bytes.NewReader(svg))
		for {
			if _, err := d.Token(); err == io.EOF {
				return
			} else if err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	})
}
