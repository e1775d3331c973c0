package host

import (
	"bytes"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"testing"

	"github.com/boombuler/barcode/qr"
)

// screenOf is a picture of a screen with a QR code, so many pixels wide: the modules do not
// fall on whole pixels.
func screenOf(t *testing.T, text string, side int) []byte {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	modules := code.Bounds().Dx() + 8
	picture := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			at := image.Pt(x*modules/side-4, y*modules/side-4)
			picture.SetGray(x, y, color.Gray{0xff})
			if at.In(code.Bounds()) && code.At(at.X, at.Y) == color.Black {
				picture.SetGray(x, y, color.Gray{0})
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestReadQR: every code of the length of an offer or a request can be read from a picture
// of a screen, also the fine ones.
func TestReadQR(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	for i := range 24 {
		raw := make([]byte, []int{60, 100, 150, 200}[i%4])
		for j := range raw {
			raw[j] = byte(chance.Uint32())
		}
		side := []int{304, 608, 912}[i%3]
		want := "openid-credential-offer://?credential_offer_uri=https://" + hex.EncodeToString(raw)
		if got, err := readQR(screenOf(t, want, side)); err != nil || got != want {
			t.Errorf("code %d, %d letters on %d pixels: got %q, %v", i, len(want), side, got, err)
		}
	}
	if _, err := readQR([]byte("no picture")); !errors.Is(err, errNoCode) {
		t.Errorf("got %v", err)
	}
}
