package evidence_test

import (
	"testing"
	"time"

	"paspoort.example/paspoort/internal/evidence"
	"paspoort.example/paspoort/internal/evidence/evidencetest"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
)

// BenchmarkVerdict is the whole way from a presentation to its verdict, with registry and
// status list at hand. Compare internal/bench, which measures the signatures alone.
func BenchmarkVerdict(b *testing.B) {
	clock := testkit.NewClock(time.Time{})
	region := evidencetest.New(b, clock.Now)
	issuer := region.Issuer("devaart.example", paspoort.Opleiding)
	service, err := evidence.New(evidence.Config{Copies: []evidence.Copy{region.Follower()}, Fetch: evidencetest.NewWeb(issuer), Clock: clock.Now})
	if err != nil {
		b.Fatal(err)
	}
	holder, err := jose.Generate(jose.ES256)
	if err != nil {
		b.Fatal(err)
	}
	shown, err := issuer.Issue(paspoort.Opleiding, holder.Public()).Bind(holder, sdjwt.KeyBinding{Audience: audience, Nonce: nonce, IssuedAt: clock.Now()})
	if err != nil {
		b.Fatal(err)
	}
	request := evidence.Request{
		Presentations: []evidence.Presentation{{Text: shown.String()}},
		Expected:      &paspoort.Expected{Nonce: nonce, Audience: audience},
	}
	b.ReportAllocs()
	for b.Loop() {
		v, err := service.Verify(b.Context(), request)
		if err != nil || v.Outcome != paspoort.OK {
			b.Fatalf("%+v, %v", v, err)
		}
	}
}
