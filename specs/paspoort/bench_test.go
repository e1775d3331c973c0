package paspoort

import (
	"testing"
)

func BenchmarkRender(b *testing.B) {
	d := sampleDataset(b, Opleiding)
	c := Copy{Holder: newKey(b).Public(), IssuedAt: issuedAt, Status: &StatusRef{issuer.ID + "/status/3", 1}}
	for b.Loop() {
		if _, _, err := Render(FormatSDJWTVC, issuer, d, c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecide(b *testing.B) {
	in := goodInput(b, Opleiding)
	for b.Loop() {
		Decide(in)
	}
}

func BenchmarkExamine(b *testing.B) {
	w := newWorld(b)
	text := w.present(b, w.issue(b, FormatSDJWTVC, Opleiding), w.slot)
	for b.Loop() {
		if f := Examine(text, w.keys()); f.Signature.State != OK {
			b.Fatal(f.Signature)
		}
	}
}
