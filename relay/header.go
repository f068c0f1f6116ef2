package relay

import (
	"fmt"
	"time"

	"furrow/relay/queue"
	"furrow/sstp"
)

// headerVersion is that in which headers and addresses are stored. What matters
// of them is the same in every version.
const headerVersion = sstp.Version15

// storedHeader returns what the queues keep of a message besides its body. All of
// the sender's Message is kept and sent on ([MS-GRVSSTP] 3.1.1.2); only SessionId
// and MessageCount are of one hop.
func (s *Server) storedHeader(resource string, m sstp.Message) (queue.Header, error) {
	m.SessionID, m.MessageCount = 0, 0
	octets, err := sstp.Append(nil, &m, headerVersion)
	if err != nil {
		return queue.Header{}, fmt.Errorf("keeping a message's header: %w", err)
	}
	return queue.Header{
		Resource: resource,
		Flags:    m.Flags,
		Lifetime: time.Duration(m.Ephemeral) * time.Second,
		Metadata: octets,
		Online:   s.online,
	}, nil
}

// parseHeader reads what storedHeader has kept.
func parseHeader(octets []byte) (*sstp.Message, error) {
	cmd, err := sstp.Decode(octets, headerVersion)
	if err != nil {
		return nil, fmt.Errorf("reading a kept header: %w", err)
	}
	m, ok := cmd.(*sstp.Message)
	if !ok {
		return nil, fmt.Errorf("reading a kept header: it is a %v", cmd.ID())
	}
	return m, nil
}

// route is the FanoutOpen by which one relay is to be told of its targets, as the
// queues keep it.
func route(resource string, entries []sstp.FanoutDeviceEntry) ([]byte, error) {
	octets, err := sstp.Append(nil, &sstp.FanoutOpen{ResourceURL: resource, Entries: entries}, headerVersion)
	if err != nil {
		return nil, fmt.Errorf("keeping the targets of a message: %w", err)
	}
	return octets, nil
}

// parseRoute reads what route has made.
func parseRoute(octets []byte) (*sstp.FanoutOpen, error) {
	cmd, err := sstp.Decode(octets, headerVersion)
	if err != nil {
		return nil, fmt.Errorf("reading the targets of a message: %w", err)
	}
	m, ok := cmd.(*sstp.FanoutOpen)
	if !ok {
		return nil, fmt.Errorf("reading the targets of a message: it is a %v", cmd.ID())
	}
	return m, nil
}

// online reports whether what is sent to a would go on at once.
func (s *Server) online(a queue.Address) bool {
	if a.Relay != "" {
		return s.reachable(a.Relay)
	}
	return s.leases.online(a)
}
