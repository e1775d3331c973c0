package issuer

import "embed"

// Samples are sheets of invented modules and participants, true to life, for trying
// out and as an example to fill in: sample/modules.csv and sample/deelnemers.csv.
//
//go:embed sample/*.csv
var Samples embed.FS
