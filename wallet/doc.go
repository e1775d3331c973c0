// Package wallet is the holder's paspoort: it keeps keys and credentials, accepts
// what issuers offer, shows exactly what the holder agrees to, and remembers what
// happened. It is an engine with a Go API; the command line is one face of it.
//
// It is no verifier and no judge of its own: what a credential is worth comes from
// internal/evidence and specs/paspoort. It never publishes anything about the
// holder and needs no server of its own.
//
// It follows section 7 of the design (key hierarchy, consent) and section 4 (copies
// and key slots), and speaks OpenID4VCI 1.0 and OpenID4VP 1.0 through the packages
// in specs, so that issuers and verifiers of DIIP v5 and HAIP 1.0 work too.
//
//	w, err := wallet.Init(wallet.Config{Store: store, HTTP: client, Fetch: client, Clock: time.Now}, passphrase)
//	offer, err := w.Offer(ctx, "openid-credential-offer://...", wallet.Trust{})
//	result, err := w.Accept(ctx, offer, wallet.Choices{TxCode: "493536"})
//	request, err := w.Request(ctx, "openid4vp://...", wallet.Trust{})
//	// show request.Consent to the holder
//	redirect, err := w.Present(ctx, request, wallet.Decision{})
package wallet
