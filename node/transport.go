package node

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"paspoort.example/paspoort/internal/ca"
	"paspoort.example/paspoort/specs/registry"
)

// The nodes of a region speak over one port each, in TLS 1.3 with a certificate on both
// sides. A certificate counts by its key alone: the SHA-256 of its SubjectPublicKeyInfo
// stands in the charter beside a node id. ALPN says what is spoken on a connection.
const (
	protoRaft = "paspoort-raft/1"
	protoPeer = "paspoort-peer/1"
)

// dialTimeout bounds connecting, handshake included: who waits for a dead machine longer
// makes others wait.
const dialTimeout = time.Second

// certificateLife is long because nobody looks at it: the charter ends a key, not a date.
const certificateLife = 20 * 365 * 24 * time.Hour

// network is a node's half of the connections to the others. It is raft's transport and
// the channel of peer calls.
type network struct {
	*raft.NetworkTransport // outgoing RPCs
	n                      *Node
	cert                   tls.Certificate
	client                 *http.Client

	rpcs    chan raft.RPC // incoming, of all peers, each checked against its sender
	peerIn  *queueListener
	mu      sync.Mutex
	inbound map[string]*inbound // by node id
	beat    func(raft.RPC)
	closed  chan struct{}
	once    sync.Once
}

func newNetwork(n *Node) (*network, error) {
	now := n.cfg.Clock()
	cert, err := ca.SelfSigned(n.cfg.TLSKey, n.cfg.ID, now.Add(-24*time.Hour), now.Add(certificateLife))
	if err != nil {
		return nil, fmt.Errorf("node %s: certificate: %w", n.cfg.ID, err)
	}
	w := &network{n: n, cert: cert, rpcs: make(chan raft.RPC), inbound: map[string]*inbound{}, closed: make(chan struct{})}
	w.peerIn = newQueueListener(n.cfg.Peer.Addr())
	w.NetworkTransport = raft.NewNetworkTransportWithConfig(w.transportConfig(outgoing{w}))
	w.client = &http.Client{Transport: &http.Transport{
		DialTLSContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			id, _, _ := net.SplitHostPort(address) // the "host" of a peer URL is a node id
			return w.dial(ctx, id, protoPeer)
		},
		MaxIdleConnsPerHost: 128, IdleConnTimeout: time.Minute, DisableCompression: true,
	}}
	return w, nil
}

func (w *network) transportConfig(s raft.StreamLayer) *raft.NetworkTransportConfig {
	return &raft.NetworkTransportConfig{Stream: s, MaxPool: 3, Timeout: w.n.cfg.PeerTimeout, Logger: raftLog(w.n.log), ServerAddressProvider: addressBook{w}}
}

// tlsConfig admits one node, or any node of the region when id is empty.
func (w *network) tlsConfig(id string, protocols ...string) *tls.Config {
	return &tls.Config{
		Certificates: []tls.Certificate{w.cert},
		MinVersion:   tls.VersionTLS13,
		NextProtos:   protocols,
		ClientAuth:   tls.RequireAnyClientCert,
		// The chain means nothing here; VerifyConnection compares the key with the charter's.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			who, ok := w.whose(s)
			if !ok || id != "" && who != id {
				return errors.New("not the key of a node of this region")
			}
			return nil
		},
		Time: w.n.cfg.Clock,
	}
}

// whose finds the node of the charter whose key the other side proved to hold.
func (w *network) whose(s tls.ConnectionState) (string, bool) {
	if len(s.PeerCertificates) == 0 {
		return "", false
	}
	return w.nodeWithKey(s.PeerCertificates[0])
}

func (w *network) nodeWithKey(c *x509.Certificate) (string, bool) {
	spki := registry.SPKIHash(c.PublicKey)
	region := w.n.region()
	for _, nodes := range []map[string]registry.Node{region.nodes, region.leaving} {
		for id, node := range nodes {
			if spki != "" && node.TLSKey == spki {
				return id, true
			}
		}
	}
	return "", false
}

func (w *network) dial(ctx context.Context, id, protocol string) (net.Conn, error) {
	node := w.n.region().node(id)
	if node.ID == "" {
		return nil, fmt.Errorf("%w: no node %s in the charter", errNotSent, id)
	}
	ctx, cancel := context.WithTimeout(ctx, w.n.cfg.DialTimeout)
	defer cancel()
	raw, err := w.n.cfg.Dial(ctx, "tcp", node.RaftAddress)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotSent, err)
	}
	conn := tls.Client(raw, w.tlsConfig(id, protocol))
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %w", errNotSent, err), raw.Close())
	}
	if got := conn.ConnectionState().NegotiatedProtocol; got != protocol {
		return nil, errors.Join(fmt.Errorf("%w: %s does not speak %s", errNotSent, id, protocol), conn.Close())
	}
	return conn, nil
}

// run accepts connections until ctx ends.
func (w *network) run(ctx context.Context, n *Node) error {
	stop := context.AfterFunc(ctx, func() { n.cfg.Peer.Close() })
	defer stop()
	server := &http.Server{Handler: http.HandlerFunc(w.servePeer), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, peerConn{}, c) }}
	n.wg.Go(func() { server.Serve(w.peerIn) })
	defer server.Close()
	defer w.client.CloseIdleConnections()
	var handshakes sync.WaitGroup
	defer handshakes.Wait()
	for {
		conn, err := n.cfg.Peer.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("accept nodes: %w", err)
		}
		handshakes.Go(func() { w.accept(ctx, conn) })
	}
}

// accept makes the handshake and hands the connection to what is spoken on it.
func (w *network) accept(ctx context.Context, raw net.Conn) {
	conn := tls.Server(raw, w.tlsConfig("", protoRaft, protoPeer))
	shake, cancel := context.WithTimeout(ctx, w.n.cfg.PeerTimeout)
	defer cancel()
	if err := conn.HandshakeContext(shake); err != nil {
		w.n.log.Debug("connection refused", "error", err)
		raw.Close()
		return
	}
	from, ok := w.whose(conn.ConnectionState())
	switch {
	case ok && conn.ConnectionState().NegotiatedProtocol == protoRaft:
		w.of(from).conns.put(conn)
	case ok && conn.ConnectionState().NegotiatedProtocol == protoPeer:
		w.peerIn.put(peerConn{conn, conn.ConnectionState().PeerCertificates[0]})
	default:
		conn.Close()
	}
}

// call implements peers.
func (w *network) call(ctx context.Context, id, op string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+id+":443/"+op, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotSent, err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("call %s of %s: %w", op, id, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxPeerBody+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("call %s of %s: %w", op, id, err)
	case len(answer) > maxPeerBody:
		return nil, fmt.Errorf("call %s of %s: answer is too large", op, id)
	case resp.StatusCode == http.StatusConflict:
		return nil, fmt.Errorf("%w: %s", ErrPeer, answer)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("call %s of %s: status %d", op, id, resp.StatusCode)
	}
	return answer, nil
}

// servePeer is the other side of call. Refusals travel as 409 with their text.
func (w *network) servePeer(rw http.ResponseWriter, r *http.Request) {
	conn, ok := r.Context().Value(peerConn{}).(peerConn)
	from := ""
	if ok {
		from, ok = w.nodeWithKey(conn.certificate) // again: the charter may have changed since the handshake
	}
	if !ok || r.Method != http.MethodPost {
		http.Error(rw, "not a node of this region", http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxPeerBody))
	if err != nil {
		http.Error(rw, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	answer, err := w.n.servePeer(r.Context(), from, strings.TrimPrefix(r.URL.Path, "/"), body)
	if err != nil {
		rw.WriteHeader(http.StatusConflict)
		answer = []byte(err.Error())
	}
	rw.Write(answer)
}

// peerConn is a connection on which peer calls come in, with the certificate of its other
// side. It hides the tls.Conn in it, because net/http would look for an HTTP version under
// our ALPN name.
type peerConn struct {
	net.Conn
	certificate *x509.Certificate
}

// queueListener is a net.Listener over connections that were accepted elsewhere.
type queueListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
	addr   net.Addr
}

func newQueueListener(addr net.Addr) *queueListener {
	return &queueListener{conns: make(chan net.Conn), closed: make(chan struct{}), addr: addr}
}

func (l *queueListener) put(c net.Conn) {
	select {
	case l.conns <- c:
	case <-l.closed:
		c.Close()
	}
}

// Accept implements net.Listener.
func (l *queueListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (l *queueListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements net.Listener.
func (l *queueListener) Addr() net.Addr { return l.addr }
