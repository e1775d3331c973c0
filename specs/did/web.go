package did

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
)

// WebURL returns where the document of a did:web is (did:web, Read): https, the host
// with its port, and either /.well-known/did.json or /path/did.json. A fragment is
// left out.
func WebURL(did string) (string, error) {
	did, _, err := Split(did)
	if err != nil {
		return "", err
	}
	method, id, err := parse(did)
	if err != nil {
		return "", err
	}
	if method != "web" {
		return "", fmt.Errorf("%w: not a did:web", ErrMethod)
	}
	parts := strings.Split(id, ":")
	host, err := webHost(parts[0])
	if err != nil {
		return "", err
	}
	if len(parts) == 1 {
		return "https://" + host + "/.well-known/did.json", nil
	}
	for _, segment := range parts[1:] {
		plain, err := url.PathUnescape(segment)
		// An encoded slash or a dot segment would make the path another one.
		if err != nil || plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\?#%\x00") {
			return "", fmt.Errorf("%w: path of did:web", ErrSyntax)
		}
	}
	return "https://" + host + "/" + strings.Join(parts[1:], "/") + "/did.json", nil
}

// webHost decodes the first part of the method-specific id. "The domain name MUST NOT
// include IP addresses"; a port has its colon percent encoded.
func webHost(encoded string) (string, error) {
	plain, err := url.PathUnescape(encoded)
	if err != nil {
		return "", fmt.Errorf("%w: host of did:web", ErrSyntax)
	}
	name, port, hasPort := strings.Cut(plain, ":")
	if hasPort {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
			return "", fmt.Errorf("%w: port of did:web", ErrSyntax)
		}
	}
	if !isHostName(name) {
		return "", fmt.Errorf("%w: host of did:web", ErrSyntax)
	}
	return plain, nil
}

// isHostName accepts letters, digits, dots and hyphens, and no IP address.
func isHostName(name string) bool {
	if len(name) > 253 || net.ParseIP(name) != nil {
		return false
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	// A name whose last label is a number reads as an IPv4 address somewhere.
	_, err := strconv.ParseUint(labels[len(labels)-1], 0, 64)
	return err != nil
}

// WebFromURL returns the did:web of an issuer's public URL: https://host:1234/a/b
// becomes did:web:host%3A1234:a:b. The scheme is not part of a DID; whether plain
// http may be used is decided where the document is fetched.
func WebFromURL(issuerURL string) (string, error) {
	u, err := url.Parse(issuerURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "" {
		return "", fmt.Errorf("%w: not a URL that a did:web can have", ErrSyntax)
	}
	did := "did:web:" + strings.ReplaceAll(strings.ToLower(u.Host), ":", "%3A")
	if path := strings.Trim(u.EscapedPath(), "/"); path != "" {
		did += ":" + strings.ReplaceAll(path, "/", ":")
	}
	if _, err := WebURL(did); err != nil {
		return "", err
	}
	return did, nil
}

func resolveWeb(ctx context.Context, did string, f Fetcher) (*Document, error) {
	at, err := WebURL(did)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, fmt.Errorf("%w: did:web without a way to fetch", ErrMethod)
	}
	body, _, err := f.Get(ctx, at, "application/did+json", "application/json")
	if err != nil {
		return nil, fmt.Errorf("fetch did document: %w", err)
	}
	d, err := ParseDocument(body, did)
	if errors.Is(err, ErrDocument) {
		return nil, fmt.Errorf("%s: %w", at, err)
	}
	return d, err
}
