// Command paspoort is the one binary of the Persoonlijk Profiel Paspoort: the
// holder's wallet, an issuer, a verifier and a registry node.
package main

import "os"

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	return 0
}
