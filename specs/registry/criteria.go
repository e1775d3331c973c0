package registry

import (
	"reflect"
	"time"
)

// CriteriaText is where a version of the criteria for admission can be read, in short and in
// full.
type CriteriaText struct {
	SHA256  string `json:"sha256,omitempty"` // of what stands there
	Summary *Text  `json:"summary,omitempty"`
	URL     string `json:"url,omitempty"`
}

func (c CriteriaText) check() error {
	if c.Summary == nil && c.URL == "" || c.URL != "" && !isEvidenceURL(c.URL) || c.SHA256 != "" && (c.URL == "" || !isHash(c.SHA256)) {
		return ErrBody.with("criteria have a summary or a web address, with the SHA-256 of what stands there if it is known")
	}
	if c.Summary != nil {
		return c.Summary.check()
	}
	return nil
}

// CriteriaVersion is a version of the criteria and when it was in force.
type CriteriaVersion struct {
	Version string        `json:"version"`
	Text    *CriteriaText `json:"text,omitempty"`
	From    int64         `json:"from"`
	Until   int64         `json:"until,omitzero"` // absent: in force
}

// Criteria lists the versions of the criteria up to a time, oldest first.
func (v View) Criteria(at time.Time) []CriteriaVersion {
	out := []CriteriaVersion{}
	for _, c := range v.State.charter.history(current, v.AsOf) {
		n := len(out)
		if c.From > at.Unix() && n > 0 || n > 0 && out[n-1].Version == c.Criteria && reflect.DeepEqual(out[n-1].Text, c.Text) {
			continue
		}
		if n > 0 {
			out[n-1].Until = c.From
		}
		out = append(out, CriteriaVersion{Version: c.Criteria, Text: c.Text, From: c.From})
	}
	return out
}
