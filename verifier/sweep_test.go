package verifier

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/openid4vp"
	"paspoort.example/paspoort/specs/paspoort"
)

// TestSweepForgetsHoweverMuchThereIs: a store on disk takes no transaction of any size, and after a night in which nothing
// ran there is much to forget.
func TestSweepForgetsHoweverMuchThereIs(t *testing.T) {
	store, err := kv.OpenBadger(t.TempDir(), kv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	v := &Verifier{config: Config{Store: store}, contents: contents{byRequest: map[string]disclosed{}}}
	const many = 300
	for n := range many {
		id := fmt.Sprintf("%06d", n)
		r := &record{
			ID: id, State: Waiting, Expires: testkit.Noon.Add(time.Minute), Forget: testkit.Noon.Add(time.Hour),
			Purpose: strings.Repeat("p", maxPurpose), Invocation: strings.Repeat("i", 20000), Transactions: []string{"t" + id},
		}
		own := &transaction{Transaction: openid4vp.Transaction{ID: "t" + id, DecryptionKey: json.RawMessage(`"` + strings.Repeat("k", 1500) + `"`)}, RequestID: id}
		if err := store.Update(func(tx kv.Tx) error { return joinPuts(tx, r, own) }); err != nil {
			t.Fatal(err)
		}
	}
	gone, err := v.sweep(testkit.Noon.Add(2 * time.Minute))
	if err != nil || len(gone) != many {
		t.Fatalf("expired: got %d, %v, want %d", len(gone), err, many)
	}
	gone, err = v.sweep(testkit.Noon.Add(2 * time.Hour))
	if err != nil || len(gone) != many {
		t.Fatalf("forgotten: got %d, %v, want %d", len(gone), err, many)
	}
	err = store.View(func(tx kv.Tx) error {
		return tx.Scan(nil, func(k, _ []byte) error { return fmt.Errorf("%s is still there", k) })
	})
	if err != nil {
		t.Error(err)
	}
}

func joinPuts(tx kv.Tx, r *record, t *transaction) error {
	if err := putRequest(tx, r); err != nil {
		return err
	}
	return putTransaction(tx, t)
}

// TestKeptVerdictHasNoKeyOfAHolder: who signs for themselves is named by their key.
func TestKeptVerdictHasNoKeyOfAHolder(t *testing.T) {
	const key = "did:jwk:eyJjcnYiOiJQLTI1NiJ9"
	by := paspoort.IssuerView{ID: key, CallsItself: "Samira", KeySource: "did"}
	org := paspoort.IssuerView{ID: "https://vaart.example", CallsItself: "Opleidingshuis De Vaart"}
	v := paspoort.Verdict{
		Credentials: []paspoort.CredentialVerdict{{Type: paspoort.Zelfverklaring, Issuer: by}, {Type: paspoort.Opleiding, Issuer: by}, {Type: paspoort.Opleiding, Issuer: org}},
		Skills: []paspoort.SkillVerdict{{Asked: true, Proofs: []paspoort.Proof{
			{Credential: 0, Type: paspoort.Zelfverklaring, By: by}, {Credential: 2, Type: paspoort.Opleiding, By: org}}}},
	}
	raw, err := json.Marshal(kept(v))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{key, "Samira"} {
		if strings.Contains(string(raw), secret) {
			t.Errorf("kept: %q in %s", secret, raw)
		}
	}
	if n := strings.Count(string(raw), org.ID); n != 2 {
		t.Errorf("an organisation is named %d times, want 2", n)
	}
	if v.Credentials[0].Issuer != by || v.Skills[0].Proofs[0].By != by {
		t.Error("the verdict that is held in memory was changed")
	}
}
