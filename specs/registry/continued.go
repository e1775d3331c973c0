package registry

import (
	"paspoort.example/paspoort/specs/tlog"
)

// Continuation says that a region goes on where another stopped: a region that lost its quorum
// for good has a new genesis (D6). It is a claim of this region's members. Apply never reads the
// other log; peers that accepted the old region look at it before they accept this one.
type Continuation struct {
	Genesis string `json:"genesis"`          // id of the region that stopped
	Losses  *Text  `json:"losses,omitempty"` // what is known to be lost behind the last checkpoint
	Root    string `json:"root"`             // of its largest counting checkpoint that anyone holds, standard base64
	Size    uint64 `json:"size"`             // leaves under that
}

// Continued corrects the continuation of a region, when somebody turned out to hold a larger
// checkpoint of the region that stopped, or adds one that the charter did not have.
type Continued struct {
	Continuation
	Reason string `json:"reason"`
}

func (c *Continued) subject() string { return RegionSubject }

func (c *Continued) check() error {
	if err := c.Continuation.check(); err != nil {
		return err
	}
	return checkText("reason", c.Reason, 2000)
}

func (c Continuation) check() error {
	if !isHash(c.Genesis) || c.Size == 0 || c.Size > maxTime {
		return ErrBody.with("a continuation names the region that stopped by its id, and how many leaves are known")
	}
	if root, err := tlog.ParseHash(c.Root); err != nil || root.String() != c.Root {
		return ErrBody.with("a continuation has the root of the last checkpoint, in base64")
	}
	if c.Losses != nil {
		return c.Losses.check()
	}
	return nil
}

func enactContinued(x *step) error {
	c := x.body.(*Continued)
	charter := x.s.currentCharter()
	if old := charter.Continues; old != nil && (old.Genesis != c.Genesis || old.Size >= c.Size) {
		return ErrTransition.with("this region continues another already; only a larger checkpoint of the same one adds to that")
	}
	if c.Genesis == x.s.genesis {
		return ErrTransition.with("a region does not continue itself")
	}
	charter.From, charter.Continues = x.now, &c.Continuation
	put(x, &x.s.charter, current, charter)
	return nil
}
