package dev

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
	"paspoort.example/paspoort/specs/registry"
)

// credential is a credential in the issuer's API.
type credential struct {
	ID    string `json:"id"`
	State string `json:"state"`
}

// status is step 8: what the issuer and the region do is seen in the verdict.
func (d *demo) status(ctx context.Context) (string, error) {
	if err := d.keepForLater(ctx); err != nil {
		return "", err
	}
	for _, change := range []struct{ action, status string }{
		{"suspend", "suspended"}, {"reinstate", "valid"}, {"revoke", "invalid"},
	} {
		if err := d.change(ctx, change.action, change.status); err != nil {
			return "", fmt.Errorf("%s: %w", change.action, err)
		}
	}
	since, err := d.withdrawn(ctx)
	if err != nil {
		return "", fmt.Errorf("withdrawn: %w", err)
	}
	if err := d.fraud(ctx); err != nil {
		return "", fmt.Errorf("withdrawn for fraud: %w", err)
	}
	return fmt.Sprintf("%s suspended, reinstated, revoked: each seen at the next list; the opleider withdrawn: timestamped stays valid (no longer admitted since %s), without timestamps the signing day is unknown; withdrawn for fraud: fails",
		"module ZORG-02", since.Format(time.DateOnly)), nil
}

// change has the opleider change the status of the first module, and waits until a
// node sees it in the list that is published next.
func (d *demo) change(ctx context.Context, action, want string) error {
	api, err := d.administrator(opleider)
	if err != nil {
		return err
	}
	if err := api.do(ctx, http.MethodPost, "/api/v1/credentials/"+d.modules[0].ID+"/"+action, nil, nil); err != nil {
		return err
	}
	return eventually(ctx, publishPatience, func() error {
		v, err := d.through(ctx, d.nodes[0].id, d.answer)
		if err != nil {
			return err
		}
		_, got := state(v, skillCare, paspoort.CheckStatus)
		if err := expect(got == want, "the status is %s, want %s", got, want); err != nil {
			return err
		}
		_, other := state(v, skillGuide, paspoort.CheckStatus)
		return expect(other == "valid", "the other module is %s, want valid", other)
	})
}

// withdrawn ends the opleider's admission, without blame.
func (d *demo) withdrawn(ctx context.Context) (time.Time, error) {
	id, err := d.organisationID(opleider)
	if err != nil {
		return time.Time{}, err
	}
	now := d.clock()
	err = d.Governor.Withdraw(ctx, id, registry.Issuer, "stopt met opleiden", time.Time{}, "opleidersberaad", "gemeente-aakermonde")
	if err != nil {
		return now, err
	}
	return now, errors.Join(
		d.seen(ctx, "with timestamps", skillGuide, d.answer, paspoort.OK, "admitted_then"),
		d.seen(ctx, "without timestamps", skillGuide, d.answer.withoutBinding(), paspoort.Unknown, "signing_day_unknown"),
	)
}

// fraud withdraws the opleider once more, from before it signed anything.
func (d *demo) fraud(ctx context.Context) error {
	id, err := d.organisationID(opleider)
	if err != nil {
		return err
	}
	since := d.clock().AddDate(0, 0, -1)
	err = d.Governor.Withdraw(ctx, id, registry.Issuer, "bewijzen zonder toets afgegeven", since, "vakbond-het-anker", "gemeente-aakermonde")
	if err != nil {
		return err
	}
	return eventually(ctx, publishPatience, func() error {
		v, err := d.through(ctx, d.nodes[0].id, d.answer)
		if err != nil {
			return err
		}
		got, code := state(v, skillGuide, paspoort.CheckWithdrawal)
		return expect(got == paspoort.Failed && code == "withdrawn_for_fraud", "withdrawal is %s (%s), want failed", got, code)
	})
}

// seen waits until a node says of what shows a skill whether its issuer was admitted.
func (d *demo) seen(ctx context.Context, what, skill string, a shown, want paspoort.State, code string) error {
	err := eventually(ctx, publishPatience, func() error {
		v, err := d.through(ctx, d.nodes[0].id, a)
		if err != nil {
			return err
		}
		got, why := state(v, skill, paspoort.CheckIssuerAdmitted)
		return expect(got == want && why == code, "admission is %s (%s), want %s (%s)", got, why, want, code)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// withoutBinding is what is left of an answer when the key binding, and with it the
// timestamps, is taken off: the credentials as files.
func (a shown) withoutBinding() shown {
	out := shown{asked: a.asked}
	for _, p := range a.Presentations {
		// RFC 9901 4: the key binding JWT is what follows the last tilde.
		out.Presentations = append(out.Presentations, p[:strings.LastIndex(p, "~")+1])
	}
	return out
}

func (d *demo) organisationID(process string) (string, error) {
	o, ok := d.named(process)
	if !ok {
		return "", os.ErrNotExist
	}
	return o.id(d.l)
}
