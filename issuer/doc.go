// Package issuer is the issuing party: it makes offers, issues credentials in
// batches of copies, keeps their status and publishes it.
//
// It is not the protocol (specs/openid4vci), not the credential (specs/paspoort
// says what each type holds and renders it) and not the registry (whether this
// organisation is admitted is decided by others). It is the role around them: an
// administrator hands in claims over the API, a person accepts the offer with any
// wallet, and status lists appear on a schedule.
//
// What is kept. Claims are sealed with a key that is not in the store, and deleted
// when the time in which new copies can be had is over, or at revocation. What
// stays of a credential is its id, its state, and where its copies stand in the
// status lists. Which wallet took it, from where and with which keys is never
// kept. Logs and metrics hold no holder data.
//
// Status. Each copy has an entry of its own in a list that all credentials share,
// at a random index that is never used twice. A change is published at the next
// turn of the schedule, never at once: who watches the lists learns how many
// entries changed in a quarter of an hour and nothing else. So that a new copy is
// not taken for an invalid one until then, entries are set valid and published
// before they are given out (see status.go).
//
//	i, err := issuer.New(issuer.Config{URL: "https://vaart.example", Name: "Opleidingshuis De Vaart", ...})
//	go i.Run(ctx)
//	web.Serve(ctx, listener, i.Handler(), tls)
package issuer
