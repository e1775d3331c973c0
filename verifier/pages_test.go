package verifier

import (
	"testing"

	"paspoort.example/paspoort/internal/page/pagetest"
)

func TestPages(t *testing.T) {
	v := &Verifier{config: Config{Name: "Machinefabriek Ossekamp"}}
	if err := v.makePages(); err != nil {
		t.Fatal(err)
	}
	pagetest.Run(t, v.kit)
}
