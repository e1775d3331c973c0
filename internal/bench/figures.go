package bench

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// A Figure is one measured value that is not the time of one operation: events a second, a
// percentile, memory. Limit is what the least that has to be done came to, in the same unit
// and the same run; 0 when there is no such thing.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Limit float64 `json:"limit,omitzero"`
	Ratio float64 `json:"ratio,omitzero"` // of value to limit
	Aim   float64 `json:"aim,omitzero"`   // in the unit; 0: none
	Note  string  `json:"note,omitzero"`
}

// NewFigure is a figure with its ratio.
func NewFigure(name string, value float64, unit string, limit, aim float64) Figure {
	f := Figure{Name: name, Value: value, Unit: unit, Limit: limit, Aim: aim}
	if limit > 0 {
		f.Ratio = value / limit
	}
	return f
}

// Figures prints figures as a table.
func Figures(w io.Writer, list []Figure) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "figure\tvalue\tunit\tlimit\tratio\taim\t ")
	for _, f := range list {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t %s\n", f.Name, number(f.Value), f.Unit, number(f.Limit), number(f.Ratio), number(f.Aim), f.Note)
	}
	return out.Flush()
}

// number writes as many digits as mean something; nothing for 0.
func number(v float64) string {
	switch {
	case v == 0:
		return "-"
	case v < 10:
		return fmt.Sprintf("%.2f", v)
	case v < 100:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// Percentile is the duration that this part of the others is not above.
func Percentile(list []time.Duration, part float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}

// Median is the middle one of values.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return ranked(slices.Clone(values), 0.5)
}
