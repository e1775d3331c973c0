// Command summary reads what go test -json writes and keeps what a person needs:
// the output of tests that failed, the slowest packages, and how many passed,
// failed and were skipped. It ends with 1 when something failed, or when nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
)

type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
	ImportPath                    string // of build-output events
}

type key struct{ pkg, test string }

type pkgTime struct {
	name    string
	seconds float64
}

func main() {
	counts := flag.String("counts", "", "file that gets the numbers of passed and failed tests")
	flag.Parse()
	os.Exit(run(*counts))
}

func run(counts string) int {
	var passed, failed, skipped int
	output := map[key][]string{}
	var times []pkgTime
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			fmt.Println(lines.Text()) // not an event: the compiler, perhaps
			continue
		}
		k := key{e.Package, e.Test}
		switch e.Action {
		case "output", "build-output":
			if e.Action == "build-output" {
				fmt.Print(e.Output)
			}
			output[k] = append(output[k], e.Output)
		case "pass":
			if e.Test != "" {
				passed++
			} else {
				times = append(times, pkgTime{e.Package, e.Elapsed})
			}
			delete(output, k)
		case "skip":
			if e.Test != "" {
				skipped++
				fmt.Printf("skipped %s %s: %s\n", e.Package, e.Test, reason(output[k]))
			}
			delete(output, k)
		case "fail":
			failed++
			fmt.Printf("--- %s %s\n%s", e.Package, e.Test, strings.Join(output[k], ""))
			delete(output, k)
		}
	}
	slices.SortFunc(times, func(a, b pkgTime) int { return int(1000 * (b.seconds - a.seconds)) })
	for _, p := range times[:min(5, len(times))] {
		fmt.Printf("%6.1f s  %s\n", p.seconds, p.name)
	}
	fmt.Printf("%d tests passed, %d failed, %d skipped\n", passed, failed, skipped)
	if counts != "" {
		if err := os.WriteFile(counts, fmt.Appendf(nil, "%d %d\n", passed, failed), 0o644); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	if failed > 0 || passed == 0 || lines.Err() != nil {
		return 1
	}
	return 0
}

// reason is what a skipped test says, without the lines that go test adds.
func reason(lines []string) string {
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "===") && !strings.HasPrefix(l, "---") {
			return l
		}
	}
	return "it gives no reason"
}
