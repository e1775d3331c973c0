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
	out := flag.String("out", "", "write the results as JSON to this file")
	only := flag.String("only", "", "run the rows with a name that begins with this")
	smoke := flag.Bool("smoke", false, "two rounds of each row: says that it works, not how fast")
	flag.Parse()
	rows := slices.DeleteFunc(append(bench.Rows(), registryRows()...), func(r bench.Row) bool {
		return !strings.HasPrefix(r.Name, *only)
	})
	if *smoke {
		rows = bench.Smoke(rows)
	}
	results, err := bench.Run(os.Stdout, rows...)
	if *out != "" {
		err = errors.Join(err, bench.Write(*out, results))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
