package node

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"
)

// A running node takes commands from its operator over a Unix socket in its data folder. Who may
// write to that file is the operator: the folder has mode 0700 and the socket 0600, so there is
// no token to keep and no port that a page in a browser could reach. One command a connection,
// a line of JSON each way; a dump follows its answer.

// DefaultControl is the socket in a data folder.
func DefaultControl(data string) string { return filepath.Join(data, "control.sock") }

// maxSocket is the longest path that a socket can have (unix(7), less the final zero).
const maxSocket = 107

const (
	doTransfer = "transfer-leadership"
	doDump     = "dump"
)

type controlRequest struct {
	Do string `json:"do"`
	To string `json:"to,omitempty"`
}

type controlAnswer struct {
	Error  string `json:"error,omitempty"`
	Leader string `json:"leader,omitempty"`
}

// ErrNotRunning: nobody listens on the socket.
var ErrNotRunning = errors.New("no node runs on this data folder")

// ServeControl takes commands on the socket until ctx ends.
func (n *Node) ServeControl(ctx context.Context, path string) error {
	if len(path) > maxSocket {
		return fmt.Errorf("the path of the control socket is longer than %d characters: set \"control\" to a shorter one", maxSocket)
	}
	// What is left of a process that was killed would keep the new one out. Badger's lock on the
	// data folder tells already that no other node runs here.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("control socket: %w", err)
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return errors.Join(fmt.Errorf("control socket: %w", err), l.Close())
	}
	var commands sync.WaitGroup
	defer commands.Wait()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("control socket: %w", err)
		}
		commands.Go(func() {
			defer conn.Close()
			done := context.AfterFunc(ctx, func() { conn.Close() })
			defer done()
			n.control(conn)
		})
	}
}

// control answers one command.
func (n *Node) control(conn net.Conn) {
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	line, err := bufio.NewReader(io.LimitReader(conn, 4096)).ReadBytes('\n')
	if err != nil {
		return
	}
	conn.SetReadDeadline(time.Time{})
	var q controlRequest
	var a controlAnswer
	err = json.Unmarshal(line, &q)
	switch {
	case err != nil:
	case q.Do == doDump:
	case q.Do == doTransfer:
		a.Leader, err = n.transferLeadership(q.To)
	default:
		err = fmt.Errorf("this node knows no command %q", q.Do)
	}
	if err != nil {
		a.Error = err.Error()
	}
	if json.NewEncoder(conn).Encode(a) != nil || err != nil || q.Do != doDump {
		return
	}
	if err := n.Dump(conn); err != nil { // without its last row the other side knows that it is not whole
		n.log.Error("a dump was not finished", "error", err)
	}
}

// transferLeadership hands the lead to a node of this region, or to the one that is furthest.
// It answers who leads then.
func (n *Node) transferLeadership(to string) (string, error) {
	if !n.running() {
		return "", errors.New("this node does not take part yet")
	}
	if n.raft.State() != raft.Leader {
		_, leader := n.raft.LeaderWithID()
		if leader == "" {
			return "", errors.New("there is no leader at this moment: wait some seconds")
		}
		return "", fmt.Errorf("%s leads, this node does not: type this on that machine", nodeOf(leader))
	}
	if to == n.cfg.ID {
		return to, nil
	}
	transfer := n.raft.LeadershipTransfer
	if to != "" {
		server, ok := n.voter(to)
		if !ok {
			return "", fmt.Errorf("%s is not a node that can lead: it has no vote", to)
		}
		transfer = func() raft.Future { return n.raft.LeadershipTransferToServer(server.ID, server.Address) }
	}
	if err := n.ask(transfer); err != nil {
		return "", fmt.Errorf("the lead was not handed over: %w", err)
	}
	n.log.Info("handed over the lead", "asked", to)
	return n.nextLeader(), nil
}

func (n *Node) voter(id string) (raft.Server, bool) {
	for _, s := range n.servers() {
		if nodeOf(s.ID) == id && s.Suffrage == raft.Voter {
			return s, true
		}
	}
	return raft.Server{}, false
}

// nextLeader waits some election times for another leader to show itself.
func (n *Node) nextLeader() string {
	patience := time.After(4 * n.cfg.Election)
	for {
		if _, leader := n.raft.LeaderWithID(); leader != "" && leader != n.raftID {
			return nodeOf(leader)
		}
		select {
		case <-patience:
			return ""
		case <-n.stopped:
			return ""
		case <-time.After(lookAgain):
		}
	}
}

// Operator is the other side of the control socket.
type Operator struct {
	Socket string
}

// TransferLeadership asks the node to hand over the lead; to may be empty. It gives who leads.
func (o Operator) TransferLeadership(ctx context.Context, to string) (leader string, err error) {
	err = o.do(ctx, controlRequest{Do: doTransfer, To: to}, func(a controlAnswer, _ io.Reader) error {
		leader = a.Leader
		return nil
	})
	return leader, err
}

// Dump gives read the dump of the node's store.
func (o Operator) Dump(ctx context.Context, read func(io.Reader) error) error {
	return o.do(ctx, controlRequest{Do: doDump}, func(_ controlAnswer, r io.Reader) error { return read(r) })
}

// do sends one command. It fails with [ErrNotRunning] when nobody is there.
func (o Operator) do(ctx context.Context, q controlRequest, then func(controlAnswer, io.Reader) error) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", o.Socket)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := json.NewEncoder(conn).Encode(q); err != nil {
		return fmt.Errorf("ask the node: %w", err)
	}
	in := bufio.NewReader(conn)
	line, err := in.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("ask the node: %w", err)
	}
	var a controlAnswer
	if err := json.Unmarshal(line, &a); err != nil {
		return fmt.Errorf("the node answered with something else: %w", err)
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	return then(a, in)
}
