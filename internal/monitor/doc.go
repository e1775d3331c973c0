// Package monitor watches the public logs of regions for somebody: a member, an organisation, a
// journalist. It reads what the nodes show, checks all of it (internal/audit), keeps a copy, and
// tells by mail or by a request to an address what happened that was asked about, and what is
// wrong. It decides nothing, and no region knows what is watched for: all of a log is read.
//
// It keeps per node the newest checkpoint, so that two histories that were signed can be proved:
// the proof goes into a file that others can check without trusting the monitor.
//
// A message counts as told when it was delivered; what could not be delivered is told later, in
// order, also after a restart. Nothing is told twice, but after a crash between delivering and
// writing that down.
//
//	m, err := monitor.New(monitor.Config{Dir: dir, Regions: regions, Watches: watches, Client: client, Tellers: tellers})
//	err = m.Run(ctx)
package monitor
