// Package host is the web face of the paspoort: many holders on one computer, each with a
// store that only that holder opens. It is the engine of package wallet with accounts,
// sessions and pages around it, and knows nothing of credentials itself.
//
// What the host can read while nobody is signed in: which accounts exist, their sizes, the
// public keys of passkeys, and of each share how often and until when it may be opened.
// While somebody is signed in it can read that person's paspoort; the pages say so, and
// specs/threat-model.md says what is done about it.
//
//	h, err := host.New(host.Config{URL: "https://paspoort.example", Store: store, ...})
//	err = web.Serve(ctx, listener, h.Handler(), tlsConfig)
//
// It is not an identity provider: nobody else learns who signs in here.
package host
