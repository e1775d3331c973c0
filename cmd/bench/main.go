// Command bench measures the product against limits of the same run: see internal/bench.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"

	"paspoort.example/paspoort/internal/bench"
)

func main() {
	if path := os.Getenv(childVariable); path != "" {
		exit(runChild(path))
	}
	if path := os.Getenv(scaleVariable); path != "" {
		exit(runScaleChild(path))
	}
	out := flag.String("out", "", "write the results as JSON to this file")
	only := flag.String("only", "", "run the rows with a name that begins with this; registry for what is measured of a region")
	smoke := flag.Bool("smoke", false, "two rounds of each row: says that it works, not how fast")
	large := flag.Int("large", 0, "measure a region with so many entries, and nothing else")
	nodes := flag.Int("nodes", 3, "nodes of the region of -large")
	scale := flag.Int("scale", 0, "measure one process that mirrors 1, 5 and 35 regions with so many organisations each, and nothing else")
	flag.Parse()
	if *large > 0 || *scale > 0 {
		var figures []bench.Figure
		var err error
		if *large > 0 {
			figures, err = largeFigures(*large, *nodes)
		} else {
			figures, err = scaleFigures(*scale)
		}
		err = errors.Join(err, bench.Figures(os.Stdout, figures))
		if *out != "" {
			err = errors.Join(err, bench.Write(*out, bench.Report{Figures: figures}))
		}
		exit(err)
	}
	rows := slices.DeleteFunc(bench.Rows(), func(r bench.Row) bool { return !strings.HasPrefix(r.Name, *only) })
	size := whole
	if *smoke {
		rows, size = bench.Smoke(rows), brief
	}
	var report bench.Report
	var err error
	if len(rows) > 0 {
		report.Rows, err = bench.Run(os.Stdout, rows...)
	}
	if strings.HasPrefix("registry", *only) {
		var failed error
		report.Figures, failed = registryFigures(size)
		err = errors.Join(err, failed, bench.Figures(os.Stdout, report.Figures))
	}
	if *out != "" {
		err = errors.Join(err, bench.Write(*out, report))
	}
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
