// Package dev is a whole region on one computer: three registry nodes, an opleider
// and an employer that issue, another employer that asks, a host that keeps paspoorten
// for people, each a process of its own, founded and governed as a region of several
// organisations would be. Beside it stands a second, small region: the two rely on each
// other and witness each other's log. It is the
// engine under `paspoort dev` and `paspoort demo`, and the world of the tests with
// real processes.
//
// It plays the people: the members who sign the charter and approve, the member who
// keeps the region's CA, the administrators who write configuration files. The
// processes are the product's own, started with the files that anyone would write;
// nothing in them knows that they run here. So this package imports no role.
//
//	w, err := dev.Start(ctx, dev.Options{Dir: ".paspoort", TLS: true, Program: self})
//	defer w.Stop()
//	err = w.WriteReady("ready.json")
//
// Everything lives in one folder: ports, keys, the founding event, the data of each
// process, logs. Started again on the same folder, the same region goes on.
package dev
