package issuer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/did"
	"paspoort.example/paspoort/specs/openid4vci"
	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/sdjwt"
	"paspoort.example/paspoort/specs/statuslist"
)

// testURL is dialled to the test server by its client.
const testURL = "https://vaart.example.com"

const adminToken = "a-token-for-the-administrator"

// opleiding is the configuration that most tests use.
var opleiding = paspoort.ConfigurationID(paspoort.Opleiding, paspoort.FormatSDJWTVC)

// rig is an issuer behind TLS, with a clock and an administrator.
type rig struct {
	*Issuer
	t      testing.TB
	clock  *testkit.Clock
	store  kv.Store
	http   *httptest.Server
	config Config
	// anchors are the certificate of the region.
	anchors []*x509.Certificate
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{t: t, clock: testkit.NewClock(time.Time{}), store: kv.NewMemory()}
	r.http = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { r.Handler().ServeHTTP(w, q) }))
	t.Cleanup(r.http.Close)
	rootKey, from, to := testkit.P256(t), testkit.Noon.Add(-time.Hour), testkit.Noon.AddDate(10, 0, 0)
	root, err := ca.NewRoot(rootKey, ca.Root{Name: "Regio Aakermonde", NotBefore: from, NotAfter: to})
	if err != nil {
		t.Fatal(err)
	}
	r.anchors = []*x509.Certificate{root}
	key, statusKey := testkit.P256(t), testkit.P256(t)
	leaf := func(pub any) []*x509.Certificate {
		c, err := ca.Leaf(root, rootKey, ca.Request{Public: pub, Organisation: "Opleidingshuis De Vaart", URI: testURL, NotBefore: from, NotAfter: to})
		if err != nil {
			t.Fatal(err)
		}
		return []*x509.Certificate{c}
	}
	r.config = Config{
		URL: testURL, Name: "Opleidingshuis De Vaart", Country: "NL", Types: []paspoort.Type{paspoort.Opleiding, paspoort.Werkervaring},
		CredentialKey: key, CredentialChain: leaf(key.Public()), StatusKey: statusKey, StatusChain: leaf(statusKey.Public()),
		Store: r.store, Secret: []byte("0123456789abcdef"), AdminToken: adminToken,
		StatusListSize: 4096, StatusReserve: 100, Clock: r.clock.Now, Log: testkit.Quiet(),
	}
	for _, c := range change {
		c(&r.config)
	}
	r.start()
	return r
}

// start makes the issuer from what is in the store, as a restart does.
func (r *rig) start() {
	r.t.Helper()
	i, err := New(r.config)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Issuer = i
	if err := i.Publish(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// call does one API request; a nil body sends none.
func (r *rig) call(method, path string, body any, headers ...string) (int, map[string]any) {
	r.t.Helper()
	var payload io.Reader
	if raw, ok := body.(string); ok {
		payload = bytes.NewReader([]byte(raw))
	} else if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			r.t.Fatal(err)
		}
		payload = bytes.NewReader(encoded)
	}
	q, err := http.NewRequestWithContext(r.t.Context(), method, testURL+path, payload)
	if err != nil {
		r.t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer "+adminToken)
	if body != nil {
		q.Header.Set("Content-Type", "application/json")
	}
	for n := 0; n < len(headers); n += 2 {
		q.Header.Set(headers[n], headers[n+1])
	}
	response, err := r.http.Client().Do(q)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(raw, &out); err != nil {
		r.t.Fatalf("%s %s: answer is no JSON object: %v\n%s", method, path, err, raw)
	}
	return response.StatusCode, out
}

// sample is an offer request with the sample claims of a configuration.
func (r *rig) sample(configuration string, txCode any) map[string]any {
	r.t.Helper()
	status, body := r.call(http.MethodGet, "/api/v1/configurations/"+configuration+"/sample", nil)
	if status != http.StatusOK {
		r.t.Fatalf("sample: %d %v", status, body)
	}
	return map[string]any{"credential_configuration_id": configuration, "claims": body, "tx_code": txCode}
}

// offer makes an offer and returns the API's answer.
func (r *rig) offer(configuration string, txCode any) offerAnswer {
	r.t.Helper()
	status, body := r.call(http.MethodPost, "/api/v1/offers", r.sample(configuration, txCode))
	if status != http.StatusCreated {
		r.t.Fatalf("offer: %d %v", status, body)
	}
	raw, _ := json.Marshal(body)
	var out offerAnswer
	if err := json.Unmarshal(raw, &out); err != nil {
		r.t.Fatal(err)
	}
	return out
}

// client is a wallet half.
func (r *rig) client() *openid4vci.Client {
	return &openid4vci.Client{HTTP: r.http.Client(), Now: r.clock.Now, Rand: rand.Reader}
}

// held is what a wallet has after accepting.
type held struct {
	session *openid4vci.Session
	token   *openid4vci.Token
	keys    []openid4vci.ProofKey
	copies  []string
	answer  *openid4vci.CredentialResponse
}

func newKeys(t testing.TB, n int) []openid4vci.ProofKey {
	t.Helper()
	keys := make([]openid4vci.ProofKey, n)
	for i := range keys {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		name, err := did.JWK(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = openid4vci.ProofKey{Signer: key, KeyID: name + "#0"}
	}
	return keys
}

// begin reads an offer as a wallet does.
func (r *rig) begin(o offerAnswer) *openid4vci.Session {
	r.t.Helper()
	offer, err := r.client().Offer(r.t.Context(), o.Invocation)
	if err != nil {
		r.t.Fatal(err)
	}
	s, err := r.client().Begin(r.t.Context(), offer)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// accept takes an offer with n copies.
func (r *rig) accept(o offerAnswer, n int) held {
	r.t.Helper()
	h := held{session: r.begin(o), keys: newKeys(r.t, n)}
	var err error
	if h.token, err = h.session.PreAuthorized(r.t.Context(), o.TxCode); err != nil {
		r.t.Fatal(err)
	}
	return r.fetch(h)
}

// fetch asks for a copy for each of h.keys.
func (r *rig) fetch(h held) held {
	r.t.Helper()
	var err error
	configuration := slices.Sorted(func(yield func(string) bool) {
		for id := range h.session.Issuer.Configurations {
			if !yield(id) {
				return
			}
		}
	})[0]
	if h.session.Offer != nil {
		configuration = h.session.Offer.ConfigurationIDs[0]
	}
	h.answer, err = h.session.Credentials(r.t.Context(), h.token, openid4vci.Wanted{ConfigurationID: configuration, Keys: h.keys})
	if err != nil {
		r.t.Fatal(err)
	}
	h.copies = nil
	for _, c := range h.answer.Credentials {
		text, err := c.Text()
		if err != nil {
			r.t.Fatal(err)
		}
		h.copies = append(h.copies, text)
	}
	return h
}

// reference is where a copy stands in the status lists.
func (r *rig) reference(credential string) statuslist.Reference {
	r.t.Helper()
	token, err := sdjwt.Parse(credential)
	if err != nil {
		r.t.Fatal(err)
	}
	claims, err := token.Claims()
	if err != nil {
		r.t.Fatal(err)
	}
	ref, err := statuslist.ParseReference(claims)
	if err != nil {
		r.t.Fatal(err)
	}
	return ref
}

// status fetches the list of a copy, verifies it, and reads the copy's entry.
func (r *rig) status(credential string) statuslist.Status {
	r.t.Helper()
	ref := r.reference(credential)
	response, err := r.http.Client().Get(ref.URI)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		r.t.Fatalf("status list: %d %v %s", response.StatusCode, err, raw)
	}
	token, err := statuslist.ParseToken(string(raw), statuslist.Limits{})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := token.Verify(r.config.StatusKey.Public(), r.clock.Now()); err != nil {
		r.t.Fatal(err)
	}
	s, err := token.Status(ref)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// publish lets the schedule come round.
func (r *rig) publish() {
	r.t.Helper()
	r.clock.Advance(defaultPublishEvery)
	if err := r.Publish(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// keys are the keys in the store below a prefix.
func (r *rig) keys(prefix string) (out []string) {
	r.t.Helper()
	err := r.store.View(func(tx kv.Tx) error {
		return tx.Scan([]byte(prefix), func(k, _ []byte) error {
			out = append(out, string(k))
			return nil
		})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return out
}
