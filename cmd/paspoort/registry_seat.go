package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paspoort.example/paspoort/internal/conf"
	"paspoort.example/paspoort/internal/govern"
	"paspoort.example/paspoort/internal/outbound"
	"paspoort.example/paspoort/specs/registry"
)

// keyIsThere refuses a key file that is not there: a new key of a member signs nothing that the
// region takes, so the name must be a slip.
func keyIsThere(key string) error {
	if conf.OnToken(key) {
		return nil
	}
	if _, err := os.Stat(key); errors.Is(err, fs.ErrNotExist) {
		return withWords(err, "no_key",
			words("Het bestand "+key+" is er niet. Er is niets vastgelegd.", "The file "+key+" is not there. Nothing was set down."),
			words("Noem met --key de sleutel waarmee dit lid tekent.", "Name with --key the key that this member signs with."))
	} else if err != nil {
		return err
	}
	return nil
}

// checkSeat holds who somebody says to be against the region: its id, and of a member whether it is
// one, with this key. It is false when no node answers now.
func (f *registryFlags) checkSeat(cmd *cobra.Command, s conf.Seat) (checked bool, err error) {
	policy, err := s.Outbound.Policy()
	if err != nil {
		return false, err
	}
	policy.Timeout = reachTimeout
	policy.MaxBytes = max(policy.MaxBytes, maxStatusBytes)
	v := &voice{Client: &govern.Client{Genesis: s.Region.Genesis, Clock: time.Now, Patience: reachTimeout}, seat: s, f: f, cmd: cmd}
	for _, url := range s.Region.Nodes {
		v.Nodes = append(v.Nodes, registry.Client{HTTP: outbound.New(policy), URL: url})
	}
	region, err := v.region()
	switch {
	case errors.Is(err, govern.ErrNoNode):
		return false, nil
	case errors.Is(err, govern.ErrOtherRegion):
		return false, withWords(errors.New("the nodes serve another region"), "other_region",
			words("Deze knooppunten zijn van een andere regio dan u vastlegt. Er is niets vastgelegd.", "These nodes are of another region than the one that you pin. Nothing was set down."),
			words("Vraag de regio per telefoon naar haar nummer (genesis), en kijk de adressen na.", "Ask the region for its id (genesis) by telephone, and check the addresses."))
	case err != nil:
		return false, err
	}
	id, member := strings.CutPrefix(s.Party, registry.MemberParty(""))
	if !member {
		return true, nil
	}
	if err := isMember(region.Members, id); err != nil {
		return false, err
	}
	return true, v.signs(func(p registry.Party) error {
		key, err := registry.NewPublicKey(p.Key.Public())
		for _, m := range region.Members {
			if err == nil && m.ID == id && m.Key != key {
				return withWords(fmt.Errorf("%s has another key", s.Party), "other_key",
					words("Dit is niet de sleutel die de regio van "+id+" kent. Er is niets vastgelegd.", "This is not the key that the region knows of "+id+". Nothing was set down."),
					words("Noem met --key de sleutel waarmee dit lid tekent.", "Name with --key the key that this member signs with."))
			}
		}
		return err
	})
}
