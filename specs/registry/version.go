//go:build !paspoort_rules1

package registry

// RulesVersion is the newest version of the rules that this package follows. It follows all
// older ones too. The build tag paspoort_rules1 makes a program of an older day, for tests of
// regions whose nodes are not all new yet.
const RulesVersion = 3
