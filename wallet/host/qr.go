package host

import (
	"bytes"
	"errors"
	"image"
	_ "image/jpeg" // what cameras make
	_ "image/png"  // and what screens are saved as
	"io"
	"net/http"
	"slices"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"golang.org/x/image/draw"
)

// Reading a QR code from a photograph. It is done here and not in the browser, so that it
// works on every telephone, without script: the button opens the camera by itself. The
// picture is looked at in memory and kept nowhere.

var (
	errNoPhoto    = errors.New("no picture was sent")
	errPhotoLarge = errors.New("the picture is too large")
	errNoCode     = errors.New("there is no QR code in the picture")
)

const (
	maxPhoto = 20 << 20
	// A telephone makes 50 million pixels, as JPEG, which are 75 MB unpacked. Other kinds can
	// take eight bytes a pixel, and are pictures of a screen.
	maxPixels      = 52 << 20
	maxOtherPixels = 16 << 20
)

// readLooks are the ways in which a picture is looked at: at a size in pixels, first one that
// is enough for the largest code, and quick; in the light of each corner, which a photograph
// needs, or in even light, which a picture of a screen with a fine code needs; upside down,
// because the library misses one good code in a hundred that way up, whatever its size.
var readLooks = []struct {
	side         int
	even, turned bool
}{{1400, false, false}, {1400, true, true}, {1400, false, true}, {1400, true, false}, {1000, false, true}, {700, false, false}, {2000, true, true}, {2800, false, false}}

// readPhoto is the text of the QR code in the picture of a form.
func readPhoto(w http.ResponseWriter, r *http.Request) (string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxPhoto+1<<16)
	form, err := r.MultipartReader()
	if err != nil {
		return "", errNoPhoto
	}
	for {
		part, err := form.NextPart()
		if tooLarge(err) {
			return "", errPhotoLarge
		}
		if err != nil {
			return "", errNoPhoto
		}
		if part.FormName() != "photo" {
			continue
		}
		raw, err := io.ReadAll(io.LimitReader(part, maxPhoto+1))
		switch {
		case tooLarge(err), len(raw) > maxPhoto:
			return "", errPhotoLarge
		case err != nil, len(raw) == 0:
			return "", errNoPhoto
		}
		return readQR(raw)
	}
}

func tooLarge(err error) bool {
	_, ok := errors.AsType[*http.MaxBytesError](err)
	return ok
}

// readQR finds the QR code in a picture. The size is looked at before a pixel is unpacked.
func readQR(raw []byte) (text string, err error) {
	size, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return "", errNoCode
	}
	most := maxOtherPixels
	if kind == "jpeg" {
		most = maxPixels
	}
	if size.Width <= 0 || size.Height <= 0 || size.Width > most/size.Height {
		return "", errPhotoLarge
	}
	picture, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return "", errNoCode
	}
	// The library reads hostile pictures, and a fault in it is one picture that cannot be read.
	defer func() {
		if recover() != nil {
			text, err = "", errNoCode
		}
	}()
	for _, look := range readLooks {
		sized := fit(picture, look.side)
		if look.turned {
			slices.Reverse(sized.Pix)
		}
		if text, err := decodeQR(sized, look.even); err == nil {
			return text, nil
		}
	}
	return "", errNoCode
}

func decodeQR(picture image.Image, even bool) (string, error) {
	source := gozxing.NewLuminanceSourceFromImage(picture)
	binarizer := gozxing.NewHybridBinarizer(source)
	if even {
		binarizer = gozxing.NewGlobalHistgramBinarizer(source)
	}
	bits, err := gozxing.NewBinaryBitmap(binarizer)
	if err != nil {
		return "", errNoCode
	}
	found, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		return "", errNoCode
	}
	return found.GetText(), nil
}

// fit makes the longest side of a picture as long as asked, but not more than four times
// what it was.
func fit(picture image.Image, side int) *image.Gray {
	b := picture.Bounds()
	longest := max(b.Dx(), b.Dy())
	side = min(side, 4*longest)
	small := image.NewGray(image.Rect(0, 0, max(1, b.Dx()*side/longest), max(1, b.Dy()*side/longest)))
	draw.ApproxBiLinear.Scale(small, small.Bounds(), picture, b, draw.Src, nil)
	return small
}
