package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// visitor is a person with a browser that runs no script.
type visitor struct {
	t    *testing.T
	http *http.Client
	at   *url.URL
	page *html.Node
}

// newVisitor trusts the authority of the region on this computer.
func newVisitor(t *testing.T, caFile string) *visitor {
	t.Helper()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("%s holds no certificate", caFile)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	return &visitor{t: t, http: &http.Client{Jar: jar, Transport: transport}}
}

func (v *visitor) open(address string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		v.t.Fatal(err)
	}
	v.do(r)
}

func (v *visitor) do(r *http.Request) {
	v.t.Helper()
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Accept-Language", "nl")
	resp, err := v.http.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	if v.page, err = html.Parse(resp.Body); err != nil {
		v.t.Fatal(err)
	}
	v.at = resp.Request.URL
	if resp.StatusCode != http.StatusOK {
		v.t.Fatalf("%s %s: %s\n%s", r.Method, v.at.Path, resp.Status, v.text())
	}
}

// follow clicks the first link whose address holds a text.
func (v *visitor) follow(part string) {
	v.t.Helper()
	for n := range v.page.Descendants() {
		if href := attribute(n, "href"); n.Data == "a" && strings.Contains(href, part) {
			v.open(v.resolve(href))
			return
		}
	}
	v.t.Fatalf("no link to %q on %s:\n%s", part, v.at.Path, v.text())
}

// submit fills in the form that goes to a path and sends it. What the page filled in
// already stays, unless fields says otherwise.
func (v *visitor) submit(path string, fields map[string]string) {
	v.t.Helper()
	for n := range v.page.Descendants() {
		if n.Data != "form" || attribute(n, "action") != path {
			continue
		}
		values := filledIn(n)
		for name, value := range fields {
			values.Set(name, value)
		}
		r, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.resolve(path), strings.NewReader(values.Encode()))
		if err != nil {
			v.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", v.at.Scheme+"://"+v.at.Host)
		v.do(r)
		return
	}
	v.t.Fatalf("no form to %s on %s:\n%s", path, v.at.Path, v.text())
}

// filledIn are the values that a form has when nobody touches it.
func filledIn(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name, kind := attribute(n, "name"), attribute(n, "type")
		switch {
		case name == "" || n.Data != "input":
		case (kind == "checkbox" || kind == "radio") && !hasAttribute(n, "checked"):
		default:
			values.Add(name, attribute(n, "value"))
		}
	}
	return values
}

// text is what the page says, words only.
func (v *visitor) text() string {
	var words []string
	for n := range v.page.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "script" {
			words = append(words, strings.Fields(n.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// sees holds the page against what it should say.
func (v *visitor) sees(want ...string) {
	v.t.Helper()
	said := v.text()
	for _, w := range want {
		if !strings.Contains(said, w) {
			v.t.Errorf("%s does not say %q:\n%s", v.at.Path, w, said)
		}
	}
}

// words are those in the first element with a class.
func (v *visitor) words(class string) []string {
	for n := range v.page.Descendants() {
		if strings.Contains(" "+attribute(n, "class")+" ", " "+class+" ") {
			return strings.Fields((&visitor{page: n}).text())
		}
	}
	return nil
}

// A person comes along a wallet host with only a browser.
type person struct {
	name       string // to be greeted with
	offer      string // page of an offer
	code       string // that belongs to it
	request    string // page of a request that the offered credential answers
	knownAs    string // the issuer
	asker      string
	skill      string // that is asked
	passphrase string
}

// lives is everything that this person does: from the page of an offer, through a paspoort
// that is made on the way, to an answer that the asker reads.
func (p person) lives(v *visitor) {
	v.t.Helper()
	v.open(p.offer)
	v.follow("/offer?credential_offer_uri=")
	v.follow("/begin")
	v.submit("/begin", map[string]string{"name": p.name, "passphrase": p.passphrase})
	groups := v.words("code-block")
	if len(groups) == 0 {
		v.t.Fatalf("no recovery code on %s:\n%s", v.at.Path, v.text())
	}
	v.submit("/code", map[string]string{"last": groups[len(groups)-1]})
	v.sees(p.knownAs)
	v.submit(v.at.Path, map[string]string{"code": p.code})
	v.submit(strings.TrimSuffix(v.at.Path, "/look")+"/keep", nil)
	v.open(v.resolve("/paspoort"))
	v.sees(p.knownAs)

	v.open(p.request)
	v.follow("/open?wallet=1")
	v.sees(p.asker)
	v.submit(v.at.Path, nil)
	v.follow("/return?")
	v.sees(p.skill, "aangetoond", p.knownAs)
}

func (v *visitor) resolve(address string) string {
	v.t.Helper()
	to, err := v.at.Parse(address)
	if err != nil {
		v.t.Fatal(err)
	}
	return to.String()
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}
