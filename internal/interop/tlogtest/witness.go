package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net"
	"net/http"

	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/witness/api"
	"github.com/transparency-dev/witness/persistence/inmemory"
	"github.com/transparency-dev/witness/witness"
	"golang.org/x/mod/sumdb/note"
)

// serve is a witness that knows one log by one key, until its input ends.
func serve(ctx context.Context, in *json.Decoder, out *json.Encoder) error {
	var input struct{ Name, Log string } // the name of its key; the verifier key of the log
	if err := in.Decode(&input); err != nil {
		return err
	}
	log, err := note.NewVerifier(input.Log)
	if err != nil {
		return err
	}
	skey, vkey, err := note.GenerateKey(rand.Reader, input.Name)
	if err != nil {
		return err
	}
	signer, err := f_note.NewSignerForCosignatureV1(skey)
	if err != nil {
		return err
	}
	if vkey, err = f_note.VKeyToCosignatureV1(vkey); err != nil {
		return err
	}
	w, err := witness.New(ctx, witness.Opts{Persistence: inmemory.New(), Signers: []note.Signer{signer},
		VerifierForLog: func(_ context.Context, origin string) (note.Verifier, bool, error) {
			return log, origin == log.Name(), nil
		}})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+api.HTTPAddCheckpoint, witness.NewHTTPHandler(w).AddCheckpoint)
	go http.Serve(listener, mux)
	if err := out.Encode(map[string]string{"URL": "http://" + listener.Addr().String(), "Key": vkey}); err != nil {
		return err
	}
	return rest(in)
}
