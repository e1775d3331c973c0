package issuer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"paspoort.example/paspoort/specs/paspoort"
)

// SheetOffer is what one row of participants becomes.
type SheetOffer struct {
	Row    int            // in the sheet of participants
	Module string         // its code
	Claims map[string]any // valid for Opleiding
	TxCode bool
	// Key is for Idempotency-Key: the same row gives the same offer for a day, so that
	// an import that broke off can be done again.
	Key string
}

// moduleColumns are the columns of the sheet of modules.
var moduleColumns = []column{
	{"module", true, "module"}, {"titel", true, "title"}, {"omschrijving", false, "description"}, {"kan", true, "can_do"},
	{"vaardigheden", false, "skills"}, {"soort", false, "kind"}, {"uren", true, "hours"}, {"ec", false, "ec"},
	{"taal", false, "language"}, {"niveau", false, "level_claimed"}, {"vorm", true, "participation"},
	{"toets", true, "assessment_form"}, {"bewijs", true, "evidence"}, {"toezicht", false, "supervision"},
	{"kwaliteit", true, "quality_assurance"}, {"kwaliteit_url", false, ""}, {"kwaliteit_omschrijving", false, ""},
	{"voorkennis", false, "prerequisites"}, {"stapelbaar", false, "stackable"}, {"meer_informatie", false, "further_information"},
}

// participantColumns are the columns of the sheet of participants.
var participantColumns = []column{
	{"module", true, ""}, {"voornaam", true, "given_name"}, {"achternaam", true, "family_name"}, {"start", false, "period"},
	{"einde", false, ""}, {"behaald_op", true, "awarded_on"}, {"resultaat", true, "result"}, {"cijfer", false, "grade"},
	{"identiteit", true, "identity_check"}, {"geldig_tot", false, "valid_until"}, {"code", false, ""},
}

// words are the Dutch words for the values of a claim; the values themselves are
// good too.
var words = map[string]map[string]string{
	"soort":      {"microcredential": "micro_credential", "module": "module", "cursus": "course"},
	"vorm":       {"op locatie": "onsite", "online": "online", "gemengd": "blended", "werkplek": "workplace"},
	"bewijs":     {"training": "training", "examen": "exam"},
	"toezicht":   {"geen": "none", "toezicht": "supervised", "online met identificatie": "online_identified", "op locatie met identificatie": "onsite_identified"},
	"resultaat":  {"geslaagd": "passed", "deels geslaagd": "partly_passed", "niet geslaagd": "not_passed", "deelgenomen": "participated"},
	"identiteit": {"geen": "none", "eigen account": "own_account", "persoonlijk bekend": "known_in_person", "document gezien": "document_seen", "elektronisch": "electronic_identity"},
	"toets": {"schriftelijk": "written_exam", "mondeling": "oral_exam", "praktijk": "practical_exam", "portfolio": "portfolio",
		"project": "project", "observatie": "observation", "gesprek": "interview", "aanwezigheid": "attendance"},
	"stapelbaar": {"ja": "ja", "nee": "nee", "yes": "ja", "no": "nee"},
	"code":       {"ja": "ja", "nee": "nee", "yes": "ja", "no": "nee"},
}

// ReadSheets reads a sheet of modules and one of participants, and makes one offer
// of an Opleiding for each participant. It is all or nothing: any fault, and there
// are no offers. The error is SheetFaults, or that of a reader.
func ReadSheets(modules, participants io.Reader) ([]SheetOffer, error) {
	m, err := readSheet("modules", modules, moduleColumns)
	if err != nil {
		return nil, err
	}
	p, err := readSheet("participants", participants, participantColumns)
	if err != nil {
		return nil, err
	}
	byCode := m.modules()
	offers := p.offers(byCode, len(m.faults) == 0)
	if faults := append(m.faults, p.faults...); len(faults) > 0 {
		return nil, faults[:min(len(faults), maxFaults)]
	}
	if len(offers) == 0 {
		return nil, SheetFaults{{Sheet: p.name, Advice: "there are no participants: add a row for each"}}
	}
	return offers, nil
}

// modules reads the claims that all participants of a module share.
func (s *sheet) modules() map[string]map[string]any {
	out := map[string]map[string]any{}
	for _, row := range s.rows {
		code := row.cells["module"]
		if _, twice := out[code]; twice {
			s.fault(row.number, "module", "this code is there twice: give each module its own")
		}
		out[code] = s.moduleClaims(row)
	}
	return out
}

func (s *sheet) moduleClaims(row sheetRow) map[string]any {
	c := map[string]any{}
	text := func(column, claim string) {
		if v := row.cells[column]; v != "" {
			c[claim] = v
		}
	}
	text("module", "module")
	text("titel", "title")
	text("omschrijving", "description")
	text("taal", "language")
	text("voorkennis", "prerequisites")
	text("meer_informatie", "further_information")
	for column, claim := range map[string]string{"soort": "kind", "vorm": "participation", "toets": "assessment_form", "bewijs": "evidence", "toezicht": "supervision"} {
		if v, ok := s.word(row, column); ok {
			c[claim] = v
		}
	}
	if v, ok := s.word(row, "stapelbaar"); ok {
		c["stackable"] = v == "ja"
	}
	s.number(row, "uren", "hours", c)
	s.number(row, "ec", "ec", c)
	if v := lines(row.cells["kan"]); len(v) > 0 {
		c["can_do"] = v
	}
	if v := s.skills(row); len(v) > 0 {
		c["skills"] = v
	}
	s.level(row, c)
	quality := map[string]any{"name": row.cells["kwaliteit"]}
	for column, member := range map[string]string{"kwaliteit_url": "url", "kwaliteit_omschrijving": "description"} {
		if v := row.cells[column]; v != "" {
			quality[member] = v
		}
	}
	c["quality_assurance"] = quality
	return c
}

// word translates a cell with a fixed set of words.
func (s *sheet) word(row sheetRow, column string) (string, bool) {
	cell := strings.ToLower(row.cells[column])
	if cell == "" {
		return "", false
	}
	if v, ok := words[column][cell]; ok {
		return v, true
	}
	for _, v := range words[column] {
		if v == cell {
			return v, true
		}
	}
	s.fault(row.number, column, "use one of: %s", strings.Join(slices.Sorted(maps.Keys(words[column])), ", "))
	return "", false
}

// number reads a cell with a point or a comma.
func (s *sheet) number(row sheetRow, column, claim string, c map[string]any) {
	cell := row.cells[column]
	if cell == "" {
		return
	}
	v, err := strconv.ParseFloat(strings.Replace(cell, ",", ".", 1), 64)
	if err != nil || v != v || v > 1e6 || v < 0 {
		s.fault(row.number, column, "this is not a number: write digits only, such as 84")
		return
	}
	c[claim] = v
}

// lines splits a cell into its lines, or at " | " when it has one line.
func lines(cell string) []any {
	parts := strings.Split(cell, "\n")
	if len(parts) == 1 {
		parts = strings.Split(cell, " | ")
	}
	var out []any
	for _, p := range parts {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// skills reads one skill per line: label | framework | version | uri | level.
func (s *sheet) skills(row sheetRow) []any {
	var out []any
	for line := range strings.SplitSeq(row.cells["vaardigheden"], "\n") {
		if strings.TrimSpace(line) == "" {
			continue
		}
		parts := strings.Split(line, "|")
		members := []string{"label", "framework", "version", "uri", "level"}
		if len(parts) > len(members) {
			s.fault(row.number, "vaardigheden", "a line has more than five parts: write label | framework | version | uri | level")
			continue
		}
		skill := map[string]any{}
		for n, part := range parts {
			if part = strings.TrimSpace(part); part != "" {
				skill[members[n]] = part
			}
		}
		out = append(out, skill)
	}
	return out
}

// level reads "NLQF 2".
func (s *sheet) level(row sheetRow, c map[string]any) {
	cell := row.cells["niveau"]
	if cell == "" {
		return
	}
	framework, level, ok := strings.Cut(cell, " ")
	if !ok {
		s.fault(row.number, "niveau", "write the framework and the level, such as NLQF 2")
		return
	}
	c["level_claimed"] = map[string]any{"framework": framework, "level": strings.TrimSpace(level)}
}

// offers makes an offer of each row. Without good modules only the participants'
// own cells are checked.
func (s *sheet) offers(modules map[string]map[string]any, whole bool) []SheetOffer {
	var out []SheetOffer
	first := map[string]int{}
	for _, row := range s.rows {
		before := len(s.faults)
		own := s.participantClaims(row)
		module, known := modules[row.cells["module"]]
		if !known && whole {
			s.fault(row.number, "module", "there is no module with this code: add it to the modules, or correct it")
		}
		tx, given := s.word(row, "code")
		if len(s.faults) > before || !known || !whole {
			continue
		}
		offer := SheetOffer{Row: row.number, Module: row.cells["module"], Claims: maps.Clone(module), TxCode: !given || tx == "ja"}
		maps.Copy(offer.Claims, own)
		if err := paspoort.CheckClaims(paspoort.Opleiding, offer.Claims); err != nil {
			s.schemaFault(row, err)
			continue
		}
		offer.Key = offerKey(offer)
		if same, twice := first[offer.Key]; twice {
			s.fault(row.number, "", "this row is the same as row %d: remove one", same)
		}
		first[offer.Key] = row.number
		out = append(out, offer)
	}
	return out
}

func (s *sheet) participantClaims(row sheetRow) map[string]any {
	c := map[string]any{"given_name": row.cells["voornaam"], "family_name": row.cells["achternaam"]}
	if v := row.cells["cijfer"]; v != "" {
		c["grade"] = v
	}
	for column, claim := range map[string]string{"resultaat": "result", "identiteit": "identity_check"} {
		if v, ok := s.word(row, column); ok {
			c[claim] = v
		}
	}
	for column, claim := range map[string]string{"behaald_op": "awarded_on", "geldig_tot": "valid_until"} {
		if v, ok := s.date(row, column); ok {
			c[claim] = v
		}
	}
	period := map[string]any{}
	for column, member := range map[string]string{"start": "start", "einde": "end"} {
		if v, ok := s.date(row, column); ok {
			period[member] = v
		}
	}
	if len(period) > 0 {
		c["period"] = period
	}
	return c
}

// date reads 2026-04-24 and 24-04-2026.
func (s *sheet) date(row sheetRow, column string) (string, bool) {
	cell := row.cells[column]
	if cell == "" {
		return "", false
	}
	for _, layout := range []string{time.DateOnly, "02-01-2006", "2-1-2006", "02/01/2006", "2/1/2006"} {
		if d, err := time.Parse(layout, cell); err == nil {
			return d.Format(time.DateOnly), true
		}
	}
	s.fault(row.number, column, "this is not a date: write 2026-04-24 or 24-04-2026")
	return "", false
}

var claimPlace = regexp.MustCompile(`at /([a-z_]+)`)

// schemaFault tells what the schema of the type refuses, at the column that the
// claim comes from. It may be in the sheet of modules.
func (s *sheet) schemaFault(row sheetRow, err error) {
	name := ""
	if found := claimPlace.FindStringSubmatch(err.Error()); found != nil {
		for _, c := range slices.Concat(participantColumns, moduleColumns) {
			if c.claim == found[1] {
				name = c.name
				break
			}
		}
	}
	reason := strings.TrimPrefix(err.Error(), paspoort.ErrClaims.Error()+": ")
	if errors.Is(err, paspoort.ErrClaims) && slices.ContainsFunc(moduleColumns, func(c column) bool { return c.name == name }) && name != "module" {
		s.fault(row.number, name, "in the row of its module: %s", reason)
		return
	}
	s.fault(row.number, name, "%s", reason)
}

// offerKey names what is offered; nothing can be read from it.
func offerKey(o SheetOffer) string {
	raw, err := json.Marshal(map[string]any{"claims": o.Claims, "tx_code": o.TxCode})
	if err != nil { // maps of strings, numbers and lists always encode
		panic(err)
	}
	sum := sha256.Sum256(raw)
	return "sheet-" + hex.EncodeToString(sum[:])
}
