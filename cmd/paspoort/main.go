// Command paspoort is the one binary of the Persoonlijk Profiel Paspoort: the
// holder's wallet, an issuer, a verifier and a registry node, and a whole region of
// them on your own computer. It is the only place that knows more than one role;
// it wires and prints, and decides nothing.
//
//	paspoort demo
//	paspoort dev --data .paspoort --ready-file ready.json --tls
//	paspoort wallet accept 'openid-credential-offer://...'
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	program = started(os.Args[0])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the whole program. Answers go to out, all else to errs.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	tell(errs, err)
	if e, ok := errors.AsType[exitError](err); ok {
		return e.code
	}
	return exitFailed
}

// tell prints what happened, and what to do next when that is known. An exitError
// without a cause has been told already.
func tell(w io.Writer, err error) {
	if e, ok := errors.AsType[exitError](err); ok && e.err == nil {
		return
	}
	if f, ok := errors.AsType[*fault](err); ok {
		f.print(w)
		return
	}
	fmt.Fprintln(w, "paspoort:", err)
	if h, ok := errors.AsType[hinted](err); ok {
		fmt.Fprintln(w, "  "+typed(h.next))
	}
}
