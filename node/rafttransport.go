package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/hashicorp/raft"
)

// Raft's RPCs say in their header who sends them. Raft believes it; the network does not:
// each peer has a transport of its own for what comes in, and an RPC whose header names
// another node than the certificate of its connection is answered with an error and never
// reaches raft.

// inbound is what comes in from one node.
type inbound struct {
	*raft.NetworkTransport
	conns *queueListener
}

// of returns the inbound transport of a node and makes it at first use.
func (w *network) of(id string) *inbound {
	w.mu.Lock()
	defer w.mu.Unlock()
	if in, ok := w.inbound[id]; ok {
		return in
	}
	in := &inbound{conns: newQueueListener(w.n.cfg.Peer.Addr())}
	in.NetworkTransport = raft.NewNetworkTransportWithConfig(w.transportConfig(incoming{in.conns}))
	in.SetHeartbeatHandler(func(rpc raft.RPC) { w.deliver(id, rpc, true) })
	w.inbound[id] = in
	w.n.wg.Go(func() {
		for {
			select {
			case rpc := <-in.Consumer():
				w.deliver(id, rpc, false)
			case <-w.closed:
				return
			}
		}
	})
	return in
}

// deliver hands an RPC to raft if its header names the node that sent it.
func (w *network) deliver(from string, rpc raft.RPC, heartbeat bool) {
	if !w.n.addressed(&rpc) {
		return
	}
	if err := w.authentic(from, rpc.Command); err != nil {
		if !errors.Is(err, errNotSent) {
			w.n.log.Error("A NODE SPOKE FOR ANOTHER", "node", from, "error", err)
		}
		rpc.Respond(nil, err)
		return
	}
	if !w.n.guard(&rpc) {
		return
	}
	w.mu.Lock()
	beat := w.beat
	w.mu.Unlock()
	if heartbeat && beat != nil {
		beat(rpc)
		return
	}
	select {
	case w.rpcs <- rpc:
	case <-w.closed:
		rpc.Respond(nil, raft.ErrTransportShutdown)
	}
}

func (w *network) authentic(from string, command any) error {
	c, ok := command.(raft.WithRPCHeader)
	if !ok {
		return errors.New("an RPC without a header")
	}
	h := c.GetRPCHeader()
	address := w.n.region().node(from).RaftAddress
	if address == "" {
		return errNotSent // it left while its connection was open
	}
	if nodeOf(raft.ServerID(h.ID)) != from || string(h.Addr) != address {
		return fmt.Errorf("an RPC in the name of %.100q", h.ID)
	}
	return nil
}

// Consumer implements raft.Transport.
func (w *network) Consumer() <-chan raft.RPC { return w.rpcs }

// SetHeartbeatHandler implements raft.Transport.
func (w *network) SetHeartbeatHandler(cb func(raft.RPC)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.beat = cb
}

// LocalAddr implements raft.Transport: the address that the charter gives this node.
func (w *network) LocalAddr() raft.ServerAddress {
	return raft.ServerAddress(w.n.region().node(w.n.cfg.ID).RaftAddress)
}

// EncodePeer implements raft.Transport: in headers an address is an address, although
// outgoing connections go by node id. Raft asked for this node's own address when it started;
// a node that was new then learnt it from the log since.
func (w *network) EncodePeer(id raft.ServerID, address raft.ServerAddress) []byte {
	if nodeOf(id) == w.n.cfg.ID {
		return []byte(w.LocalAddr())
	}
	return []byte(address)
}

// Close implements raft.WithClose.
func (w *network) Close() error {
	w.once.Do(func() { close(w.closed) })
	err := errors.Join(w.NetworkTransport.Close(), w.peerIn.Close())
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, in := range w.inbound {
		err = errors.Join(err, in.Close())
	}
	return err
}

// addressBook makes raft dial node ids instead of addresses, so that the key that is
// expected is the key of that node.
type addressBook struct{ w *network }

// ServerAddr implements raft.ServerAddressProvider.
func (b addressBook) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	return raft.ServerAddress(nodeOf(id)), nil
}

// outgoing dials for raft; the address is a node id, from addressBook.
type outgoing struct{ w *network }

// Dial implements raft.StreamLayer.
func (o outgoing) Dial(address raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	select {
	case <-o.w.closed: // raft hears nobody any more, and then leads no more
		return nil, raft.ErrTransportShutdown
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return o.w.dial(ctx, string(address), protoRaft)
}

// Accept implements net.Listener; nothing comes in here.
func (o outgoing) Accept() (net.Conn, error) {
	<-o.w.closed
	return nil, net.ErrClosed
}

// Close implements net.Listener.
func (o outgoing) Close() error {
	o.w.once.Do(func() { close(o.w.closed) })
	return nil
}

// Addr implements net.Listener.
func (o outgoing) Addr() net.Addr { return o.w.n.cfg.Peer.Addr() }

// incoming accepts for raft from one node; nothing is dialled from here.
type incoming struct{ *queueListener }

// Dial implements raft.StreamLayer.
func (incoming) Dial(raft.ServerAddress, time.Duration) (net.Conn, error) {
	return nil, errors.New("incoming connections only")
}
