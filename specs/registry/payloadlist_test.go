package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"paspoort.example/paspoort/internal/testkit"
	"paspoort.example/paspoort/specs/registry"
)

// shelf is a log that has payloads.
type shelf struct {
	registry.Log
	list []registry.OpenPayload
}

func (s shelf) Payloads(context.Context) ([]registry.OpenPayload, error) {
	return append([]registry.OpenPayload(nil), s.list...), nil
}

func TestPayloadsComeInParts(t *testing.T) {
	random := testkit.Rand(9)
	var list []registry.OpenPayload
	for i := range 1203 {
		sealed, key, err := registry.Seal(random, "name", fmt.Sprintf("Firma %d", i))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, registry.NewOpenPayload(sealed, key))
	}
	for _, n := range []int{0, 1, 500, 501, 1203} {
		s := httptest.NewServer(registry.NewServer(registry.ServerConfig{Log: shelf{list: list[:n]}}))
		c := registry.Client{HTTP: s.Client(), URL: s.URL}
		got, err := c.Payloads(t.Context())
		s.Close()
		if err != nil || len(got) != n {
			t.Fatalf("%d of %d payloads, %v", len(got), n, err)
		}
		payloads, seen := &registry.Payloads{}, map[string]bool{}
		for _, p := range got {
			if err := payloads.AddOpen(p); err != nil || seen[p.Commitment] {
				t.Fatalf("payload %s: twice %t, %v", p.Commitment, seen[p.Commitment], err)
			}
			seen[p.Commitment] = true
		}
		if dropped := payloads.Retain(func(string) bool { return false }); len(dropped) != n {
			t.Errorf("%d forgotten, want %d", len(dropped), n)
		}
	}
}

func TestPayloadsOfAStrangeNode(t *testing.T) {
	for name, body := range map[string]string{
		"without end":  `{"payloads":[],"more":true}`,
		"out of order": `{"payloads":[{"commitment":"bb","key":"","sealed":""},{"commitment":"aa","key":"","sealed":""}]}`,
		"again":        `{"payloads":[{"commitment":"aa","key":"","sealed":""}],"more":true}`,
		"no list":      `{"payloads":7}`,
	} {
		if _, err := (registry.Client{HTTP: doer{status: http.StatusOK, body: body}}).Payloads(t.Context()); !errors.Is(err, registry.ErrResponse) {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := httptest.NewRecorder()
	registry.NewServer(registry.ServerConfig{Log: shelf{}}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/payloads?after=x", nil))
	if w.Code != http.StatusBadRequest {
		t.Errorf("after nonsense: %d", w.Code)
	}
}
