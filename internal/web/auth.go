package web

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// Bearer lets requests through that carry the token (RFC 6750 2.1). The comparison
// takes the same time whatever was sent. An empty token lets nobody through.
func Bearer(token string) func(http.Handler) http.Handler {
	want := sha256.Sum256([]byte(token))
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent, given := BearerToken(r)
			got := sha256.Sum256([]byte(sent))
			if token == "" || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
				refuseBearer(w, given)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// refuseBearer answers 401. RFC 6750 3: a request without credentials gets no error
// code, one with the wrong ones gets invalid_token.
func refuseBearer(w http.ResponseWriter, given bool) {
	challenge := `Bearer realm="paspoort"`
	if given {
		challenge += `, error="invalid_token"`
	}
	w.Header().Set("WWW-Authenticate", challenge)
	WriteError(w, http.StatusUnauthorized, "invalid_token", "send the token as Authorization: Bearer TOKEN")
}

// BearerToken is the token of a request, if it carries one in its only
// Authorization header. The scheme is case-insensitive (RFC 9110 11.1).
func BearerToken(r *http.Request) (token string, ok bool) {
	values := r.Header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !found || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}
