package node

import (
	"net/url"
	"time"

	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/statusarchive"
)

// statusPart is what an organisation's page says of its status lists: what this node keeps, and
// who signs them on.
type statusPart struct {
	Lists     []statusRow
	Custodian *partyRow // signs them on, by decision of the members
}

// statusRow is one status list as this node keeps it.
type statusRow struct {
	URI     string
	Issued  time.Time // of the newest
	Days    int       // of which one is kept
	Over    bool      // it has ended, and nobody signed it again
	Failing time.Time // since when it cannot be had
	Signer  *partyRow // when that is not the organisation itself
	Kept    string    // path of the newest
	Notices []noticeRow
}

// noticeRow is something that the list did and an honest one does not.
type noticeRow struct {
	Code  string // of package statusarchive: key of a text
	Seen  time.Time
	Count int
	Proof string // path of the two lists that show it
}

// newStatusPart tells of the lists of one organisation.
func newStatusPart(v registry.View, id string, lists []statusarchive.List, now time.Time) (out statusPart) {
	who := newNames(v, now)
	if c, ok := v.Custodian(id, now); ok {
		row := who.organisation(c.By)
		out.Custodian = &row
	}
	for _, l := range lists {
		row := statusRow{URI: l.URI, Issued: l.IssuedAt, Days: l.Days, Failing: l.Failing,
			Over: !l.ExpiresAt.IsZero() && !now.Before(l.ExpiresAt),
			Kept: "/v1/statuses/token?" + url.Values{"uri": {l.URI}}.Encode()}
		if l.Signer != "" {
			signer := who.organisation(l.Signer)
			row.Signer = &signer
		}
		for _, n := range l.Notices {
			row.Notices = append(row.Notices, noticeRow{n.Code, n.Seen, n.Count, "/v1/statuses/proof?" + url.Values{"uri": {l.URI}, "code": {n.Code}}.Encode()})
		}
		out.Lists = append(out.Lists, row)
	}
	return out
}
