// Package page is the page kit: one layout, one style sheet, texts in Dutch and
// English, and a way to show every page in every state without starting anything.
//
// A role brings a file system with templates/*.html and catalogs/nl.json and
// en.json; the kit brings the frame (skip link, landmarks, language switch), the
// style, dates and QR codes. Pages work without script, hold nothing inline (the
// content security policy of package web forbids it), and show one clear next step.
//
//	//go:embed templates catalogs
//	var files embed.FS
//
//	kit, err := page.New(page.Options{Owner: "Regio Aakermonde", Sources: []fs.FS{files}})
//	region, err := page.NewView(kit, "region", page.Sample[Region]{Name: "empty"})
//	region.Render(w, r, http.StatusOK, Region{...})
//
// A template file defines "title" and "main", and may define "next": the one step
// that follows. Files named *.part.html are parts that all pages may use.
// New fails when a text is missing in a language, so a page that starts can be
// shown. It is not a site generator and keeps no state.
package page

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
)

//go:embed templates catalogs assets
var own embed.FS

// Options of a Kit.
type Options struct {
	// Owner is who speaks on these pages: the region or the organisation. It stands
	// in the header of each page.
	Owner string
	// Sources hold templates/ and catalogs/; the kit's own come first.
	Sources []fs.FS
	// Nav are the entries of the header.
	Nav []Link
}

// Link is an entry of the navigation: the key of its text and its path.
type Link struct{ Key, Path string }

// Kit holds the parsed pages of one role. Safe for use from many goroutines once
// the views are made.
type Kit struct {
	o        Options
	catalogs map[Language]*catalog
	pages    map[string]map[Language]*template.Template
	assets   map[string]*asset
	samples  []Rendering
	fault    View[Fault]
}

// New reads and checks everything. Its error names the file and the key.
func New(o Options) (*Kit, error) {
	k := &Kit{o: o, pages: map[string]map[Language]*template.Template{}}
	sources := append([]fs.FS{own}, o.Sources...)
	var err error
	if k.catalogs, err = loadCatalogs(sources); err != nil {
		return nil, err
	}
	if k.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	used, err := k.parse(sources)
	if err != nil {
		return nil, err
	}
	for _, link := range o.Nav {
		used.key(link.Key)
	}
	used.prefixes["age"] = true // asked by the function of that name
	if err := checkTexts(k.catalogs, used); err != nil {
		return nil, err
	}
	k.fault, err = NewView(k, "fault", faultSamples...)
	return k, err
}

// parse makes one template set per page and language, and collects the texts used.
func (k *Kit) parse(sources []fs.FS) (*usage, error) {
	files, parts, err := readTemplates(sources)
	if err != nil {
		return nil, err
	}
	used := newUsage()
	for _, lang := range Languages {
		base := template.New("layout").Funcs(k.funcs(lang)).Option("missingkey=error")
		for _, name := range slices.Sorted(maps.Keys(parts)) {
			if _, err := base.Parse(parts[name]); err != nil {
				return nil, fmt.Errorf("page: %s: %w", name, err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			set, err := parsePage(base, files[name])
			if err != nil {
				return nil, fmt.Errorf("page: %s: %w", name, err)
			}
			if err := used.templates(set); err != nil {
				return nil, fmt.Errorf("page: %s: %w", name, err)
			}
			if k.pages[name] == nil {
				k.pages[name] = map[Language]*template.Template{}
			}
			k.pages[name][lang] = set
		}
	}
	return used, nil
}

func parsePage(base *template.Template, text string) (*template.Template, error) {
	set, err := base.Clone()
	if err != nil {
		return nil, err
	}
	if _, err := set.Parse(text); err != nil {
		return nil, err
	}
	for _, needed := range []string{"title", "main"} {
		if set.Lookup(needed) == nil {
			return nil, fmt.Errorf("it does not define %q", needed)
		}
	}
	return set, nil
}

// readTemplates gives the pages and the parts by name, without folder and ending.
func readTemplates(sources []fs.FS) (pages, parts map[string]string, err error) {
	pages, parts = map[string]string{}, map[string]string{}
	for _, source := range sources {
		names, err := fs.Glob(source, "templates/*.html")
		if err != nil {
			return nil, nil, fmt.Errorf("page: %w", err)
		}
		for _, file := range names {
			body, err := fs.ReadFile(source, file)
			if err != nil {
				return nil, nil, fmt.Errorf("page: %w", err)
			}
			into, name := pages, strings.TrimSuffix(path.Base(file), ".html")
			if strings.HasSuffix(name, ".part") {
				into = parts
			}
			if _, taken := into[name]; taken {
				return nil, nil, fmt.Errorf("page: two templates are called %s", name)
			}
			into[name] = string(body)
		}
	}
	return pages, parts, nil
}

// frame is what the layout shows around a page.
type frame struct {
	Lang     Language
	Owner    string
	Nav      []navEntry
	Switch   []switchEntry
	Style    string
	Script   string
	Icon     string
	Data     any
	HasOwner bool
}

type navEntry struct {
	Text, Path string
	Current    bool
}

type switchEntry struct {
	Lang    Language
	Name    string
	Path    string
	Current bool
}

func (k *Kit) execute(name string, lang Language, r *http.Request, data any) ([]byte, error) {
	set, ok := k.pages[name][lang]
	if !ok {
		return nil, fmt.Errorf("page: there is no page %q", name)
	}
	f := frame{
		Lang: lang, Owner: k.o.Owner, HasOwner: k.o.Owner != "",
		Style: k.assets["paspoort.css"].path, Script: k.assets["live.js"].path, Icon: k.assets["icon.svg"].path,
		Data: data, Switch: switches(r, lang),
	}
	for _, link := range k.o.Nav {
		f.Nav = append(f.Nav, navEntry{k.catalogs[lang].texts[link.Key].Other, link.Path, r.URL.Path == link.Path})
	}
	var out bytes.Buffer
	if err := set.ExecuteTemplate(&out, "layout", f); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	return out.Bytes(), nil
}

// ErrNoPage: a view was asked for a page that no source has.
var ErrNoPage = errors.New("page: no such page")
