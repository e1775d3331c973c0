package node

import (
	"context"
	"io/fs"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"paspoort.example/paspoort/internal/alert"
	"paspoort.example/paspoort/internal/operate"
)

// Health is how this node sees its cluster, measured by asking the other nodes. Status is
// what the node knows by itself, at no cost; this is for who runs it.
type Health struct {
	At      time.Time    `json:"at"`
	Voters  int          `json:"voters"`  // in raft's configuration
	Reached int          `json:"reached"` // of those, this node included
	Needed  int          `json:"needed"`  // to decide anything
	Peers   []PeerHealth `json:"peers"`   // the other nodes of the charter
	// Store and Log are the sizes on disk of the store and of raft's log, in bytes.
	Store int64 `json:"store_bytes"`
	Log   int64 `json:"log_bytes"`
	// Ending is what of the region ends soon, and when that was looked up.
	Ending   []EndingRow `json:"ending"`
	EndingAt time.Time   `json:"ending_at,omitzero"`
	// LeaderMissing is since when nobody leads; zero while somebody does. Unsigned is since
	// when this node does not sign.
	LeaderMissing time.Time `json:"leader_missing,omitzero"`
	Unsigned      time.Time `json:"unsigned,omitzero"`
	// Unwitnessed is since when no witness stands behind what this node serves, though the region
	// has witnesses.
	Unwitnessed time.Time `json:"unwitnessed,omitzero"`
}

// PeerHealth is another node as this one sees it.
type PeerHealth struct {
	ID      string        `json:"id"`
	URL     string        `json:"url"`
	Member  string        `json:"member"` // voter, nonvoter or absent
	Reached bool          `json:"reached"`
	Heard   time.Time     `json:"heard,omitzero"` // the last answer
	Away    time.Time     `json:"away,omitzero"`  // since when it does not answer
	Outside time.Time     `json:"outside,omitzero"`
	Took    time.Duration `json:"took_ns"` // of the last answer
	Applied uint64        `json:"applied"` // raft index, as it said last
	// Clock is how far its clock is ahead of this node's, as far as can be told: half the
	// time of an answer is uncertain.
	Clock time.Duration `json:"clock_ns"`
}

// Thresholds of what needs a person. A node that restarts, or elects, is nobody's alarm.
const (
	awayAfter        = 2 * time.Minute
	leaderlessAfter  = time.Minute
	outsideAfter     = 10 * time.Minute // a new disk has to catch up first
	unsignedAfter    = 10 * time.Minute
	unwitnessedAfter = 2 * time.Hour // witnesses sign at least hourly; a region goes on without them
	behindAfter      = 5 * time.Minute
	behindEntries    = 1000
	clockDiffers     = 30 * time.Second // Apply takes what was signed up to 5 minutes ahead
	checkpointOld    = 2 * time.Hour    // nodes cosign again at least hourly (D11)
	checkpointTooOld = 24 * time.Hour
	endingEvery      = 10 * time.Minute // it is counted over the whole registry
	endingSoon       = 14               // days; the registry itself warns 60 days ahead
)

// health remembers between looks.
type health struct {
	mu   sync.Mutex
	last Health
}

// Health is the last look; its At is zero before the first.
func (n *Node) Health() Health {
	n.health.mu.Lock()
	defer n.health.mu.Unlock()
	return n.health.last
}

// look asks every other node how it is, and says what needs a person.
func (n *Node) look(ctx context.Context, now time.Time) []alert.Finding {
	status, before := n.Status(), n.Health()
	h := Health{At: now, LeaderMissing: since(status.Leader == "", before.LeaderMissing, now), Unsigned: since(!status.Signs, before.Unsigned, now),
		Unwitnessed: since(len(status.Witnesses) > 0 && status.Checkpoint != nil && status.Checkpoint.Trust != trustWitnessed, before.Unwitnessed, now)}
	h.Peers = n.askPeers(ctx, status, before, now)
	for _, p := range status.Peers {
		if p.Member != "voter" {
			continue
		}
		h.Voters++
		if p.ID == n.cfg.ID || reached(h.Peers, p.ID) {
			h.Reached++
		}
	}
	h.Needed = h.Voters/2 + 1
	h.Store, h.Log = folderSize(filepath.Join(n.cfg.Dir, dirStore)), folderSize(filepath.Join(n.cfg.Dir, dirRaft))
	if h.Ending, h.EndingAt = before.Ending, before.EndingAt; now.Sub(h.EndingAt) >= endingEvery {
		h.Ending, h.EndingAt = n.ending(ctx, now), now
	}
	n.health.mu.Lock()
	n.health.last = h
	n.health.mu.Unlock()
	return append(findings(h, status, now), neighbourFindings(n.Mirrors(), now)...)
}

// folderSize adds up the files below a folder. What goes away meanwhile is not counted.
func folderSize(dir string) (size int64) {
	_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}

// since keeps from when something has been so.
func since(so bool, before, now time.Time) time.Time {
	switch {
	case !so:
		return time.Time{}
	case before.IsZero():
		return now
	}
	return before
}

func reached(peers []PeerHealth, id string) bool {
	for _, p := range peers {
		if p.ID == id {
			return p.Reached
		}
	}
	return false
}

func (n *Node) askPeers(ctx context.Context, status Status, before Health, now time.Time) []PeerHealth {
	known := map[string]PeerHealth{}
	for _, p := range before.Peers {
		known[p.ID] = p
	}
	out := []PeerHealth{}
	for _, p := range status.Peers {
		if p.ID != n.cfg.ID {
			was := known[p.ID]
			was.ID, was.URL, was.Member = p.ID, p.URL, p.Member
			was.Outside = since(p.Member != "voter", was.Outside, now)
			out = append(out, was)
		}
	}
	var wait sync.WaitGroup
	for i := range out {
		wait.Go(func() { n.askPeer(ctx, &out[i], now) })
	}
	wait.Wait()
	return out
}

func (n *Node) askPeer(ctx context.Context, p *PeerHealth, now time.Time) {
	h, took, ahead, err := n.askClock(ctx, p.ID)
	p.Reached = err == nil
	p.Away = since(err != nil, p.Away, now)
	if err != nil {
		return
	}
	p.Heard, p.Took, p.Applied, p.Clock = now, took, h.Applied, ahead.Truncate(time.Millisecond)
}

// findings judges a look.
func findings(h Health, s Status, now time.Time) []alert.Finding {
	var out []alert.Finding
	add := func(code, subject string, is bool, level alert.Level, after time.Duration, value, limit string) {
		if is {
			out = append(out, alert.Finding{Code: code, Subject: subject, Raise: level, After: after, Value: value, Limit: limit})
		}
	}
	if s.State == stateLeft || s.State == stateLeaving { // the rest would be said of a region that may be fine
		add("left", "", s.State == stateLeft, alert.Warning, 0, "", "")
		return out
	}
	takesPart := h.Voters > 0
	needed, got := strconv.Itoa(h.Needed), strconv.Itoa(h.Reached)
	add("quorum_lost", "", takesPart && h.Reached < h.Needed, alert.Critical, leaderlessAfter, got, needed)
	add("quorum_thin", "", takesPart && h.Voters > 1 && h.Reached == h.Needed && h.Reached < h.Voters, alert.Warning, awayAfter, got, needed)
	add("no_leader", "", !h.LeaderMissing.IsZero(), alert.Critical, leaderlessAfter, operate.Minutes(now.Sub(h.LeaderMissing)), "")
	add("fork", "", s.Forked, alert.Critical, 0, "", "") // the longer two histories live, the more are relied on
	add("not_signing", "", !h.Unsigned.IsZero() && !s.Forked, alert.Warning, unsignedAfter, operate.Minutes(now.Sub(h.Unsigned)), "")
	add("unwitnessed", "", !h.Unwitnessed.IsZero() && !s.Forked, alert.Warning, unwitnessedAfter, operate.Minutes(now.Sub(h.Unwitnessed)), "")
	var furthest uint64
	for _, p := range h.Peers {
		add("peer_away", p.ID, !p.Reached, alert.Warning, awayAfter, operate.Minutes(now.Sub(p.Away)), "")
		add("not_voter", p.ID, takesPart && !p.Outside.IsZero(), alert.Warning, outsideAfter, operate.Minutes(now.Sub(p.Outside)), "")
		out = append(out, clock(p)...)
		if p.Reached {
			furthest = max(furthest, p.Applied)
		}
	}
	soon := 0
	for _, e := range h.Ending {
		if e.Until.Sub(now) < endingSoon*24*time.Hour {
			soon++
		}
	}
	add("ending", "", soon > 0, alert.Warning, 0, strconv.Itoa(soon), strconv.Itoa(endingSoon))
	if furthest > s.Applied {
		lack := furthest - s.Applied
		add("behind", "", lack > behindEntries, alert.Warning, behindAfter, strconv.FormatUint(lack, 10), "")
	}
	return append(out, checkpoint(s, now)...)
}

// clock compares clocks as far as the time of an answer lets it.
func clock(p PeerHealth) []alert.Finding {
	off := p.Clock.Abs() - p.Took/2
	if !p.Reached || off < clockDiffers/2 {
		return nil
	}
	f := alert.Finding{Code: "clock", Subject: p.ID, Keep: alert.Warning, After: time.Minute, Value: strconv.Itoa(int(off / time.Second))}
	if off >= clockDiffers {
		f.Raise = alert.Warning
	}
	return []alert.Finding{f}
}

// checkpoint judges the age of what readers get (D11). A region that is not founded has none.
func checkpoint(s Status, now time.Time) []alert.Finding {
	if s.Leaves == 0 || s.Checkpoint == nil {
		return nil
	}
	age := now.Sub(s.Checkpoint.Freshest)
	f := alert.Finding{Code: "checkpoint", Value: strconv.Itoa(int(age / time.Hour)), Limit: strconv.Itoa(int(checkpointOld / time.Hour))}
	switch {
	case age > checkpointTooOld:
		f.Raise = alert.Critical
	case age > checkpointOld:
		f.Raise = alert.Warning
	default:
		return nil
	}
	return []alert.Finding{f}
}
