// Package verifier is the relying party: it asks a holder for skills or credentials over OpenID4VP, has the answer judged,
// shows the verdict per skill, and forgets.
//
// It is not the verdict (package specs/paspoort decides, internal/evidence collects the facts) and not the protocol
// (specs/openid4vp). It is the role around them: requests that an administrator makes through the API, the page with the
// QR code, the binding of an answer to the browser that asked, and what is kept for how long.
//
// What is kept: the request and, until Config.KeepVerdict, of the verdict how the checks ended and who proved the skills that
// were asked. What came, with everything that it disclosed, is in memory only, for Config.KeepContents, and is gone with
// the process.
// A holder who opened a request, refused it or never saw it looks the same here: waiting, then expired; unless the holder
// chooses to say no.
//
//	v, err := verifier.New(verifier.Config{URL: "https://werkgever.example", Name: "Machinefabriek Ossekamp", ...})
//	go v.Run(ctx)                       // forgets on time
//	web.Serve(ctx, listener, v.Handler(), tls)
package verifier
