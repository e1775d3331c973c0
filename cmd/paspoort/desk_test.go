package main

import (
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

// deskOf starts the desk of a member, and gives the link that opens it.
func (c *council) deskOf(member string) (link string) {
	c.t.Helper()
	out, into := io.Pipe()
	ctx, stop := context.WithCancel(c.t.Context())
	done := make(chan int, 1)
	var complaints transcript
	go func() {
		done <- run(ctx, []string{"desk", "--config", c.path(member + ".json"), "--passphrase-file", c.secret, "--loopback-http", "--json"}, strings.NewReader(""), into, &complaints)
		into.Close()
	}()
	c.t.Cleanup(func() {
		stop()
		out.Close()
		if code := <-done; code != exitOK {
			c.t.Errorf("the desk ended with exit code %d: %s", code, complaints.String())
		}
	})
	var said struct{ Open string }
	if err := json.NewDecoder(out).Decode(&said); err != nil || said.Open == "" {
		c.t.Fatalf("the desk said no link: %v %s", err, complaints.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // links that come later
	return said.Open
}

// TestDesk decides in a real browser, on a phone's screen: open with the link, read what is
// asked, approve with a reason; and the region enacts it.
func TestDesk(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a browser")
	}
	browser := chromium(t, "")
	c := newCouncil(t)
	id := c.applies()
	c.ok("gemeente", "approve", id, "--reason", "Stukken gezien", "--yes")
	c.refused("members_only", "vaart", "approve", id, "--yes")
	b := newTab(t, browser, "desk", 360, "nl")
	b.open(c.deskOf("vakbond"))
	b.at("/")
	b.says("Lid vakbond", "1 besluit wacht op u", "Opleidingshuis De Vaart")
	b.press(`.card a[href="/proposals/` + id + `"]`)
	b.says("https://vaart.example", "criteria-1", "Stukken gezien", "Er is nog 1 lid nodig")
	b.press(`button[value="refuse"]`)
	b.says("Geef een reden")
	b.fill("#reason", "De examens zijn in orde")
	b.press(`button[value="approve"]`)
	b.says("het besluit geldt vanaf nu", "De examens zijn in orde")
	c.sees("vaart", []string{"status"}, "toegelaten  ")
	c.sees("vaart", []string{"why", id}, "De examens zijn in orde", "Besloten op")
	b.submit("/leave")
	b.at("/in")
}

// TestDeskStaysHere: a desk is a member's, and listens on its own computer.
func TestDeskStaysHere(t *testing.T) {
	c := newCouncil(t)
	c.ok("vaart", "init", "--pin", c.genesis+"="+c.url)
	for name, args := range map[string][]string{
		"of an organisation": {"--config", c.path("vaart.json")},
		"for the network":    {"--config", c.path("kring.json"), "--listen", "0.0.0.0:0"},
		"by a name":          {"--config", c.path("kring.json"), "--listen", "localhost:0"},
	} {
		if code, out, _ := play(t, append([]string{"desk", "--passphrase-file", c.secret}, args...)...); code == exitOK || out != "" {
			t.Errorf("%s: got exit code %d, %q", name, code, out)
		}
	}
}
