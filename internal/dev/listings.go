package dev

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"paspoort.example/paspoort/specs/registry"
)

// The function profiles and modules of the region, one file each: function-PROCESS-NAME.json
// and module-PROCESS-NAME.json, the process being the organisation that publishes it.
//
//go:embed listings/*.json
var listingFiles embed.FS

// sampleListing is one of them.
type sampleListing struct {
	process string
	body    func(organisation string) (registry.Kind, registry.Body)
}

// sampleListings reads the files.
func sampleListings() ([]sampleListing, error) {
	entries, err := listingFiles.ReadDir("listings")
	if err != nil {
		return nil, err
	}
	var out []sampleListing
	for _, entry := range entries {
		raw, err := listingFiles.ReadFile(path.Join("listings", entry.Name()))
		if err != nil {
			return nil, err
		}
		var l sampleListing
		what, rest, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".json"), "-")
		process, name, _ := strings.Cut(rest, "-")
		l.process = process
		if what == "function" {
			l.body, err = sampleBody[registry.FunctionProfile](raw, name, registry.KindFunction, registry.NewFunctionID)
		} else {
			l.body, err = sampleBody[registry.Module](raw, name, registry.KindModule, registry.NewModuleID)
		}
		if err != nil {
			return nil, fmt.Errorf("read sample %s: %w", entry.Name(), err)
		}
		out = append(out, l)
	}
	return out, nil
}

// sampleBody makes what publishes a document. Its id comes from the name, so that samples can
// name each other, and a second start publishes nothing twice.
func sampleBody[T registry.Document](raw []byte, name string, kind registry.Kind, newID func(io.Reader) (string, error)) (func(string) (registry.Kind, registry.Body), error) {
	doc, err := registry.ParseDocument[T](raw)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("sample " + name))
	id, err := newID(bytes.NewReader(sum[:]))
	return func(organisation string) (registry.Kind, registry.Body) {
		return kind, &registry.Publication[T]{Document: doc, ID: id, Organisation: organisation}
	}, err
}

// publish has an organisation publish its function profiles and modules, once.
func (r *Region) publish(ctx context.Context, o organisation) error {
	list, err := sampleListings()
	if err != nil {
		return err
	}
	id, err := o.id(r.w.l)
	if err != nil {
		return err
	}
	self := registry.OrganisationParty(id)
	if r.Governor.keys[self], err = r.w.l.key(o.process, "organisation.key"); err != nil {
		return err
	}
	for _, l := range list {
		if l.process != o.process {
			continue
		}
		kind, body := l.body(id)
		_, err := r.Governor.Submit(ctx, kind, body, self)
		switch {
		case errors.Is(err, registry.ErrTaken): // by a start before this one
		case errors.Is(err, registry.ErrKind): // a region founded under rules that know of none
			return nil
		case err != nil:
			return fmt.Errorf("publish for %s: %w", o.name, err)
		}
	}
	return nil
}
