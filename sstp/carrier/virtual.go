package carrier

import (
	"container/list"
	"errors"
	"time"
)

var (
	errStopping = errors.New("carrier: the server stops")
	errIdle     = errors.New("carrier: no traffic")
	errUnfit    = errors.New("carrier: request does not fit its virtual connection")
	errForsaken = errors.New("carrier: the other half of the virtual connection did not come in time")
	errFull     = errors.New("carrier: too many virtual connections")
)

// virtual is a virtual connection of a server. It first waits to be complete:
// until its other half has come, or the second request of Polling. Then it stands.
type virtual struct {
	server *Server
	mode   Mode
	guid   string

	// met is closed when the halves have met, or one has been forsaken; nil in
	// Polling.
	met chan struct{}

	// get and post are what has come of it while it waits. What follows is
	// protected by server.mu meanwhile, and does not change afterwards.
	get, post *exchange
	budget    int64         // of LongLived
	place     *list.Element // in server.waiting; nil once it stands or has been forsaken
	timer     *time.Timer   // forsakes it
	body      body          // nil while it waits, but in Polling
}

// body is what a virtual connection is once it stands.
type body interface {
	// resign ends it, but for octets that the relay has left to be delivered.
	resign(why error)
	// end ends it.
	end(why error)
}

// shortGUID is what is logged of a GUID: who knows the whole can take part.
func (v *virtual) shortGUID() string { return v.guid[:min(6, len(v.guid))] }

// resign ends the virtual connection, in whatever state.
func (v *virtual) resign(why error) {
	if !v.server.forsake(v) && v.body != nil {
		v.body.resign(why)
	}
}

func (v *virtual) end(why error) {
	if !v.server.forsake(v) && v.body != nil {
		v.body.end(why)
	}
}

// add puts a new virtual connection into the table, among those that wait. It is
// called with mu held.
func (s *Server) add(v *virtual) error {
	if s.stopping {
		return errStopping
	}
	if s.waiting.Len() >= s.cfg.MaxWaiting {
		s.forsakeLocked(s.waiting.Front().Value.(*virtual))
	}
	if len(s.table) >= s.cfg.MaxConnections {
		return errFull
	}
	s.table[v.guid] = v
	v.place = s.waiting.PushBack(v)
	v.timer = time.AfterFunc(meetTime, func() { s.forsake(v) })
	return nil
}

// stand takes a virtual connection from among those that wait. It is called with
// mu held.
func (s *Server) stand(v *virtual) {
	s.waiting.Remove(v.place)
	v.place = nil
	v.timer.Stop()
	s.stats.Opened++
	*s.standing(v.mode)++
	s.log.Debug("carrier: virtual connection stands", "mode", v.mode, "guid", v.shortGUID())
}

// standing returns the counter of a mode.
func (s *Server) standing(m Mode) *int {
	switch m {
	case LongLived:
		return &s.stats.LongLived
	case KeepAlive:
		return &s.stats.KeepAlive
	default:
		return &s.stats.Polling
	}
}

// forsake drops a virtual connection that waits, and reports whether it did so.
func (s *Server) forsake(v *virtual) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.forsakeLocked(v)
}

func (s *Server) forsakeLocked(v *virtual) bool {
	if v.place == nil {
		return false
	}
	s.waiting.Remove(v.place)
	v.place = nil
	v.timer.Stop()
	delete(s.table, v.guid)
	s.stats.Forsaken++
	if v.met != nil {
		close(v.met)
	}
	if s.stopping {
		s.announce()
	}
	return true
}

// remove takes a virtual connection that has ended from the table, if it stood.
func (s *Server) remove(v *virtual, why error) {
	s.log.Debug("carrier: virtual connection ended", "mode", v.mode, "guid", v.shortGUID(), "err", why)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.table[v.guid] != v {
		return
	}
	delete(s.table, v.guid)
	*s.standing(v.mode)--
	if s.stopping {
		s.announce()
	}
}

// meet brings the halves of a virtual connection together: GET and POST, in
// whatever order. It returns when both have come; to the later one it reports that
// it has completed the virtual connection.
func (s *Server) meet(x *exchange, isGet bool, t target) (v *virtual, completed bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v = s.table[t.guid]; v != nil {
		if v.mode != t.mode || v.place == nil || v.half(isGet) != nil {
			return nil, false, errUnfit
		}
		v.put(x, isGet, t)
		s.stand(v)
		if v.mode == LongLived {
			v.body = newLongLivedServer(v)
		} else {
			v.body = newKept(v)
			v.get, v.post = nil, nil
		}
		close(v.met)
		return v, true, nil
	}
	v = &virtual{server: s, mode: t.mode, guid: t.guid, met: make(chan struct{})}
	v.put(x, isGet, t)
	if err := s.add(v); err != nil {
		return nil, false, err
	}
	s.mu.Unlock()
	<-v.met
	s.mu.Lock()
	if v.body == nil {
		return nil, false, errForsaken
	}
	return v, false, nil
}

func (v *virtual) put(x *exchange, isGet bool, t target) {
	if isGet {
		v.get, v.budget = x, t.budget
	} else {
		v.post = x
	}
}

func (v *virtual) half(isGet bool) *exchange {
	if isGet {
		return v.get
	}
	return v.post
}

// find returns the virtual connection of a GUID that stands, or nil.
func (s *Server) find(guid string, m Mode) *virtual {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.table[guid]; v != nil && v.mode == m && v.place == nil {
		return v
	}
	return nil
}
