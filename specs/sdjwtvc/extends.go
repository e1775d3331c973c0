package sdjwtvc

import (
	"context"
	"fmt"
	"slices"
)

// A TypeFetcher finds the Type Metadata document of a type: in the binary, at a
// registry, or behind an https vct (4.3). It returns the bytes as published, over
// which integrity is checked.
type TypeFetcher interface {
	TypeMetadata(ctx context.Context, vct string) ([]byte, error)
}

// maxExtends bounds the chain of extends (6.3).
const maxExtends = 8

// A ResolvedType is a type with everything that it inherits.
type ResolvedType struct {
	TypeMetadata // the effective metadata: display and claims after extension
	// Chain is the type itself and what it extends, nearest first.
	Chain []string
}

// ResolveType fetches the metadata of vct and of all that it extends, checks
// integrity where it is given, and combines them (4.4, 4.5.2, 4.6.5). "Consumers
// MUST retrieve and process Type Metadata for the extended type before processing
// the Type Metadata for the extending type." Errors: ErrTypeMetadata, ErrIntegrity.
func ResolveType(ctx context.Context, f TypeFetcher, vct, integrity string) (*ResolvedType, error) {
	var documents []*TypeMetadata
	var chain []string
	for vct != "" {
		if slices.Contains(chain, vct) { // 6.3
			return nil, fmt.Errorf("%w: extends goes in a circle", ErrTypeMetadata)
		}
		if len(chain) == maxExtends {
			return nil, fmt.Errorf("%w: extends deeper than %d", ErrTypeMetadata, maxExtends)
		}
		raw, err := f.TypeMetadata(ctx, vct)
		if err != nil {
			return nil, fmt.Errorf("%w: fetch: %w", ErrTypeMetadata, err)
		}
		// Section 5: "the Consumer verifies that the retrieved document matches it
		// before processing that document".
		if integrity != "" {
			if err := VerifyIntegrity(integrity, raw); err != nil {
				return nil, err
			}
		}
		m, err := ParseTypeMetadata(raw)
		if err != nil {
			return nil, err
		}
		if m.VCT != vct { // 4.3
			return nil, fmt.Errorf("%w: it describes another vct", ErrTypeMetadata)
		}
		documents, chain = append(documents, m), append(chain, vct)
		vct, integrity = m.Extends, m.ExtendsIntegrity
	}
	if len(documents) == 0 {
		return nil, fmt.Errorf("%w: no vct", ErrTypeMetadata)
	}
	effective := *documents[len(documents)-1]
	for i := len(documents) - 2; i >= 0; i-- {
		child := *documents[i]
		var err error
		if child.Claims, err = extendClaims(effective.Claims, child.Claims); err != nil {
			return nil, err
		}
		if child.Display == nil { // 4.5.2
			child.Display = effective.Display
		}
		effective = child
	}
	if err := checkClaims(effective.Claims); err != nil { // svg_id unique after extension too
		return nil, fmt.Errorf("%w: %w", ErrTypeMetadata, err)
	}
	return &ResolvedType{TypeMetadata: effective, Chain: chain}, nil
}

// extendClaims combines inherited and own claim metadata (4.6.5): by path, own
// properties first, their contents never merged.
func extendClaims(base, own []ClaimMetadata) ([]ClaimMetadata, error) {
	out := slices.Clone(base)
	for _, c := range own {
		i := slices.IndexFunc(out, func(b ClaimMetadata) bool { return b.Path.key() == c.Path.key() })
		if i < 0 {
			out = append(out, c)
			continue
		}
		merged := out[i]
		if c.Display != nil {
			merged.Display = c.Display
		}
		if c.SVGID != "" {
			merged.SVGID = c.SVGID
		}
		if c.SD != "" {
			// 4.6.5.1: it "MUST NOT change a claim that is marked as always or never in the
			// extended type to a different value".
			if (merged.SD == SDAlways || merged.SD == SDNever) && c.SD != merged.SD {
				return nil, fmt.Errorf("%w: extension changes sd of an inherited claim", ErrTypeMetadata)
			}
			merged.SD = c.SD
		}
		if c.Mandatory != nil {
			// 4.6.5.1: "it MUST NOT change a claim that is mandatory in the extended type
			// to false".
			if merged.mandatory() && !*c.Mandatory {
				return nil, fmt.Errorf("%w: extension makes a mandatory claim optional", ErrTypeMetadata)
			}
			merged.Mandatory = c.Mandatory
		}
		out[i] = merged
	}
	return out, nil
}

func (c ClaimMetadata) mandatory() bool { return c.Mandatory != nil && *c.Mandatory }
