package audit_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"paspoort.example/paspoort/internal/audit"
	"paspoort.example/paspoort/internal/audit/audittest"
	"paspoort.example/paspoort/specs/registry"
	"paspoort.example/paspoort/specs/registry/registrytest"
	"paspoort.example/paspoort/specs/tlog"
)

// A lie makes of an honest log what a node shows instead, from the entry at an index on. It is
// caught with one of the codes.
type lie struct {
	name string
	make func(w *liar) (source audit.Source, n audittest.Internet)
	want []audit.Code
}

// liar is what a lie is made with.
type liar struct {
	t      testing.TB
	r      *registrytest.Region
	leaves [][]byte // the honest log
	index  int
	rand   *rand.Rand
}

// shows is a log in which knoop-3 shows other leaves. How well it lies: the entries alone, the
// tiles with them, or under a new checkpoint of all nodes, which then lie together, while knoop-2
// goes on to show what was.
func (w *liar) shows(leaves [][]byte, how int) (audit.Source, audittest.Internet) {
	w.t.Helper()
	n := w.around()
	note := audittest.Signed(w.t, w.r, w.leaves)
	lying := audittest.Serve(w.t, w.leaves, note)
	for path := range lying {
		if how < 2 && strings.HasPrefix(path, "tile/entries/") {
			delete(lying, path)
		}
	}
	switch how {
	case 0: // under the names that the checkpoint leads to
		other := audittest.Files{}
		other.Entries(w.t, leaves)
		path := tlog.Tile{Entries: true, Width: len(w.leaves)}.Path()
		lying[path] = other[tlog.Tile{Entries: true, Width: len(leaves)}.Path()]
	case 1:
		lying.Entries(w.t, leaves)
		lying.Tiles(w.t, leaves)
	default:
		lying = audittest.Serve(w.t, leaves, audittest.Signed(w.t, w.r, leaves))
	}
	n["knoop-3.example"] = audittest.Node(lying, w.r.Handler())
	return audit.Web(n, "https://knoop-3.example"), n
}

// around are the honest nodes.
func (w *liar) around() audittest.Internet {
	log := audittest.Node(audittest.Serve(w.t, w.leaves, audittest.Signed(w.t, w.r, w.leaves)), w.r.Handler())
	return audittest.Internet{"knoop-1.example": log, "knoop-2.example": log, "knoop-3.example": log, "knoop-4.example": log}
}

func (w *liar) leaf() registry.Leaf {
	leaf, err := registry.ParseLeaf(w.leaves[w.index])
	if err != nil {
		w.t.Fatal(err)
	}
	return leaf
}

func (w *liar) bytes(leaf registry.Leaf) []byte {
	raw, err := leaf.Marshal()
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}

// with is the honest log with another entry at the index.
func (w *liar) with(raw []byte) [][]byte {
	out := slices.Clone(w.leaves)
	out[w.index] = raw
	return out
}

// changed alters the entry: its time by a second, or a letter of it.
func (w *liar) changed() [][]byte {
	if w.rand.IntN(2) == 0 {
		leaf := w.leaf()
		leaf.LogTime++
		return w.with(w.bytes(leaf))
	}
	raw := bytes.Clone(w.leaves[w.index])
	for {
		i := w.rand.IntN(len(raw))
		if raw[i] >= 'a' && raw[i] < 'z' {
			raw[i]++
			return w.with(raw)
		}
	}
}

func (w *liar) removed() [][]byte { return slices.Delete(slices.Clone(w.leaves), w.index, w.index+1) }

func (w *liar) reordered() [][]byte {
	out := slices.Clone(w.leaves)
	other := w.index - 1
	if other == 0 {
		other = w.index + 1
	}
	out[w.index], out[other] = out[other], out[w.index]
	return out
}

var (
	refused = []audit.Code{audit.RuleBroken, audit.Forged, audit.OtherRegion, audit.Forked}
	lies    = []lie{
		{"changed", func(w *liar) (audit.Source, audittest.Internet) { return w.shows(w.changed(), w.rand.IntN(2)) }, []audit.Code{audit.Changed}},
		{"changed and signed again", func(w *liar) (audit.Source, audittest.Internet) { return w.shows(w.changed(), 2) }, refused},
		{"removed", func(w *liar) (audit.Source, audittest.Internet) { return w.shows(w.removed(), w.rand.IntN(2)) }, []audit.Code{audit.Removed}},
		{"removed and signed again", func(w *liar) (audit.Source, audittest.Internet) { return w.shows(w.removed(), 2) }, refused},
		{"reordered", func(w *liar) (audit.Source, audittest.Internet) { return w.shows(w.reordered(), w.rand.IntN(2)) }, []audit.Code{audit.Reordered}},
		{"reordered and signed again", func(w *liar) (audit.Source, audittest.Internet) { return w.shows(w.reordered(), 2) }, refused},
		{"forked", forked, []audit.Code{audit.Forked}},
		{"rule broken", func(w *liar) (audit.Source, audittest.Internet) {
			return w.shows(append(slices.Clone(w.leaves), w.leaves[w.index]), 2)
		}, []audit.Code{audit.RuleBroken}},
		{"unsigned", unsigned, []audit.Code{audit.Forged, audit.OtherRegion}},
		{"checkpoint of one node", lonely, []audit.Code{audit.Unsigned, audit.Handover}},
		{"tiles alone", tilesAlone, []audit.Code{audit.Tile}},
		{"falsely answered", falselyAnswered, []audit.Code{audit.FalseAnswer}},
	}
)

// forked: another node, audited by nobody, shows a log that ends before the entry and goes on
// otherwise, signed by itself and the others.
func forked(w *liar) (audit.Source, audittest.Internet) {
	other := slices.Clone(w.leaves[:w.index])
	leaf := w.leaf()
	leaf.LogTime++
	other = append(other, w.bytes(leaf))
	n := w.around()
	nodes := [][]string{{"knoop-3"}, nil}[w.rand.IntN(2)]
	n["knoop-3.example"] = audittest.Node(audittest.Serve(w.t, other, audittest.Signed(w.t, w.r, other, nodes...)), w.r.Handler())
	return audit.Web(n, "https://knoop-2.example"), n
}

// unsigned: all nodes signed a log with an event that somebody else's signature stands under.
func unsigned(w *liar) (audit.Source, audittest.Internet) {
	leaf := w.leaf()
	leaf.Signatures = slices.Clone(leaf.Signatures)
	i := w.rand.IntN(len(leaf.Signatures))
	other, err := registry.ParseLeaf(w.leaves[(w.index+1)%len(w.leaves)])
	if err != nil {
		w.t.Fatal(err)
	}
	leaf.Signatures[i] = other.Signatures[0]
	return w.shows(w.with(w.bytes(leaf)), 2)
}

// lonely: one node alone stands behind the checkpoint.
func lonely(w *liar) (audit.Source, audittest.Internet) {
	n := w.around()
	n["knoop-3.example"] = audittest.Node(audittest.Serve(w.t, w.leaves, audittest.Signed(w.t, w.r, w.leaves, "knoop-3")), w.r.Handler())
	return audit.Web(n, "https://knoop-3.example"), n
}

// tilesAlone: the entries are right, a tile of hashes is not.
func tilesAlone(w *liar) (audit.Source, audittest.Internet) {
	n := w.around()
	log := audittest.Serve(w.t, w.leaves, audittest.Signed(w.t, w.r, w.leaves))
	log.Tiles(w.t, w.with([]byte("something else")))
	n["knoop-3.example"] = audittest.Node(log, w.r.Handler())
	return audit.Web(n, "https://knoop-3.example"), n
}

// falselyAnswered: a node answers as if the entry and what came after it never happened.
func falselyAnswered(w *liar) (audit.Source, audittest.Internet) {
	n := w.around()
	n["knoop-3.example"] = audittest.Node(audittest.Serve(w.t, w.leaves, audittest.Signed(w.t, w.r, w.leaves)), forgetful{w.r.Handler(), uint64(w.index)})
	return audit.Web(n, "https://knoop-2.example"), n
}

// forgetful answers about no more than the first leaves, and says that it did about all.
type forgetful struct {
	http.Handler
	size uint64
}

// ServeHTTP implements http.Handler.
func (f forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	asof, _ := strconv.ParseUint(q.Get("asof"), 10, 64)
	if asof <= f.size {
		f.Handler.ServeHTTP(w, r)
		return
	}
	q.Set("asof", strconv.FormatUint(f.size, 10))
	asked := *r.URL
	asked.RawQuery = q.Encode()
	rec := httptest.NewRecorder()
	f.Handler.ServeHTTP(rec, httptest.NewRequestWithContext(r.Context(), r.Method, (&url.URL{Path: asked.Path, RawQuery: asked.RawQuery}).RequestURI(), nil))
	was, said := fmt.Sprintf(`"asof":%d,`, f.size), fmt.Sprintf(`"asof":%d,`, asof)
	w.WriteHeader(rec.Code)
	w.Write([]byte(strings.ReplaceAll(rec.Body.String(), was, said)))
}

// lastLeaves is how far a log goes on after the entry that is lied about.
const lastLeaves = 4

// TestLiesAreCaught: over every kind of event, by seed, each way of lying is found, where it
// is, and in words. PASPOORT_AUDIT_SEED gives another seed.
func TestLiesAreCaught(t *testing.T) {
	seed, _ := strconv.ParseUint(os.Getenv("PASPOORT_AUDIT_SEED"), 10, 64)
	r := audittest.Everything(t)
	at := map[registry.Kind][]int{}
	for i, raw := range r.Leaves {
		var leaf registry.Leaf
		if err := json.Unmarshal(raw, &leaf); err != nil {
			t.Fatal(err)
		}
		at[leaf.Event.Kind] = append(at[leaf.Event.Kind], i)
	}
	active, _ := registry.Kinds()
	for k, kind := range active {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			draw := rand.New(rand.NewPCG(seed, uint64(len(kind))))
			for i, l := range lies {
				index := at[kind][draw.IntN(len(at[kind]))]
				if (i+k+int(seed%lieOneIn))%lieOneIn != 0 {
					continue
				}
				if kind == registry.KindFounded && (l.name == "falsely answered" || strings.HasPrefix(l.name, "removed") || strings.HasPrefix(l.name, "reordered")) {
					continue // without its first entry there is no log of this region to compare with
				}
				end := min(len(r.Leaves), index+1+lastLeaves)
				w := &liar{t: t, r: r, leaves: r.Leaves[:end], index: index, rand: rand.New(rand.NewPCG(seed, uint64(i)))}
				source, n := l.make(w)
				caught(t, l, kind, index, run(t, r, n, source))
			}
		})
	}
}

// located are the findings that say which entry it is.
var located = []audit.Code{audit.Changed, audit.Reordered, audit.Forged, audit.FalseAnswer}

// caught looks for the lie among the findings, in words, and where and since when it is.
func caught(t *testing.T, l lie, kind registry.Kind, index int, report *audit.Report) {
	t.Helper()
	first, want := -1, l.want
	if kind == registry.KindFounded { // who does not know the charter knows no other node to ask
		want = append(slices.Clone(want), audit.Altered)
	}
	var found audit.Finding
	for _, f := range report.Findings {
		if f.In("nl") == "" || f.In("en") == f.In("nl") {
			t.Errorf("%s: no words for %s", l.name, f.Code)
		}
		if slices.Contains(want, f.Code) && f.Leaf != nil && (first < 0 || int(*f.Leaf) < first) {
			first, found = int(*f.Leaf), f
		}
	}
	switch {
	case report.Verdict() != audit.Wrong || first < 0:
		t.Errorf("%s at entry %d: %s, found %+v, want %v", l.name, index, report.Verdict(), report.Findings, l.want)
	case first > 0 && found.Since.IsZero():
		t.Errorf("%s at entry %d: no time: %+v", l.name, index, found)
	case !slices.Contains(located, found.Code) || strings.HasSuffix(l.name, "signed again"):
	case found.Code == audit.FalseAnswer && unseen[kind] && first > index:
	case first != index && (found.Code != audit.Reordered || first != index-1):
		t.Errorf("%s at entry %d: said of entry %d: %s", l.name, index, first, found.In("en"))
	}
}

// unseen are the kinds whose effect no answer need show: a digest, a clock, and what was offered
// and is closed by now.
var unseen = map[registry.Kind]bool{
	registry.KindDigest: true, registry.KindClock: true, registry.KindFunction: true, registry.KindFunctionChanged: true,
	registry.KindFunctionClosed: true, registry.KindModule: true, registry.KindModuleChanged: true, registry.KindModuleClosed: true,
}
