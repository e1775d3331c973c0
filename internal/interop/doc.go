// Package interop runs programs that are not ours against our roles, in tests: wallets made of the @openid4vc, dcql and
// @sd-jwt libraries as npm publishes them, unpatched and with their own checks on. Versions are locked in
// package-lock.json; `npm ci` in this folder installs them.
//
// The scripts (*.mjs) read JSON from standard input and write JSON to standard output; they hold no expectations. The tests
// stand in the packages of the roles and call [Site.Run]. The package knows no role, so that no role meets another in it.
// Programs in Go of others' libraries are modules of their own below this folder: see [Build].
//
//	site := interop.Serve(t, func(url string) http.Handler { return newVerifier(t, url).Handler() })
//	var got struct{ Status int }
//	site.Run(t, "vp.mjs", map[string]any{"invocation": link, ...}, &got)
package interop
