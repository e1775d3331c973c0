// Package statusarchive is how status list tokens are had from somebody else than their issuer:
// from a region's nodes, which keep one of each list and day, and from a custodian, who signs on
// the lists of an organisation that ceased. Both halves of the protocol are here.
//
// It is a protocol of our own around tokens of Token Status List (draft-ietf-oauth-status-list-20),
// which pass through as they were signed: who keeps a token adds nothing to it, and who reads one
// verifies it as if its issuer had sent it. Beside the newest token of one list there is the
// [Client.Bundle] of all lists: who takes that tells nobody whose credentials are looked at
// (12.6 of the draft, "External Status Provider for Privacy").
//
// It does not say whose lists count, and keeps nothing itself: see the [Archive] behind a
// [Server].
//
//	c := statusarchive.Client{HTTP: client, URL: "https://knoop-1.example/v1/statuses"}
//	tokens, tag, err := c.Bundle(ctx, "")
//	...
//	tokens, tag, err = c.Bundle(ctx, tag) // ErrUnchanged when there is nothing new
package statusarchive
