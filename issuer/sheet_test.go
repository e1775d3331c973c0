package issuer

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"paspoort.example/paspoort/specs/paspoort"
)

func sampleSheet(t testing.TB, name string) string {
	t.Helper()
	raw, err := Samples.ReadFile("sample/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestSampleSheets: what ships is right, and the two files show both dialects.
func TestSampleSheets(t *testing.T) {
	modules, participants := sampleSheet(t, "modules.csv"), sampleSheet(t, "deelnemers.csv")
	if !strings.HasPrefix(modules, "\ufeff") || !strings.Contains(modules, ";titel;") || strings.HasPrefix(participants, "\ufeff") || !strings.Contains(participants, ",voornaam,") {
		t.Error("want one sample with BOM and semicolons, one without and with commas")
	}
	offers, err := ReadSheets(strings.NewReader(modules), strings.NewReader(participants))
	if err != nil {
		t.Fatal(err)
	}
	if len(offers) < 8 {
		t.Errorf("offers: got %d", len(offers))
	}
	for _, o := range offers {
		if err := paspoort.CheckClaims(paspoort.Opleiding, o.Claims); err != nil {
			t.Errorf("row %d: %v", o.Row, err)
		}
	}
	skills, _ := offers[0].Claims["skills"].([]any)
	want := map[string]any{"label": "Verzorgen", "framework": "CompetentNL", "version": "2025-09-24",
		"uri": "https://linkeddata.competentnl.nl/id/humancapability/DB59A57C01", "level": "basis"}
	if len(skills) == 0 || cmp.Diff(want, skills[0]) != "" {
		t.Errorf("first skill (-want +got):\n%s", cmp.Diff(want, skills[0]))
	}
}

const (
	goodModules = "module,titel,kan,uren,vorm,toets,bewijs,kwaliteit\n" +
		"M1,Lassen,\"Last een naad.\nMeet na.\",40,op locatie,praktijk,examen,Kwaliteitskring\n"
	goodParticipants = "module;voornaam;achternaam;behaald_op;resultaat;identiteit\n" +
		"M1;Noor;de Verzonnen;24-04-2026;geslaagd;document gezien\n"
)

func TestSheetDialects(t *testing.T) {
	base, err := ReadSheets(strings.NewReader(goodModules), strings.NewReader(goodParticipants))
	if err != nil {
		t.Fatal(err)
	}
	if len(base) != 1 || !base[0].TxCode || base[0].Claims["awarded_on"] != "2026-04-24" || len(base[0].Claims["can_do"].([]any)) != 2 {
		t.Fatalf("got %+v", base)
	}
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	tests := map[string][2]string{
		"byte order mark":      {"\ufeff" + goodModules, "\ufeff" + goodParticipants},
		"carriage returns":     {crlf(goodModules), crlf(goodParticipants)},
		"other separators":     {strings.ReplaceAll(goodModules, ",", ";"), strings.ReplaceAll(goodParticipants, ";", ",")},
		"capitals in header":   {strings.Replace(goodModules, "titel", " Titel ", 1), goodParticipants},
		"empty rows":           {goodModules + "\n,,,,,,,\n", goodParticipants + ";;;;;\n"},
		"values of the schema": {strings.Replace(goodModules, "op locatie,praktijk,examen", "onsite,practical_exam,exam", 1), goodParticipants},
		"another order":        {goodModules, "identiteit;resultaat;behaald_op;achternaam;voornaam;module\ndocument_seen;passed;2026-04-24;de Verzonnen;Noor;M1\n"},
		"one line with bars":   {strings.Replace(goodModules, "\"Last een naad.\nMeet na.\"", "Last een naad. | Meet na.", 1), goodParticipants},
	}
	for name, files := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := ReadSheets(strings.NewReader(files[0]), strings.NewReader(files[1]))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(base, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestColumnsAreDescribed: the text beside the samples names every column and every
// word.
func TestColumnsAreDescribed(t *testing.T) {
	raw, err := os.ReadFile("sample/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range append(append([]column{}, moduleColumns...), participantColumns...) {
		if !strings.Contains(string(raw), "`"+c.name+"`") {
			t.Errorf("column %s is not described", c.name)
		}
		for word := range words[c.name] {
			if word != "yes" && word != "no" && !strings.Contains(string(raw), "`"+word+"`") {
				t.Errorf("column %s: the word %q is not described", c.name, word)
			}
		}
	}
}

// TestSheetFaults: every fault names sheet, row and column, says what to do, and
// shows nothing of the cell.
func TestSheetFaults(t *testing.T) {
	m := func(old, new string) string { return strings.Replace(goodModules, old, new, 1) }
	p := func(old, new string) string { return strings.Replace(goodParticipants, old, new, 1) }
	tests := []struct {
		name, modules, participants, want string
	}{
		{"empty", "", goodParticipants, "modules: the file is empty"},
		{"not UTF-8", m("Lassen", "Lass\xe9"), goodParticipants, "CSV UTF-8"},
		{"column missing", m(",uren", ""), goodParticipants, `modules, row 1, column "uren": this column is missing`},
		{"column unknown", m("titel", "naam"), goodParticipants, `modules, row 1, column "naam": this column is not known`},
		{"column twice", m("titel", "module"), goodParticipants, `modules, row 1, column "module": this column is there twice`},
		{"cells missing", m(",40,", ","), goodParticipants, "modules, row 2: this row has 7 cells and the header 8"},
		{"cell empty", goodModules, p("Noor", ""), `participants, row 2, column "voornaam": this cell is empty`},
		{"quote inside", goodModules, p("Noor", `No"or`), "participants, row 2: a quote"},
		{"no number", m("40", "veel"), goodParticipants, `modules, row 2, column "uren": this is not a number`},
		{"number out of range", m("40", "900000"), goodParticipants, `participants, row 2, column "uren": in the row of its module`},
		{"no date", goodModules, p("24-04-2026", "gisteren"), `participants, row 2, column "behaald_op": this is not a date`},
		{"word unknown", goodModules, p("geslaagd", "top"), `participants, row 2, column "resultaat": use one of: deelgenomen, deels geslaagd`},
		{"module unknown", goodModules, p("M1;", "M2;"), `participants, row 2, column "module": there is no module`},
		{"module twice", goodModules + "M1,Lassen,x,40,online,praktijk,examen,Kring\n", goodParticipants, `modules, row 3, column "module": this code is there twice`},
		{"row twice", goodModules, goodParticipants + "M1;Noor;de Verzonnen;2026-04-24;geslaagd;document gezien\n", "participants, row 3: this row is the same as row 2"},
		{"nobody", goodModules, "module;voornaam;achternaam;behaald_op;resultaat;identiteit\n", "participants: there are no participants"},
		{"control character", goodModules, p("Noor", "No\x01or"), `participants, row 2, column "voornaam"`},
		{"too large", goodModules, goodParticipants + strings.Repeat("x", maxSheet), "larger than 2 MiB"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			offers, err := ReadSheets(strings.NewReader(test.modules), strings.NewReader(test.participants))
			var faults SheetFaults
			if offers != nil || !errors.As(err, &faults) || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, %v\nwant %s", offers, err, test.want)
			}
			for _, secret := range []string{"Verzonnen", "gisteren", "Noor"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the fault shows a cell: %v", err)
				}
			}
		})
	}
	t.Run("many faults are told at once, up to a limit", func(t *testing.T) {
		_, err := ReadSheets(strings.NewReader(goodModules), strings.NewReader(p("Noor", "")+strings.Repeat("M1;;X;x;x;x\n", 50)))
		if n := strings.Count(err.Error(), "\n") + 1; n != maxFaults {
			t.Errorf("faults: got %d, want %d", n, maxFaults)
		}
	})
}

func FuzzReadSheets(f *testing.F) {
	f.Add([]byte(goodModules), []byte(goodParticipants))
	// Not the samples that ship: they are kilobytes, and the engine then spends its time
	// on making inputs shorter. These have the other dialect and every kind of cell.
	f.Add([]byte("\ufeffmodule;titel;kan;vaardigheden;soort;uren;ec;niveau;vorm;toets;bewijs;toezicht;kwaliteit;kwaliteit_url;stapelbaar\r\n"+
		"M1;Lassen;a | b;Las | ESCO | 1 | urn:a | basis;cursus;40;1,5;NLQF 2;online;project;examen;geen;Q;https://q.example;ja\r\n"),
		[]byte("module,voornaam,achternaam,start,einde,behaald_op,resultaat,cijfer,identiteit,geldig_tot,code\n"+
			"M1,N,V,1-1-2026,2-1-2026,2026-01-02,geslaagd,8,geen,1/1/2030,nee\n"))
	f.Fuzz(func(t *testing.T, modules, participants []byte) {
		offers, err := ReadSheets(bytes.NewReader(modules), bytes.NewReader(participants))
		if (err == nil) != (len(offers) > 0) {
			t.Errorf("offers beside an error, or neither: %d, %v", len(offers), err)
		}
		for _, o := range offers {
			if paspoort.CheckClaims(paspoort.Opleiding, o.Claims) != nil {
				t.Errorf("row %d is not valid", o.Row)
			}
		}
	})
}
