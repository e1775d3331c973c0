package paspoort

import "fmt"

// TypeMetadata is the SD-JWT VC Type Metadata document of the type (draft 18,
// section 4): what every node serves at /v1/types/{slug}/1.
func TypeMetadata(t Type) ([]byte, error) { return file("metadata", t) }

// locales in the order in which a client that picks the first one should read.
var locales = []string{"nl", "en"}

// CredentialMetadata is the `credential_metadata` object of OpenID4VCI 1.0
// 12.2.4 for one configuration: names and labels for a wallet's screen, with
// claims paths in the shape of the format.
func CredentialMetadata(t Type, f Format) map[string]any {
	var display, claims []any
	for _, l := range locales {
		display = append(display, map[string]any{"name": t.Name().In(l), "description": t.About().In(l), "locale": l,
			"background_color": "#0b4f6c", "text_color": "#ffffff"})
	}
	// OpenID4VCI B.3: two descriptions of one path abort the processing, and in the
	// W3C form several fields share a place; the first names it.
	named := map[string]bool{}
	for _, field := range t.Fields() {
		var labels []any
		for _, l := range locales {
			labels = append(labels, map[string]any{"name": field.Label.In(l), "locale": l})
		}
		for _, path := range claimPaths(t, f, field) {
			at := fmt.Sprintf("%q", path)
			if named[at] {
				continue
			}
			named[at] = true
			claims = append(claims, map[string]any{"path": path, "mandatory": t.mandatory(field.Name), "display": labels})
		}
	}
	return map[string]any{"display": display, "claims": claims}
}

// claimPaths says where a field stands in the processed credential.
func claimPaths(t Type, f Format, field Field) [][]any {
	if f == FormatSDJWTVC {
		return [][]any{{field.Name}}
	}
	return vcPaths(t, field)
}
