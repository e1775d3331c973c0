package paspoort

import "embed"

//go:embed hobbels/voorlopig-0.json
var hobbelData embed.FS

// ProvisionalHobbels is the version of the catalogue that ships with the
// product. The official fourteen names were not to be had; a region replaces
// this by an event with the official list, without a new release.
const ProvisionalHobbels = "voorlopig-0"

// HobbelCatalogue is the catalogue of systeemhobbels as JSON, ready to be put
// into a registry's catalogue event:
// {"version", "source", "hobbels":[{"id","levels",
// "title":{"nl","en"},"doorbraak":{"nl","en"}}]}, the shape of registry.Catalogue.
func HobbelCatalogue() ([]byte, error) {
	return hobbelData.ReadFile("hobbels/" + ProvisionalHobbels + ".json")
}
