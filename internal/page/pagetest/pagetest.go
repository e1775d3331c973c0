// Package pagetest holds every sample of a page kit to the same rules: markup that
// a screen reader can use, nothing inline, small, one clear next step. With
// PASPOORT_PAGES set to a folder it also opens each in a browser: pictures for
// people to look at, axe-core for what a parser cannot see.
//
//	func TestPages(t *testing.T) { pagetest.Run(t, kit) }
package pagetest

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"paspoort.example/paspoort/internal/page"
)

// maxPage is the most that a page may weigh in bytes: a phone on a slow network.
const maxPage = 100 << 10

// Run checks every sample of the kit.
func Run(t *testing.T, k *page.Kit) {
	t.Helper()
	samples := k.Samples()
	if len(samples) == 0 {
		t.Fatal("the kit has no samples: a page without samples is a page that nobody looked at")
	}
	for _, s := range samples {
		t.Run(fmt.Sprintf("%s/%s/%s", s.Page, s.State, s.Lang), func(t *testing.T) {
			body, err := s.HTML()
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range Check(body) {
				t.Error(fault)
			}
			if found := tradeWords.FindString(visible(body)); s.Lang == page.EasyDutch && found != "" {
				t.Errorf("the page says %q, which is no word of easy Dutch", found)
			}
		})
	}
	if dir := os.Getenv("PASPOORT_PAGES"); dir != "" {
		t.Run("browser", func(t *testing.T) { browse(t, k, dir) })
	}
}

// Check gives the faults of one page.
func Check(body []byte) []string {
	var c checker
	if len(body) > maxPage {
		c.fault("the page weighs %d bytes, more than %d", len(body), maxPage)
	}
	for _, trace := range []string{"%!", "<no value>", "ZgotmplZ", "&lt;nil&gt;"} {
		if bytes.Contains(body, []byte(trace)) {
			c.fault("the page holds %q: a value did not come through", trace)
		}
	}
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return []string{err.Error()}
	}
	c.ids, c.labelled = map[string]int{}, map[string]bool{}
	c.collect(root)
	c.walk(root)
	c.whole()
	return c.faults
}

type checker struct {
	faults   []string
	ids      map[string]int
	labelled map[string]bool // ids that a <label for> names
	headings []int
	count    struct{ main, header, footer, buttons int }
	skip     bool
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *checker) collect(n *html.Node) {
	if n.Type == html.ElementNode {
		if id := attr(n, "id"); id != "" {
			c.ids[id]++
		}
		if n.Data == "label" {
			c.labelled[attr(n, "for")] = true
		}
	}
	for child := range n.ChildNodes() {
		c.collect(child)
	}
}

func (c *checker) walk(n *html.Node) {
	if n.Type == html.ElementNode {
		c.element(n)
	}
	for child := range n.ChildNodes() {
		c.walk(child)
	}
}

func (c *checker) element(n *html.Node) {
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			c.fault("<%s> has an inline %s: the policy forbids it", n.Data, a.Key)
		}
	}
	switch n.Data {
	case "style":
		c.fault("there is an inline <style>: the policy forbids it")
	case "script":
		if attr(n, "src") == "" {
			c.fault("there is an inline <script>: the policy forbids it")
		}
	case "html":
		if attr(n, "lang") == "" {
			c.fault("<html> does not name its language")
		}
	case "title":
		if name(n) == "" {
			c.fault("the page has no title")
		}
	case "main":
		c.count.main++
	case "header":
		c.count.header++
	case "footer":
		c.count.footer++
	case "h1", "h2", "h3", "h4":
		c.headings = append(c.headings, int(n.Data[1]-'0'))
	case "img":
		if !has(n, "alt") {
			c.fault("an <img> has no alt")
		}
	case "input", "select", "textarea":
		c.field(n)
	case "a", "button":
		c.press(n)
	}
}

func (c *checker) field(n *html.Node) {
	if kind := attr(n, "type"); kind == "hidden" || kind == "submit" {
		return
	}
	if !c.labelled[attr(n, "id")] && attr(n, "aria-label") == "" && attr(n, "aria-labelledby") == "" && !within(n, "label") {
		c.fault("<%s name=%q> has no label", n.Data, attr(n, "name"))
	}
}

func (c *checker) press(n *html.Node) {
	if name(n) == "" && attr(n, "aria-label") == "" {
		c.fault("a <%s> says nothing", n.Data)
	}
	if attr(n, "href") == "#main" && attr(n, "class") == "skip" {
		c.skip = true
	}
	classes := strings.Fields(attr(n, "class"))
	if (n.Data == "button" || slices.Contains(classes, "button")) && !slices.Contains(classes, "quiet") {
		c.count.buttons++
	}
}

func (c *checker) whole() {
	for id, n := range c.ids {
		if n > 1 {
			c.fault("%d elements have the id %q", n, id)
		}
	}
	if c.count.main != 1 || c.count.header != 1 || c.count.footer != 1 {
		c.fault("got %d main, %d header, %d footer, want one of each", c.count.main, c.count.header, c.count.footer)
	}
	if !c.skip {
		c.fault("there is no skip link to #main")
	}
	if c.count.buttons > 1 {
		c.fault("%d filled buttons: a page has one clear next step, make the others quiet", c.count.buttons)
	}
	last := 0
	for i, level := range c.headings {
		if (i == 0) != (level == 1) || level > last+1 {
			c.fault("headings run %v: one h1 first, and no level skipped", c.headings)
			break
		}
		last = level
	}
	if len(c.headings) == 0 {
		c.fault("the page has no h1")
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func within(n *html.Node, tag string) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == tag {
			return true
		}
	}
	return false
}

// visible is the text of a page, with the words that only a screen reader says.
func visible(body []byte) string {
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	var b strings.Builder
	for d := range root.Descendants() {
		switch {
		case d.Type == html.TextNode:
			b.WriteString(d.Data + " ")
		case d.Type == html.ElementNode:
			b.WriteString(attr(d, "alt") + " " + attr(d, "aria-label") + " " + attr(d, "title") + " ")
		}
	}
	return b.String()
}

// name is what a screen reader would say: text, and alt of images.
func name(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
		if d.Data == "img" {
			b.WriteString(attr(d, "alt"))
		}
	}
	return strings.TrimSpace(b.String())
}
