//go:build paspoort_rules1

package registry

// RulesVersion is the newest version of the rules that this program follows.
const RulesVersion = 1
