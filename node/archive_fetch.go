package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"paspoort.example/paspoort/internal/kv"
	"paspoort.example/paspoort/specs/ijson"
	"paspoort.example/paspoort/specs/statusarchive"
	"paspoort.example/paspoort/specs/statuslist"
)

// fetch asks every issuer whose turn it is, some at a time.
func (a *archive) fetch(ctx context.Context) {
	var asking errgroup.Group
	asking.SetLimit(archiveWorkers)
	for _, p := range a.publishers() {
		asking.Go(func() error {
			a.ask(ctx, p)
			return nil // one that failed is asked again in its turn
		})
	}
	asking.Wait()
}

// ask fetches what is due of one organisation, one request after another.
func (a *archive) ask(ctx context.Context, p *lister) {
	// One that answers slowly holds up a worker, not the lists of everybody else.
	ctx, cancel := context.WithTimeout(ctx, archiveAsk)
	defer cancel()
	now := a.config.Clock()
	if p.find.next.IsZero() {
		a.remembered(p)
	}
	if !now.Before(p.find.next) {
		a.find(ctx, p)
	}
	stale := false
	for _, uri := range sortedKeys(p.lists) {
		t := p.lists[uri]
		if ctx.Err() == nil && !now.Before(t.next) {
			a.get(ctx, p, uri, t)
		}
		stale = stale || t.failed > 0
	}
	if p.custodian != "" && (stale || p.find.failed > 0) && !now.Before(p.custody.next) && ctx.Err() == nil {
		a.custody(ctx, p)
	}
}

// remembered takes up the lists that were kept before a restart.
func (a *archive) remembered(p *lister) {
	rows, err := a.rows(func(r archiveRow) bool { return r.Organisation == p.id })
	if err != nil {
		a.config.Log.Warn("the status archive cannot be read", "error", err)
	}
	for _, row := range rows {
		if p.lists[row.URI] == nil {
			p.lists[row.URI] = &turn{}
		}
	}
}

// find asks an issuer which lists it has: its metadata name the aggregation (Token Status List
// draft 20, 9.1), and that names the lists (9.3).
func (a *archive) find(ctx context.Context, p *lister) {
	now := a.config.Clock()
	for _, base := range p.urls {
		uris, wait, err := a.aggregation(ctx, base)
		if err != nil {
			a.config.Log.Debug("the status lists of an issuer could not be found", "organisation", p.id, "error", err)
			p.find.late(now, a.config.Every, wait)
			continue
		}
		for _, uri := range uris {
			if p.lists[uri] == nil && len(p.lists) < maxArchiveLists {
				p.lists[uri] = &turn{}
			}
		}
		// An issuer adds a list when the newest is full, and one that was just admitted has none.
		p.find = turn{next: now.Add(archiveFind + a.spread(base))}
		if len(p.lists) == 0 {
			p.find.next = now.Add(a.config.Every)
		}
	}
	if len(p.urls) == 0 {
		p.find.next = now.Add(archiveFind)
	}
}

func (a *archive) aggregation(ctx context.Context, base string) (uris []string, wait time.Duration, err error) {
	res, err := a.request(ctx, strings.TrimSuffix(base, "/")+"/.well-known/oauth-authorization-server", "application/json", "", maxMetadata)
	if err != nil {
		return nil, res.wait, err
	}
	var metadata struct {
		Endpoint string `json:"status_list_aggregation_endpoint"`
	}
	if err := ijson.Unmarshal(res.body, &metadata); err != nil {
		return nil, 0, err
	}
	if metadata.Endpoint == "" {
		return nil, archiveFind, errors.New("its metadata name no status_list_aggregation_endpoint")
	}
	if res, err = a.request(ctx, metadata.Endpoint, "application/json", "", maxMetadata); err != nil {
		return nil, res.wait, err
	}
	all, err := statuslist.ParseAggregation(res.body)
	return all.StatusLists, 0, err
}

// get fetches one list from its own address.
func (a *archive) get(ctx context.Context, p *lister, uri string, t *turn) {
	now := a.config.Clock()
	row, err := a.row(uri)
	if err != nil && !errors.Is(err, kv.ErrNotFound) {
		a.config.Log.Warn("the status archive cannot be read", "error", err)
		return
	}
	if err == nil && row.Organisation != p.id { // it names a list of somebody else as its own
		t.late(now, archivePause, 0)
		return
	}
	res, err := a.request(ctx, uri, statuslist.MediaType, row.ETag, maxArchiveToken)
	switch {
	case err != nil:
	case res.unchanged:
		err = a.unchanged(row)
	default:
		row, err = a.offer(ctx, p, uri, strings.TrimSpace(string(res.body)), res.etag, true)
	}
	if err == nil && !row.ExpiresAt.IsZero() && !now.Before(row.ExpiresAt) {
		err = statuslist.ErrExpired // nobody signs it any more
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		a.config.Log.Debug("a status list could not be had", "list", uri, "error", err)
		t.late(now, a.config.Every, res.wait)
		a.failing(uri, now)
		return
	}
	// "ttl ... the maximum amount of time, in seconds, that the Status List Token can be cached"
	// (5.1); an issuer that publishes each minute is not asked each minute.
	wait := min(max(time.Duration(row.TTL)*time.Second, a.config.Every), archivePause)
	if !row.ExpiresAt.IsZero() {
		wait = max(min(wait, row.ExpiresAt.Sub(now)/2), a.config.Every)
	}
	*t = turn{next: now.Add(wait + a.spread(uri))}
}

func (a *archive) unchanged(row archiveRow) error {
	store, err := a.open(true)
	if err != nil {
		return err
	}
	a.keep.Lock()
	defer a.keep.Unlock()
	return a.fetched(store, &row, true)
}

// failing notes since when a list cannot be had.
func (a *archive) failing(uri string, now time.Time) {
	a.keep.Lock()
	defer a.keep.Unlock()
	row, err := a.row(uri)
	if err != nil || !row.Failing.IsZero() {
		return
	}
	row.Failing = now.UTC()
	if store, err := a.open(false); err == nil && store != nil {
		if err := a.save(store, &row); err != nil {
			a.config.Log.Warn("the status archive cannot be written", "error", err)
		}
	}
}

// custody fetches the lists of an organisation from who signs them on.
func (a *archive) custody(ctx context.Context, p *lister) {
	now := a.config.Clock()
	client := statusarchive.Client{HTTP: a.config.HTTP, URL: p.custodian}
	if err := a.takeOver(ctx, client, func(id string) *lister {
		if id == p.id {
			return p
		}
		return nil
	}); err != nil {
		a.config.Log.Debug("a custodian's status lists could not be had", "organisation", p.id, "custodian", p.custodian, "error", err)
		p.custody.late(now, a.config.Every, 0)
		return
	}
	p.custody = turn{next: now.Add(a.config.Every)}
}

// compare holds what this node keeps against what the region's other nodes keep. A list that
// shows one node something else than another at one moment is found out so; and a token that
// did not reach this node does.
func (a *archive) compare(ctx context.Context) {
	for _, other := range a.config.Others() {
		if err := a.takeOver(ctx, other, a.publisher); err != nil {
			a.config.Log.Debug("another node's archive could not be compared", "url", other.URL, "error", err)
		}
	}
}

// takeOver takes what another archive has and this one has not. Nothing is believed: each token
// is verified here.
func (a *archive) takeOver(ctx context.Context, from statusarchive.Client, of func(organisation string) *lister) error {
	asked, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	all, err := from.Lists(asked)
	if err != nil {
		return err
	}
	for _, l := range all {
		p := of(l.Organisation)
		if p == nil {
			continue
		}
		row, err := a.row(l.URI)
		switch {
		case errors.Is(err, kv.ErrNotFound):
		case err != nil:
			return err
		case l.IssuedAt.Before(row.IssuedAt), l.IssuedAt.Equal(row.IssuedAt) && l.Digest == row.Digest:
			continue
		}
		if err := a.take(ctx, from, p, l); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) take(ctx context.Context, from statusarchive.Client, p *lister, l statusarchive.List) error {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	token, err := from.Token(ctx, l.URI, time.Time{})
	if err != nil {
		return err
	}
	if _, err := a.offer(ctx, p, l.URI, token, "", false); err != nil && !errors.Is(err, errOlder) {
		a.config.Log.Debug("a status token of another archive was not kept", "list", l.URI, "from", from.URL, "error", err)
	}
	return nil
}

// maxMetadata bounds what an issuer says of itself.
const maxMetadata = 1 << 20

// fetchedList is the answer to one request.
type fetchedList struct {
	body      []byte
	etag      string
	unchanged bool
	wait      time.Duration // that the other side asked for
}

// request sends one GET. It says who asks, so that an issuer that is bothered knows whom to tell.
func (a *archive) request(ctx context.Context, target, accept, etag string, limit int64) (out fetchedList, err error) {
	ctx, cancel := context.WithTimeout(ctx, archiveTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return out, fmt.Errorf("status archive: %w", err)
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", "paspoort-status-archive ("+a.config.Node+")")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	res, err := a.config.HTTP.Do(req)
	if err != nil {
		return out, err
	}
	defer func() { _ = res.Body.Close() }()
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		out.wait = time.Duration(min(seconds, 24*3600)) * time.Second
	}
	switch {
	case res.StatusCode == http.StatusNotModified && etag != "":
		out.unchanged = true
		return out, nil
	case res.StatusCode != http.StatusOK:
		return out, fmt.Errorf("status archive: %s answered %d", req.URL.Host, res.StatusCode)
	}
	if out.body, err = io.ReadAll(io.LimitReader(res.Body, limit+1)); err != nil {
		return out, fmt.Errorf("status archive: %w", err)
	}
	if int64(len(out.body)) > limit {
		return out, fmt.Errorf("status archive: the answer of %s is too large", req.URL.Host)
	}
	out.etag = res.Header.Get("ETag")
	return out, nil
}

// rows are those that match, by address.
func (a *archive) rows(match func(archiveRow) bool) (out []archiveRow, err error) {
	err = a.view(func(tx kv.Tx) error {
		return tx.Scan([]byte(archiveRows), func(_, value []byte) error {
			var row archiveRow
			if err := kv.DecodeJSON(value, archiveFormat, &row); err != nil {
				return err
			}
			if match(row) {
				out = append(out, row)
			}
			return nil
		})
	})
	slices.SortFunc(out, func(x, y archiveRow) int { return strings.Compare(x.URI, y.URI) })
	return out, err
}
