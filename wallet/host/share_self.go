package host

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"paspoort.example/paspoort/specs/jose"
	"paspoort.example/paspoort/wallet"
)

// selfCheck is how to check the proofs with a computer of one's own, as commands that can
// be copied in one go.
type selfCheck struct {
	Region  string // its name; empty when there is one region only
	Snippet string
}

// maxLists bounds the lists that the commands fetch.
const maxLists = 20

// typeable are addresses that may stand in a command: an issuer writes the address of its
// list, and must not make whoever copies the commands do anything else.
var (
	typeable  = regexp.MustCompile(`^(https://[A-Za-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?(/[A-Za-z0-9._~%/-]*)?(\?[A-Za-z0-9._~%=&/-]*)?$`)
	genesisOf = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// selfChecks has a block of commands for each region that this host relies on.
func (h *Host) selfChecks(f *wallet.FrozenShare) (out []selfCheck) {
	lists := statusLists(f)
	for _, region := range h.c.Regions {
		if len(region.Nodes) == 0 || !genesisOf.MatchString(region.Genesis) {
			continue
		}
		node := strings.TrimSuffix(region.Nodes[0], "/")
		if !typeable.MatchString(node) {
			continue
		}
		check := selfCheck{Snippet: commands(node, region.Genesis, lists)}
		if len(h.c.Regions) > 1 {
			if check.Region = h.nameOf(region.Genesis); check.Region == "" {
				check.Region = region.Genesis[:12]
			}
		}
		out = append(out, check)
	}
	return out
}

// commands fetch what the program needs and run it. Without lists they still run; whether a
// proof was revoked is then not known.
func commands(node, genesis string, lists []string) string {
	var b strings.Builder
	b.WriteString("curl -fsS -o region.snapshot '" + node + "/v1/snapshot'\nmkdir -p lijsten\n")
	for i, list := range lists {
		b.WriteString("curl -fsS -H 'Accept: application/statuslist+jwt' -o lijsten/" + strconv.Itoa(i+1) + ".jwt '" + list + "'\n")
	}
	b.WriteString("paspoort verify bewijzen.txt --genesis " + genesis + " --registry region.snapshot --status lijsten\n")
	return b.String()
}

// statusLists are the addresses of lists that the proofs name, each once.
func statusLists(f *wallet.FrozenShare) (out []string) {
	for _, i := range f.Items {
		list := statusList(i.Presentation)
		if typeable.MatchString(list) && !slices.Contains(out, list) && len(out) < maxLists {
			out = append(out, list)
		}
	}
	return out
}

// statusList is the list that a proof names, or "".
func statusList(presentation string) string {
	jwt, _, _ := strings.Cut(presentation, "~")
	signed, err := jose.Parse(jwt)
	if err != nil {
		return ""
	}
	var claims struct {
		Status struct {
			List struct {
				URI string `json:"uri"`
			} `json:"status_list"`
		} `json:"status"`
	}
	if json.Unmarshal(signed.Payload, &claims) != nil {
		return ""
	}
	return claims.Status.List.URI
}
