package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// abroad is step 7: what the opleider of another region issues counts by the word of the members
// here, also while that region is away, and until they take it back.
func (d *demo) abroad(ctx context.Context) (string, error) {
	h, answer, err := d.stranger(ctx)
	if err != nil {
		return "", fmt.Errorf("before it is relied on: %w", err)
	}
	if err := d.befriend(ctx); err != nil {
		return "", err
	}
	until, err := d.counts(ctx, answer)
	if err != nil {
		return "", fmt.Errorf("relied on: %w", err)
	}
	if answer, err = d.neighbourly(ctx, h); err != nil {
		return "", fmt.Errorf("relied on, at the employer: %w", err)
	}
	sentence, err := d.away(ctx, answer)
	if err != nil {
		return "", fmt.Errorf("away: %w", err)
	}
	if err := d.Region.drop(ctx, d.Neighbour, "hun criteria zijn niet meer de onze"); err != nil {
		return "", err
	}
	err = errors.Join(
		d.seen(ctx, "dropped, with timestamps", skillCare, answer, paspoort.OK, "region_dropped_since"),
		d.seen(ctx, "dropped, without timestamps", skillCare, answer.withoutBinding(), paspoort.Unknown, "region_dropped_day_unknown"),
	)
	return fmt.Sprintf("%s of %s: refused; %s relies on that region and each witnesses the other: valid at the employer and every node (until %s); that region killed: still valid, from the copy here, and people read %q; dropped: what is stamped from before stays valid, the rest is unknown",
		d.Name(d.settings.url(farOpleider)), d.Neighbour.name, d.name, until, sentence), err
}

// stranger has a person get a credential of an opleider that no region here knows, although the
// paspoort warns, and show it to the employer.
func (d *demo) stranger(ctx context.Context) (h *holder, a shown, err error) {
	if h, err = d.newHolder(ctx, "traveller"); err != nil {
		return h, a, err
	}
	o, err := d.offerSample(ctx, farOpleider, paspoort.Opleiding)
	if err != nil {
		return h, a, err
	}
	if err := h.run(ctx, nil, "accept", o.URI, "--tx-code", o.TxCode); err == nil {
		return h, a, errors.New("the paspoort takes what no region knows")
	}
	if err := h.run(ctx, nil, "accept", o.URI, "--tx-code", o.TxCode, "--accept-unknown"); err != nil {
		return h, a, err
	}
	done, err := d.askWho(ctx, h, "direct_post.jwt", skillCare)
	if err != nil {
		return h, a, err
	}
	_, code := state(*done.Verdict, skillCare, paspoort.CheckIssuerAdmitted)
	return h, *done.Shown, expect(done.Verdict.Outcome != paspoort.OK, "the employer relies on it: %s", code)
}

// neighbourly shows the same credential to the employer once more: it counts by the word of the
// members here.
func (d *demo) neighbourly(ctx context.Context, h *holder) (a shown, err error) {
	err = eventually(ctx, publishPatience, func() error {
		done, err := d.askWho(ctx, h, "direct_post.jwt", skillCare)
		if err != nil {
			return err
		}
		a = *done.Shown
		v := done.Verdict
		return expect(v.Outcome == paspoort.OK && v.Registry.Region == d.Neighbour.Genesis && v.Registry.Via != nil && v.Registry.Via.Region == d.Genesis,
			"the verdict is %s: %s", v.Outcome, v.Sentence.EN)
	})
	return a, err
}

// counts waits until the other region counts at each node here, and gives until when.
func (d *demo) counts(ctx context.Context, a shown) (until string, err error) {
	for _, n := range d.nodes {
		err = errors.Join(err, eventually(ctx, publishPatience, func() error {
			v, err := d.through(ctx, n.id, a)
			if err != nil {
				return err
			}
			if v.Outcome != paspoort.OK || v.Registry == nil || v.Registry.Via == nil {
				return fmt.Errorf("%s: the verdict is %s: %s", n.id, v.Outcome, v.Sentence.EN)
			}
			until = v.Registry.Via.Until[:len(time.DateOnly)]
			return errors.Join(
				expect(v.Registry.Region == d.Neighbour.Genesis && v.Registry.Via.Region == d.Genesis, "it counts by the word of %s", v.Registry.Via.Name),
				expect(v.Registry.Trust == paspoort.Witnessed, "the log of %s is signed by %s", d.Neighbour.name, v.Registry.Trust),
			)
		}))
	}
	return until, err
}

// away kills the other region and lets it come back.
func (d *demo) away(ctx context.Context, a shown) (sentence string, err error) {
	gone := []string{farNode, farOpleider}
	for _, name := range gone {
		if err := d.Process(name).Kill(); err != nil {
			return "", err
		}
	}
	sentence = "The computers of this region do not answer."
	err = eventually(ctx, startWait, func() error { return d.pageSays(ctx, "/regions", sentence) })
	if err != nil {
		return "", err
	}
	for _, n := range d.nodes {
		v, err := d.through(ctx, n.id, a)
		if err != nil {
			return "", err
		}
		if err := expect(v.Outcome == paspoort.OK, "%s says %s", n.id, v.Sentence.EN); err != nil {
			return "", err
		}
	}
	for _, o := range d.Neighbour.organisations {
		if err := errors.Join(d.startNode(d.Neighbour, farNode), d.startRole(o)); err != nil {
			return "", err
		}
	}
	return sentence, errors.Join(d.ready(ctx, farNode), d.ready(ctx, farOpleider))
}

// pageSays looks for a sentence on a page of the first node.
func (d *demo) pageSays(ctx context.Context, path, sentence string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.settings.url(d.nodes[0].id)+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept-Language", "en")
	resp, err := d.HTTP.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return expect(strings.Contains(string(body), sentence), "the page %s does not say %q", path, sentence)
}
