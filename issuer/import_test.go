package issuer

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestImport: the sample sheets become offers that a wallet can accept; done again,
// they are the same offers.
func TestImport(t *testing.T) {
	r := newRig(t)
	rows, err := ReadSheets(strings.NewReader(sampleSheet(t, "modules.csv")), strings.NewReader(sampleSheet(t, "deelnemers.csv")))
	if err != nil {
		t.Fatal(err)
	}
	m := Importer{HTTP: r.http.Client(), URL: testURL, Token: adminToken, ConfigurationID: opleiding}
	run := func() (out []*ImportedOffer) {
		for _, row := range rows {
			o, err := m.Offer(t.Context(), row)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, o)
		}
		return out
	}
	first, again := run(), run()
	seen := map[string]bool{}
	for n, o := range first {
		if *o != *again[n] {
			t.Errorf("row %d done again gives another offer", o.Row)
		}
		if seen[o.ID] || o.GivenName == "" || o.Module == "" || o.Row != n+2 {
			t.Errorf("row %d: %+v", n+2, o)
		}
		seen[o.ID] = true
	}
	if h := r.accept(first[0].offerAnswer, 3); len(h.copies) != 3 {
		t.Errorf("copies: %d", len(h.copies))
	}
	_, body := r.call(http.MethodGet, "/api/v1/credentials", nil)
	if got := len(body["credentials"].([]any)); got != len(rows) {
		t.Errorf("credentials: got %d, want %d", got, len(rows))
	}
}

func TestImportFails(t *testing.T) {
	r := newRig(t)
	row := SheetOffer{Row: 7, Claims: map[string]any{"given_name": "Samira"}, Key: "k"}
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	for _, test := range []struct {
		name string
		m    Importer
		want string
	}{
		{"wrong token", Importer{r.http.Client(), testURL, "wrong", opleiding}, "row 7: the issuer answered 401: invalid_token"},
		{"claims that are not enough", Importer{r.http.Client(), testURL, adminToken, opleiding}, "row 7: the issuer answered 422: invalid_claims"},
		{"no such configuration", Importer{r.http.Client(), testURL, adminToken, "x"}, "unknown_credential_configuration"},
		{"not an issuer", Importer{other.Client(), other.URL, adminToken, opleiding}, "is this the address of an issuer?"},
		{"nobody there", Importer{r.http.Client(), "http://127.0.0.1:1", adminToken, opleiding}, "row 7: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			o, err := test.m.Offer(t.Context(), row)
			if o != nil || err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "Samira") {
				t.Errorf("got %v, %v\nwant %s", o, err, test.want)
			}
		})
	}
}
