// Command bench measures the product against limits of the same run: see internal/bench.
package main

import (
	"flag"
	"fmt"
	"os"

	"paspoort.example/paspoort/internal/bench"
)

func main() {
	out := flag.String("out", "", "write the results as JSON to this file")
	flag.Parse()
	results, err := bench.Run(os.Stdout, bench.Rows()...)
	if err == nil && *out != "" {
		err = bench.Write(*out, results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
