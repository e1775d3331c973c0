package host

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/openid4vci/vcitest"
)

// offerQuery is the query with which the issuer sends somebody here.
func (g *rig) offerQuery() string {
	_, query, _ := strings.Cut(g.vci.Link(opleidingID, offerCode), "?")
	return query
}

// TestCollect: who offers is shown first, then what it says, and only then it is kept.
func TestCollect(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/offer?"+g.offerQuery()).at("/offer/[^/]+").says("Bekend in Regio Aakermonde", "Mag bewijzen geven", "Er is nog niets bewaard")
	offer := p.Path
	p.post(offer).at(offer).says("Vul de code in")
	p.post(offer, "code", "000000").at(offer).says("De code klopt niet")
	p.post(offer, "code", "493 536").at(offer+"/look").says("Klopt dit?", "Verzorgen")
	if n := len(g.vci.Notifications()); n != 0 {
		t.Errorf("the issuer heard %d times before anything was kept", n)
	}
	p.get("/paspoort")
	if strings.Contains(p.Page, "Verzorgen") {
		t.Error("it is in the paspoort before it was kept")
	}
	p.post(offer + "/keep").at("/paspoort/[^/]+").says("Het bewijs zit in uw paspoort")
	item := p.Path
	p.post(offer + "/keep").at("/paspoort") // pressed twice
	p.get(item).at(item).says("Verzorgen")
	if got := g.vci.Notifications(); len(got) != 1 || got[0].Event != openid4vci.CredentialAccepted {
		t.Errorf("the issuer heard %v", got)
	}
	p.get(offer).at(item).says("zit al in uw paspoort") // back in the browser
}

// TestNotKept: what is not right is not kept, and the issuer hears that much.
func TestNotKept(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/offer?" + g.offerQuery())
	offer := p.Path
	p.post(offer, "code", offerCode).post(offer + "/drop").at("/paspoort").says("Er is niets bewaard")
	if got := g.vci.Notifications(); len(got) != 1 || got[0].Event != openid4vci.CredentialDeleted {
		t.Errorf("the issuer heard %v", got)
	}
}

// TestOfferFaults: each fault says what happened and what to do, and keeps nothing.
func TestOfferFaults(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	spent := g.offerQuery()
	p.get("/offer?"+spent).post(p.Path, "code", offerCode)
	faults := map[string]struct{ query, want string }{
		"not an offer":        {"credential_offer=%7B%7D", "geen aanbod"},
		"nothing there":       {"credential_offer_uri=https%3A%2F%2Fnergens.example.com%2Fx", ""},
		"two at once":         {"credential_offer=%7B%7D&credential_offer_uri=https%3A%2F%2Fx.example", "geen aanbod"},
		"an address inside":   {"credential_offer_uri=http%3A%2F%2F127.0.0.1%2Fx", ""},
		"malformed":           {"credential_offer=%zz", "geen aanbod"},
		"of another protocol": {"client_id=x", "geen aanbod"},
	}
	for name, tt := range faults {
		t.Log(name)
		{
			p.get("/offer?" + tt.query).at("/offer/problem")
			if p.Status != http.StatusUnprocessableEntity {
				t.Errorf("got %d", p.Status)
			}
			p.says(tt.want, "Naar mijn paspoort")
		}
	}
	p.get("/offer?" + spent)
	p.post(p.Path, "code", offerCode).at("/offer/problem")
	p.get("/offer?x=" + strings.Repeat("x", maxBring+1))
	if p.Status != http.StatusBadRequest {
		t.Errorf("a long query: got %d", p.Status)
	}
}

// TestStranger: an issuer that no region knows is refused with the reason; the holder can go
// on knowingly.
func TestStranger(t *testing.T) {
	g := newRig(t)
	const name = "onbekend.example.com"
	stranger := vcitest.Start(t, vcitest.Options{Now: g.clock.Now, Batch: 1, Credential: g.issue, Change: func(c *openid4vci.ServerConfig) {
		c.Metadata.CredentialIssuer = "https://" + name
		c.Metadata.Configurations = map[string]openid4vci.CredentialConfiguration{opleidingID: vcitest.Configuration(opleidingID)}
	}})
	g.hosts[name] = stranger.Server
	p := g.holder("Samira")
	_, query, _ := strings.Cut(stranger.Link(opleidingID, offerCode), "?")
	p.get("/offer?"+query).at("/offer/problem").says("Geen regio kent deze organisatie", "Niemand die wij kennen", name)
	p.post("/offer/anyway").at("/offer/[^/]+").says("niemand voor u heeft nagekeken")
	p.post("/offer/anyway").at("/collect")
}

// TestPaste: a link is told by what is in it.
func TestPaste(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/collect").says("Plak hier de link")
	p.post("/collect", "text", "goedemorgen").at("/collect").says("Hier staat geen aanbod of vraag in")
	p.post("/collect", "text", "  "+g.vci.Link(opleidingID, offerCode)+"\n").at("/offer/[^/]+").says("heeft een bewijs voor u")
	p.post("/collect", "text", "openid4vp://?"+g.asker.ask(false, verzorgenURI)).at("/present/[^/]+").says("Zorggroep Linde vraagt iets van u")
}

// photograph is a picture of a QR code on a desk, a little turned and grey.
func photograph(t *testing.T, text string) image.Image {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		t.Fatal(err)
	}
	code, err = barcode.Scale(code, 600, 600)
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, 2400, 1800))
	for y := range 1800 {
		for x := range 2400 {
			// Turned by about five degrees around the middle, and twice as large.
			dx, dy := float64(x-1200), float64(y-900)
			sx, sy := int((dx*0.996+dy*0.087)/2+300), int((dy*0.996-dx*0.087)/2+300)
			c := color.RGBA{200, 196, 188, 255}
			if sx >= 0 && sy >= 0 && sx < 600 && sy < 600 {
				if r, _, _, _ := code.At(sx, sy).RGBA(); r == 0 {
					c = color.RGBA{40, 40, 48, 255}
				}
			}
			out.SetRGBA(x, y, c)
		}
	}
	return out
}

// TestPhoto: the QR code on a photograph is read; what holds none is told so.
func TestPhoto(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	picture := photograph(t, g.vci.Link(opleidingID, offerCode))
	var asJPEG, asPNG, empty bytes.Buffer
	if err := jpeg.Encode(&asJPEG, picture, nil); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&asPNG, picture); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(&empty, image.NewGray(image.Rect(0, 0, 300, 300))); err != nil {
		t.Fatal(err)
	}
	bomb := append([]byte(nil), empty.Bytes()...)
	copy(bomb[16:24], []byte{0, 1, 0, 0, 0, 1, 0, 0}) // a header that promises 65536 x 65536
	for name, tt := range map[string]struct {
		file []byte
		at   string
		says string
	}{
		"jpeg":         {asJPEG.Bytes(), "/offer/[^/]+", "heeft een bewijs voor u"},
		"png":          {asPNG.Bytes(), "/offer/[^/]+", "heeft een bewijs voor u"},
		"no code":      {empty.Bytes(), "/collect/photo", "Er staat geen QR-code op de foto"},
		"no picture":   {[]byte("goedemorgen"), "/collect/photo", "Er staat geen QR-code op de foto"},
		"nothing":      {nil, "/collect/photo", "Er kwam geen foto mee"},
		"far too many": {bomb, "/collect/photo", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p.upload("/collect/photo", "photo", tt.file).at(tt.at).says(tt.says)
		})
	}
	p.get("/collect/photo").at("/collect")
}

// upload posts a file.
func (b *browser) upload(path, field string, file []byte, more ...string) *browser {
	b.g.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile(field, "x")
	if err == nil {
		_, err = part.Write(file)
	}
	for i := 0; i < len(more); i += 2 {
		if err == nil {
			err = form.WriteField(more[i], more[i+1])
		}
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		b.g.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, b.g.server.URL+path, &body)
	r.RequestURI = ""
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// TestNotLost: a proof that was fetched and not kept is not forgotten: the paspoort reminds
// of it, and leaving asks first.
func TestNotLost(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/offer?" + g.offerQuery())
	p.post(p.Path, "code", offerCode).at("/offer/[^/]+/look")
	look := p.Path
	p.get("/paspoort").says("nog niet bewaard")
	p.get("/collect").says("nog niet bewaard")
	p.post("/leave").at(look).says("Meldt u zich nu af, dan is het weg")
	p.post(strings.TrimSuffix(look, "/look") + "/keep").at("/paspoort/[^/]+")
	p.post("/leave").at("/left")

	again := g.holder("Joost")
	again.get("/offer?" + g.offerQuery())
	again.post(again.Path, "code", offerCode)
	again.post("/leave").at(again.Path)
	again.post("/leave").at("/left")
}

// TestOtherLanguage: what is in progress is told in the language that the reader switches to.
func TestOtherLanguage(t *testing.T) {
	g := newRig(t)
	p := g.holder("Samira")
	p.get("/offer?" + g.offerQuery())
	p.post(p.Path, "code", offerCode).at("/offer/[^/]+/look").says("Manier van meedoen", "deels online")
	p.get(p.Path+"?lang=en").says("Is this right?", "partly online")
	p.post(strings.TrimSuffix(p.Path, "/look") + "/keep")
	p.get("/present?" + g.asker.ask(true, verzorgenURI)).says("Skills")
	p.get(p.Path + "?lang=nl").says("Vaardigheden")
	p.post(p.Path, "go", "0", "seen", p.hidden("seen")).at("/present/[^/]+/done").says("Het is verstuurd")
}
