package issuer

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a sheet.
const (
	maxSheet     = 2 << 20 // bytes
	maxSheetRows = 10000
	maxFaults    = 20 // told at once
)

// SheetFault is one thing that is wrong in a sheet: where, and what to do. It names
// the cell and never its contents, which may be about a person.
type SheetFault struct {
	Sheet  string // "modules" or "participants"
	Row    int    // as a spreadsheet counts, the header is 1; 0: the whole sheet
	Column string // empty: the whole row
	Advice string
}

// Error gives place and advice in one line.
func (f SheetFault) Error() string {
	place := f.Sheet
	if f.Row > 0 {
		place += fmt.Sprintf(", row %d", f.Row)
	}
	if f.Column != "" {
		place += fmt.Sprintf(", column %q", f.Column)
	}
	return place + ": " + f.Advice
}

// SheetFaults are all faults of a reading, the first maxFaults of them.
type SheetFaults []SheetFault

// Error gives one line per fault.
func (f SheetFaults) Error() string {
	lines := make([]string, len(f))
	for n, one := range f {
		lines[n] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// sheet is a table as it was read, with the faults found so far.
type sheet struct {
	name    string
	columns []column
	rows    []sheetRow
	faults  SheetFaults
}

// sheetRow is one row; cells are trimmed, by column name.
type sheetRow struct {
	number int // as a spreadsheet counts rows: a quoted cell of many lines is in one row
	cells  map[string]string
}

// column is one that a sheet may have.
type column struct {
	name     string
	required bool // in the header, and filled in each row
	claim    string
}

func (s *sheet) fault(row int, column, advice string, args ...any) {
	if len(s.faults) < maxFaults {
		s.faults = append(s.faults, SheetFault{s.name, row, column, fmt.Sprintf(advice, args...)})
	}
}

// readSheet reads a CSV file: UTF-8 with or without byte order mark, comma or
// semicolon, quoted cells, lines that end in LF or CRLF (RFC 4180, and what
// spreadsheets in the Netherlands write).
func readSheet(name string, in io.Reader, columns []column) (*sheet, error) {
	s := &sheet{name: name, columns: columns}
	raw, err := io.ReadAll(io.LimitReader(in, maxSheet+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	switch {
	case len(raw) > maxSheet:
		s.fault(0, "", "the file is larger than 2 MiB: split it")
	case !utf8.Valid(raw):
		s.fault(0, "", "the file is not in UTF-8: in your spreadsheet choose \"CSV UTF-8\" when saving")
	case len(bytes.TrimSpace(raw)) == 0:
		s.fault(0, "", "the file is empty")
	default:
		s.read(raw)
	}
	return s, nil
}

func (s *sheet) read(raw []byte) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comma, r.FieldsPerRecord = separator(raw), -1
	header, err := r.Read()
	if err != nil {
		s.fault(1, "", "the header cannot be read: %s", csvReason(err))
		return
	}
	names := s.header(header)
	if len(s.faults) > 0 {
		return
	}
	for number := 2; ; number++ {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.fault(number, "", "%s", csvReason(err))
			return
		}
		if number > maxSheetRows+1 {
			s.fault(0, "", "the file has more than %d rows: split it", maxSheetRows)
			return
		}
		s.row(number, names, record)
	}
}

// separator is the one of semicolon and comma that the header has more of, outside
// quotes.
func separator(raw []byte) rune {
	line, _, _ := bytes.Cut(raw, []byte("\n"))
	if bytes.Count(line, []byte(";")) > bytes.Count(line, []byte(",")) {
		return ';'
	}
	return ','
}

// csvReason says what is wrong without showing a cell.
func csvReason(err error) string {
	switch {
	case errors.Is(err, csv.ErrQuote), errors.Is(err, csv.ErrBareQuote):
		return "a quote stands where none belongs: put the whole cell in quotes and double the quotes inside it"
	case errors.Is(err, io.EOF):
		return "the file ends here"
	}
	return "this row cannot be read: save the file as CSV UTF-8 again"
}

// header reads the column names, in any order, and refuses unknown, missing and
// repeated ones.
func (s *sheet) header(cells []string) []string {
	var names []string
	for _, cell := range cells {
		name := strings.ToLower(strings.TrimSpace(cell))
		switch {
		case name == "" && len(names) > 0:
			s.fault(1, "", "column %d has no name: name it or remove it", len(names)+1)
		case !slices.ContainsFunc(s.columns, func(c column) bool { return c.name == name }):
			s.fault(1, shorten(name), "this column is not known here: remove it, or use one of %s", s.known())
		case slices.Contains(names, name):
			s.fault(1, name, "this column is there twice: remove one")
		}
		names = append(names, name)
	}
	for _, c := range s.columns {
		if c.required && !slices.Contains(names, c.name) {
			s.fault(1, c.name, "this column is missing: add it")
		}
	}
	return names
}

// shorten keeps a name of a stranger's file to a readable length.
func shorten(s string) string {
	if utf8.RuneCountInString(s) > 40 {
		return string([]rune(s)[:40]) + "..."
	}
	return s
}

func (s *sheet) known() string {
	var names []string
	for _, c := range s.columns {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

// row keeps a row, unless all its cells are empty.
func (s *sheet) row(number int, names, record []string) {
	if len(record) != len(names) {
		if strings.TrimSpace(strings.Join(record, "")) == "" {
			return
		}
		s.fault(number, "", "this row has %d cells and the header %d: put a cell that holds the separator in quotes", len(record), len(names))
		return
	}
	cells, empty := map[string]string{}, true
	for n, cell := range record {
		cells[names[n]] = strings.TrimSpace(cell)
		empty = empty && cells[names[n]] == ""
	}
	if empty {
		return
	}
	for _, c := range s.columns {
		if c.required && cells[c.name] == "" {
			s.fault(number, c.name, "this cell is empty: fill it in")
		}
	}
	s.rows = append(s.rows, sheetRow{number, cells})
}
