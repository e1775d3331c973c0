// Package trqp speaks the Trust Registry Query Protocol of Trust over IP, version 2.0 (Public
// Review 02, December 2025), over HTTPS: two questions that a stranger may put to a registry.
//
//   - authorization: does an authority authorise an entity to take an action on a resource?
//   - recognition: does an authority recognise another one as authoritative for that?
//
// Both may be asked about a moment (context.time). It has both halves: [Client], and [Server]
// over the small interface [Registry].
//
// Answers are not signed: they are a convenience for who trusts the registry's server, never a
// ground for a verdict about a credential. A registry that can prove what it says adds where the
// proof is ([Answer.Log]), which readers that do not know it skip.
//
// It is not: a registry, access control (endpoints here are public and ask for no bearer
// token), or the delegation and metadata questions, which version 2.0 left for later.
//
// A worked example:
//
//	c := trqp.Client{HTTP: client, Endpoint: "https://knoop-1.example/trqp"}
//	a, err := c.Authorization(ctx, trqp.Query{Entity: "https://vaart.example", Authority: "https://regio.example",
//		Action: "issue", Resource: "urn:paspoort:opleiding:1", Time: signedAt})
//	fmt.Println(a.Yes, a.Message)
package trqp
