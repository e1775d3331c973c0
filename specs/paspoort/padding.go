package paspoort

import (
	"paspoort.example/paspoort/specs/sdjwt"
)

// How many claims a credential hides would tell two verifiers that they met the
// same person, when few others have that number. So Render fills every place that
// can hide something with decoys (RFC 9901 4.2.5) up to what the fullest ordinary
// credential of that type and format has: all claims of the type, and bucket
// elements in each list. A list with more goes up to the next multiple of bucket.

// bucket is how many elements a list of hidden elements seems to have at least.
// It is part of what is signed: another number makes credentials of before and
// after tell apart.
const bucket = 8

// A shape says how many places for hidden claims an object or array has, and what
// lies below it. Below what is hidden itself there are none: no disclosure of ours
// holds another (4.2.6).
type shape struct {
	hidden  int
	list    bool
	members map[string]*shape // of an object
	first   *shape            // of the first element of an array
}

// shapes are those of the fullest ordinary credentials.
var shapes = func() map[Type]map[Format]*shape {
	m := map[Type]map[Format]*shape{}
	for _, t := range Types() {
		iss, cnf := Issuer{ID: "-", Name: "-", Country: "-"}, map[string]any{}
		m[t] = map[Format]*shape{
			FormatSDJWTVC: measure(renderSDJWTVC(iss, fullest(t, false), Copy{}, cnf)),
			FormatVCDM:    measure(renderVCDM(iss, fullest(t, achievement[t] != ""), Copy{}, cnf)),
		}
	}
	return m
}()

// fullest is a dataset with all claims of the type. Its values mean nothing: only
// their places count. With apart, skills without a code stand apart from the others.
func fullest(t Type, apart bool) Dataset {
	d := Dataset{Type: t, Record: "-", Claims: map[string]any{}}
	for _, f := range typeFieldList[t] {
		switch {
		case f.Kind == "period":
			d.Claims[f.Name] = map[string]any{"start": "-", "end": "-"}
		case f.Each:
			var list []any
			for range bucket {
				list = append(list, map[string]any{"uri": "-"})
				if apart && f.Kind == "skills" {
					list = append(list, map[string]any{})
				}
			}
			d.Claims[f.Name] = list
		default:
			d.Claims[f.Name] = "-"
		}
	}
	return d
}

// measure gives the shape of what is rendered, nil when nothing is hidden in it.
func measure(v any) *shape {
	s := &shape{}
	switch v := v.(type) {
	case map[string]any:
		s.members = map[string]*shape{}
		for name, m := range v {
			if _, ok := m.(sdjwt.SD); ok {
				s.hidden++
			} else if below := measure(m); below != nil {
				s.members[name] = below
			}
		}
	case []any:
		s.list = true
		_, hidden := split(v)
		if s.hidden = len(hidden); len(v) > 0 {
			s.first = measure(v[0])
		}
	}
	if s.hidden == 0 && len(s.members) == 0 && s.first == nil {
		return nil
	}
	return s
}

// split takes the clear and the hidden elements of an array apart.
func split(list []any) (clear, hidden []any) {
	for _, e := range list {
		if _, ok := e.(sdjwt.SD); ok {
			hidden = append(hidden, e)
		} else {
			clear = append(clear, e)
		}
	}
	return clear, hidden
}

// pad fills v with decoys up to the shape, and gives what it became.
func (s *shape) pad(v any) any {
	switch v := v.(type) {
	case map[string]any:
		hidden := 0
		for _, m := range v {
			if _, ok := m.(sdjwt.SD); ok {
				hidden++
			}
		}
		if n := s.hidden - hidden; n > 0 {
			v["_sd"] = sdjwt.Decoys(n)
		}
		for name, below := range s.members {
			if _, there := v[name]; there || below.list && below.hidden > 0 {
				v[name] = below.pad(v[name])
			}
		}
		return v
	case []any:
		return s.padList(v)
	case nil:
		return s.padList(nil)
	}
	return v
}

// padList puts clear elements first: behind hidden ones their place would tell how
// many those are. Decoys come last, so that an element has the same place among what
// was signed and among what the holder reads: wallets that mix the two exist.
func (s *shape) padList(list []any) []any {
	out, hidden := split(list)
	if s.first != nil && len(out) > 0 {
		out[0] = s.first.pad(out[0])
	}
	out = append(out, hidden...)
	if s.hidden == 0 {
		return out
	}
	seen := max(1, (len(hidden)+s.hidden-1)/s.hidden) * s.hidden
	if n := seen - len(hidden); n > 0 {
		out = append(out, sdjwt.Decoys(n))
	}
	return out
}
