package page

import (
	"bytes"
	"fmt"
	"image/color"
	"net/http"
	"strconv"

	"github.com/boombuler/barcode/qr"
)

// quiet is the white border around a QR code, in modules: ISO/IEC 18004 asks four.
const quiet = 4

// QR draws text as a QR code (ISO/IEC 18004, correction level M) in SVG, black on
// white also in the dark, because many readers need it so. It fails when the text
// does not fit in the largest code, about 2,300 bytes.
func QR(text string) ([]byte, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("page: qr code: %w", err)
	}
	size := code.Bounds().Dx()
	side := strconv.Itoa(size + 2*quiet)
	var b bytes.Buffer
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + " " + side + `" shape-rendering="crispEdges">`)
	b.WriteString(`<path fill="#fff" d="M0 0h` + side + `v` + side + `H0z"/><path fill="#000" d="`)
	for y := range size {
		for x := 0; x < size; x++ {
			run := 0
			for x+run < size && dark(code.At(x+run, y)) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes(), nil
}

func dark(c color.Color) bool {
	r, _, _, _ := c.RGBA()
	return r == 0
}

// WriteQR answers with a QR code, for an <img> of a page. It is never stored: the
// code may be somebody's.
func WriteQR(w http.ResponseWriter, text string) error {
	svg, err := QR(text)
	if err != nil {
		http.Error(w, "this is too long for a QR code", http.StatusInternalServerError)
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(svg)
	return nil
}
