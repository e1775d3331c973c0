// Tlogtest is what other people's programs do with transparency logs, for tests: reading a log (torchwood,
// transparency-dev/formats), witnessing one and having one witnessed (transparency-dev/witness), with golang.org/x/mod
// under them. It takes nothing from the module around it, and is a module of its own so that what it needs stays out of
// the product.
//
//	tlogtest read|witness|log < input.json > output.json
//
// It holds no expectations: what must come out stands in the tests of the role.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

func main() {
	jobs := map[string]func(context.Context, *json.Decoder, *json.Encoder) error{"read": read, "witness": serve, "log": grow}
	if len(os.Args) != 2 || jobs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "say read, witness or log")
		os.Exit(2)
	}
	if err := jobs[os.Args[1]](context.Background(), json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// rest waits for the end of the input: who started this ends it so.
func rest(in *json.Decoder) error {
	_, err := io.Copy(io.Discard, in.Buffered())
	if err == nil {
		_, err = io.Copy(io.Discard, os.Stdin)
	}
	return err
}
