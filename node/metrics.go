package node

import (
	"time"

	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/specs/registry"
)

// counters are what a node counts while it works. No label comes from a request.
type counters struct {
	events *prometheus.CounterVec // by what became of them; only the leader counts
	commit prometheus.Histogram   // of a batch, until a quorum has it and it is applied here
	batch  prometheus.Histogram
}

func newCounters() *counters {
	return &counters{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "paspoort_node_events_total",
			Help: "Events that this node put into the log while it led, by outcome."}, []string{"outcome"}),
		commit: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "paspoort_node_commit_seconds",
			Help: "From proposing a batch until a quorum has synced it and it is applied here.", Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .5, 2, 10}}),
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "paspoort_node_batch_events",
			Help: "Events in a batch.", Buckets: []float64{1, 4, 16, 64, 256}}),
	}
}

// settled counts a batch once raft has answered.
func (c *counters) settled(events int, future raft.ApplyFuture, took time.Duration) {
	c.commit.Observe(took.Seconds())
	c.batch.Observe(float64(events))
	outcomes, ok := future.Response().([]registry.Outcome)
	if future.Error() != nil || !ok {
		c.events.WithLabelValues("unclear").Add(float64(events))
		return
	}
	for _, o := range outcomes {
		switch {
		case o.Repeat:
			c.events.WithLabelValues("repeated").Inc()
		case o.State == registry.OutcomeRefused:
			c.events.WithLabelValues("refused").Inc()
		default:
			c.events.WithLabelValues("committed").Inc()
		}
	}
}

// metrics adds what a node shows beside its requests.
func (n *Node) metrics(site *web.Site) {
	site.Metrics.MustRegister(n.counters.events, n.counters.commit, n.counters.batch, collector{n})
}

// collector reads the node when it is asked: its status as it is now, the other nodes as the
// last look found them.
type collector struct{ n *Node }

// metric is one number of a status.
type metric struct {
	desc  *prometheus.Desc
	value func(Status, *Node) float64
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("paspoort_node_"+name, help, labels, nil)
}

var statusMetrics = []metric{
	{describe("leaves", "Leaves in this node's store."), func(s Status, _ *Node) float64 { return float64(s.Leaves) }},
	{describe("applied", "Raft index in this node's store."), func(s Status, _ *Node) float64 { return float64(s.Applied) }},
	{describe("raft_index", "Last entry in this node's raft log."), func(s Status, _ *Node) float64 { return float64(s.RaftIndex) }},
	{describe("raft_term", "Raft's term; each election raises it."), func(s Status, _ *Node) float64 { return float64(s.Term) }},
	{describe("leads", "1 while this node leads."), func(s Status, _ *Node) float64 { return flag(s.Leader == s.Node) }},
	{describe("has_leader", "1 while this node knows a leader."), func(s Status, _ *Node) float64 { return flag(s.Leader != "") }},
	{describe("signs", "1 while this node signs checkpoints."), func(s Status, _ *Node) float64 { return flag(s.Signs) }},
	{describe("witnessed", "1 while a witness from outside the region stands behind the checkpoint that this node serves."), func(s Status, _ *Node) float64 {
		return flag(s.Checkpoint != nil && s.Checkpoint.Trust == trustWitnessed)
	}},
	{describe("forked", "1 while this node sees another history than its own: never ignore this."), func(s Status, _ *Node) float64 { return flag(s.Forked) }},
	{describe("age_seconds", "Since this node last heard from a leader; -1 when it never did."), func(s Status, _ *Node) float64 { return float64(s.Age) }},
	{describe("queue_events", "Events that wait for a batch."), func(_ Status, n *Node) float64 { return float64(len(n.queue)) }},
}

var (
	checkpointLeaves = describe("checkpoint_leaves", "Leaves under the newest checkpoint that counts.")
	checkpointAge    = describe("checkpoint_age_seconds", "Since a quorum last stood behind the newest checkpoint.")
	checkpointSigned = describe("checkpoint_cosignatures", "Nodes that cosigned the newest checkpoint.")
	voters           = describe("voters", "Nodes that vote, by raft's configuration.")
	votersReached    = describe("voters_reached", "Of those, the ones that answer this node, itself included.")
	votersNeeded     = describe("voters_needed", "How many of them it takes to decide anything.")
	dataBytes        = describe("data_bytes", "Size of the data folder on disk, by part.", "part")
	ends             = describe("ending", "What of the region ends within 60 days and was not renewed.", "what")
	regionAge        = describe("region_copy_age_seconds", "Since the nodes of another region last stood behind the copy of it here.", "region")
	regionLeaves     = describe("region_copy_leaves", "Leaves in the copy of another region.", "region")
	regionRelied     = describe("region_relied", "1 while what another region says counts here.", "region")
	peerReached      = describe("peer_reached", "1 while the other node answers.", "peer")
	peerTook         = describe("peer_answer_seconds", "How long its last answer took.", "peer")
	peerLag          = describe("peer_lag_entries", "Raft entries that it lacks of what this node has applied.", "peer")
	peerClock        = describe("peer_clock_seconds", "How far its clock is ahead of this node's.", "peer")
)

// Describe implements prometheus.Collector.
func (c collector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range statusMetrics {
		out <- m.desc
	}
	for _, d := range []*prometheus.Desc{checkpointLeaves, checkpointAge, checkpointSigned, voters, votersReached, votersNeeded, dataBytes, ends, regionAge, regionLeaves, regionRelied, peerReached, peerTook, peerLag, peerClock} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	s, h := c.n.Status(), c.n.Health()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	for _, m := range statusMetrics {
		gauge(m.desc, m.value(s, c.n))
	}
	if s.Checkpoint != nil {
		gauge(checkpointLeaves, float64(s.Checkpoint.Size))
		gauge(checkpointAge, c.n.cfg.Clock().Sub(s.Checkpoint.Freshest).Seconds())
		gauge(checkpointSigned, float64(len(s.Checkpoint.Cosigned)))
	}
	for _, m := range c.n.Mirrors() {
		if m.Leaves > 0 {
			gauge(regionAge, float64(m.Age), m.Genesis[:12])
		}
		gauge(regionLeaves, float64(m.Leaves), m.Genesis[:12])
		gauge(regionRelied, flag(m.Relied), m.Genesis[:12])
	}
	if h.At.IsZero() {
		return
	}
	gauge(dataBytes, float64(h.Store), dirStore)
	gauge(dataBytes, float64(h.Log), dirRaft)
	count := map[string]int{"grant": 0, "level": 0, "certificate": 0, "mandate": 0, "region": 0, "custodian": 0}
	for _, e := range h.Ending {
		count[e.What]++
	}
	for what, number := range count {
		gauge(ends, float64(number), what)
	}
	gauge(voters, float64(h.Voters))
	gauge(votersReached, float64(h.Reached))
	gauge(votersNeeded, float64(h.Needed))
	for _, p := range h.Peers {
		gauge(peerReached, flag(p.Reached), p.ID)
		if p.Heard.IsZero() {
			continue
		}
		gauge(peerTook, p.Took.Seconds(), p.ID)
		gauge(peerLag, float64(s.Applied)-float64(min(p.Applied, s.Applied)), p.ID)
		gauge(peerClock, p.Clock.Seconds(), p.ID)
	}
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
