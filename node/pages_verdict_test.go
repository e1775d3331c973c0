package node

import (
	"slices"
	"strings"
	"testing"

	"paspoort.example/paspoort/specs/paspoort"
)

// sampleOf finds a sample of the page by name.
func sampleOf(t *testing.T, name string) *checkedView {
	t.Helper()
	for _, s := range checkSamples() {
		if s.Name == name {
			return s.Data.Verdict
		}
	}
	t.Fatalf("no sample %s", name)
	return nil
}

// TestVerdictInOneSentence: the sentence on top says what is so: first what is wrong, then what
// is not known, then what is.
func TestVerdictInOneSentence(t *testing.T) {
	for _, c := range []struct {
		sample, sum  string
		count        int
		proofs, self int
	}{
		{"genuine", "single.genuine", 0, 1, 0},
		{"own", "single.own", 0, 0, 1},
		{"unknown", "single.unknown", 0, 1, 0},
		{"failed", "single.failed", 0, 1, 0},
		{"broken", "single.unread", 0, 1, 0},
		{"all", "genuine", 0, 2, 0},
		{"share", "own.many", 2, 2, 1},
		{"doubt", "unknown.one", 1, 2, 0},
		{"wrong", "failed.one", 1, 2, 0},
		{"false", "failed", 0, 2, 0},
		{"scraps", "unread", 0, 2, 0},
		{"several", "failed.many", 2, mostChecked - 1, 1},
	} {
		v := sampleOf(t, c.sample)
		if v.Sum != c.sum || v.Count != c.count || len(v.Proofs) != c.proofs || len(v.Own) != c.self {
			t.Errorf("%s: %s of %d, %d and %d", c.sample, v.Sum, v.Count, len(v.Proofs), len(v.Own))
		}
	}
}

// TestVerdictSaysThingsOnce: what holds for all is said on top and nowhere else, and nothing is
// said twice of one credential.
func TestVerdictSaysThingsOnce(t *testing.T) {
	for _, s := range checkSamples() {
		v := s.Data.Verdict
		if v == nil {
			continue
		}
		for _, row := range slices.Concat(v.Proofs, v.Own) {
			seen := slices.Clone(v.Holder)
			for _, check := range slices.Concat(row.Wrong, row.Fine) {
				if slices.Contains(seen, check.Sentence) || check.Code == "not_checked" {
					t.Errorf("%s: again %q", s.Name, check.Sentence.NL)
				}
				seen = append(seen, check.Sentence)
			}
		}
	}
	broken := sampleOf(t, "broken").Proofs[0]
	if len(broken.Wrong) != 1 || len(broken.Fine) != 0 || !broken.Skipped {
		t.Errorf("what cannot be read: %+v", broken)
	}
	if share := sampleOf(t, "share"); len(share.Proofs[0].Wrong)+len(share.Own[0].Wrong) != 0 || len(share.Holder) != 2 {
		t.Errorf("a share in order: %+v", share)
	}
}

// TestVerdictDoesNotPraise: a credential that is genuine and proves nothing says so, one with
// anything wrong is not called genuine, and own words that another signed are not own words.
func TestVerdictDoesNotPraise(t *testing.T) {
	failedExam := sampleChecked(paspoort.Opleiding, "Lassen", "Opleidingshuis De Vaart", 0, []string{"TIG-lassen"})
	failedExam.ProofLevel, failedExam.ProofText = nil, paspoort.Text{}
	if row := newCheckedRow(failedExam, paspoort.Check{}); row.State != rowGenuine || !row.Nothing {
		t.Errorf("a failed exam: %+v", row)
	}
	stolen := sampleChecked(paspoort.Zelfverklaring, "Ik", "", 0, nil, sampleCheck(paspoort.CheckIssuerAdmitted, paspoort.Failed, "self_signed_by_other"))
	if row := newCheckedRow(stolen, paspoort.Check{}); row.State != rowFailed {
		t.Errorf("words of another: %s", row.State)
	}
	replayed := sampleChecked(paspoort.Opleiding, "Lassen", "Opleidingshuis De Vaart", 3, nil, sampleCheck(paspoort.CheckHolderBinding, paspoort.Failed, "key_binding_invalid"))
	v := sampleVerdict(paspoort.Failed, replayed)
	if v.Sum != "single.failed" || len(v.Proofs[0].Wrong) != 1 || len(v.Holder) != 0 {
		t.Errorf("a wrong signature of the holder: %+v", v)
	}
	claims := map[string]any{"skills": []any{"x", map[string]any{"label": 3}, map[string]any{"label": "Lassen"}, map[string]any{"label": "Lassen"}}, "title": 4}
	if row := newCheckedRow(paspoort.CredentialVerdict{Claims: claims}, paspoort.Check{}); strings.Join(row.Skills, ",") != "Lassen" || row.Title != "" {
		t.Errorf("claims of any shape: %+v", row)
	}
}
