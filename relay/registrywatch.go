package relay

import (
	"time"

	"furrow/sstp"
)

// changesPause is how long changes in the registry are gathered before the
// connections are looked at: a management server that builds its user database
// makes thousands, in batches.
const changesPause = 100 * time.Millisecond

// followRegistry applies what the management server changes to the connections
// that stand.
func (s *Server) followRegistry() {
	changes, stop := s.registry.Watch()
	defer stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-changes:
		}
		s.applyRegistry()
		select {
		case <-s.ctx.Done():
			return
		case <-time.After(changesPause):
		}
	}
}

// applyRegistry sends everybody away while the relay is inactive ([MS-GRVSPMR]
// 2.2.3.8), and otherwise those who are locked out (2.2.3.1).
func (s *Server) applyRegistry() {
	inactive := s.registry.Quiescent()
	for _, c := range s.everybody() {
		if inactive {
			c.conn.Close(sstp.ReasonResting, s.config.RetryTime)
		} else {
			c.recheck()
		}
	}
}
