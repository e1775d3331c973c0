// Package bench measures the product against limits that are measured in the same run.
//
// A row names an operation of the product and the least that any program has to do for the
// same result, such as two bare signature verifications. Both run in turns, in short
// rounds, so that whatever else the machine does hits both; of each a quick round counts
// (one in ten was quicker, which leaves out the odd reading of the clock): what is left is
// the work itself. What comes now and then on top, such as the collector of garbage, shows
// in the median that stands beside it. The ratio of the two says how much the product adds,
// and is comparable between machines, which nanoseconds are not.
//
//	results, err := bench.Run(os.Stdout, bench.Rows()...)
//	err = bench.Write("build/bench.json", bench.Report{Rows: results})
package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"
)

// An Op does one operation, the i-th of a round or of all.
type Op func(i int) error

// A Case is a row that was set up. Subject is the product's operation, Limit what it is
// held against. Each does Ops operations altogether, in rounds of Round.
type Case struct {
	Subject, Limit Op
	Ops, Round     int
	// CPU counts processor time of the whole process instead of time on the wall: for
	// operations that wait for nothing, so that neighbours on the machine do not count.
	CPU   bool
	Close func() // may be nil
}

// A Row is one line of the table. Setup is not measured; it is called just before.
type Row struct {
	Name  string
	Aim   float64 // the ratio that is aimed at; 0: none
	Setup func() (*Case, error)
}

// A Result is what one row came to.
type Result struct {
	Name      string  `json:"name"`
	NsOp      float64 `json:"ns_op"`
	LimitNsOp float64 `json:"limit_ns_op"`
	Ratio     float64 `json:"ratio"`
	AllocsOp  float64 `json:"allocs_op"`

	aim, median float64
}

// Run measures rows one after another and prints a table. A row in which an operation fails
// is left out, since a benchmark of errors says nothing, and makes the whole an error; the
// others stand.
func Run(w io.Writer, rows ...Row) ([]Result, error) {
	var results []Result
	var errs []error
	for _, row := range rows {
		r, err := measure(row)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", row.Name, err))
			continue
		}
		results = append(results, r)
	}
	return results, errors.Join(append(errs, table(w, results))...)
}

// Smoke cuts rows down to two rounds each, for where only breakage has to show.
func Smoke(rows []Row) []Row {
	short := slices.Clone(rows)
	for i, row := range rows {
		short[i].Setup = func() (*Case, error) {
			c, err := row.Setup()
			if err != nil {
				return nil, err
			}
			c.Ops = min(c.Ops, 2*c.Round)
			return c, nil
		}
	}
	return short
}

func measure(row Row) (Result, error) {
	c, err := row.Setup()
	if err != nil {
		return Result{}, err
	}
	if c.Close != nil {
		defer c.Close()
	}
	r := Result{Name: row.Name, aim: row.Aim}
	var subjects, limits, ratios []float64
	clock := wallTime
	if c.CPU {
		clock = cpuTime
	}
	runtime.GC()
	var mallocs uint64
	for from := 0; from < c.Ops; from += c.Round {
		to := min(from+c.Round, c.Ops)
		before := allocated()
		subject, err := round(clock, c.Subject, from, to)
		if err != nil {
			return r, err
		}
		mallocs += allocated() - before
		limit, err := round(clock, c.Limit, from, to)
		if err != nil {
			return r, err
		}
		subjects, limits = append(subjects, subject), append(limits, limit)
		ratios = append(ratios, subject/limit)
	}
	r.NsOp, r.LimitNsOp = ranked(subjects, 0.1), ranked(limits, 0.1)
	r.Ratio, r.median = r.NsOp/r.LimitNsOp, ranked(ratios, 0.5)
	r.AllocsOp = float64(mallocs) / float64(c.Ops)
	return r, nil
}

// round is the nanoseconds of an operation, on average over a round.
func round(clock func() time.Duration, op Op, from, to int) (float64, error) {
	start := clock()
	for i := from; i < to; i++ {
		if err := op(i); err != nil {
			return 0, err
		}
	}
	return float64((clock() - start).Nanoseconds()) / float64(to-from), nil
}

var began = time.Now()

// wallTime is the time since the program began.
func wallTime() time.Duration { return time.Since(began) }

// ranked is the value that this part of the others is below.
func ranked(values []float64, part float64) float64 {
	slices.Sort(values)
	return values[int(part*float64(len(values)))]
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func table(w io.Writer, results []Result) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "row\tns/op\tlimit\tratio\t[median]\taim\tallocs/op\t")
	for _, r := range results {
		aim := "-"
		if r.aim > 0 {
			aim = fmt.Sprintf("%.2f", r.aim)
		}
		fmt.Fprintf(out, "%s\t%.0f\t%.0f\t%.2f\t[%.2f]\t%s\t%.0f\t\n", r.Name, r.NsOp, r.LimitNsOp, r.Ratio, r.median, aim, r.AllocsOp)
	}
	return out.Flush()
}

// A Report is what a run came to.
type Report struct {
	Rows    []Result `json:"rows"`
	Figures []Figure `json:"figures"`
}

// Write writes a report as JSON, whole or not at all.
func Write(path string, report Report) error {
	raw, err := json.MarshalIndent(report, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(raw, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
