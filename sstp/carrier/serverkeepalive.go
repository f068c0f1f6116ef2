package carrier

import (
	"errors"
	"net"
	"net/http"
	"time"
)

// returnTime is how long the client may take to come again after a GET has been
// given up by it, or by the path, before it is taken to be gone.
const returnTime = 15 * time.Second

var errGone = errors.New("carrier: the client is gone")

// kept is a KeepAlive virtual connection that stands.
type kept struct {
	piecemeal
	// held is the GET that waits for octets, posting the POST whose body is
	// being read. The newest of each wins; the one before finds that it has been
	// replaced. They are protected by mu.
	held, posting *exchange
}

func newKept(v *virtual) *kept {
	k := &kept{}
	k.init(v, k.interrupt)
	k.start()
	return k
}

// interrupt makes a GET be answered, or whatever is going on end.
func (k *kept) interrupt() {
	if k.held != nil && (len(k.out) > 0 || k.closed || k.err != nil) {
		k.held.interrupt()
	}
	if k.posting != nil && k.err != nil {
		k.posting.interrupt()
	}
}

// answerKeepAlive answers a request of KeepAlive.
func (s *Server) answerKeepAlive(x *exchange, h Head, t target) verdict {
	isGet := h.Method == http.MethodGet
	if v := s.find(t.guid, KeepAlive); v != nil {
		k := v.body.(*kept)
		if isGet {
			return k.get(x)
		}
		return k.post(x, h)
	}
	if !isGet {
		switch body, err := x.body(h); {
		case err != nil && !errors.Is(err, errLength):
			return hangUp
		case err != nil:
			return s.refuse(x, http.StatusBadRequest, err)
		case string(body) != echo:
			return s.refuse(x, http.StatusBadRequest, errUnfit)
		}
	}
	v, completed, err := s.meet(x, isGet, t)
	if err != nil {
		return s.refuseHalf(x, err)
	}
	k := v.body.(*kept)
	if completed {
		s.cfg.Adopt(k)
	}
	return k.respond(x, []byte(echo))
}

// get answers a GET once there are octets, and after holdTime with none.
func (k *kept) get(x *exchange) verdict {
	k.idle.touch()
	if !k.hold(x) {
		return hangUp
	}
	k.mu.Lock()
	if k.over() {
		k.mu.Unlock()
		k.end(net.ErrClosed)
		return hangUp
	}
	n := min(len(k.out), maxBody)
	response := make([]byte, 0, 256+n)
	response = appendResponse(response, k.virtual.server.cfg.Product, http.StatusOK, true, int64(n))
	response = k.takeLocked(response, n)
	k.mu.Unlock()
	return k.send(x, response, n > 0)
}

// hold waits until a GET is to be answered, and reports whether it is at all. It
// reads meanwhile, so that octets are not given to a connection that is gone.
func (k *kept) hold(x *exchange) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return false
	}
	if k.held != nil {
		k.held.interrupt()
	}
	k.held = x
	if k.late != nil && !k.closed {
		k.late.Stop()
		k.late = nil
	}
	if len(k.out) > 0 || k.closed {
		k.held = nil
		return true
	}
	x.allow(holdTime)
	k.mu.Unlock()
	// An octet is the next request of a client that does not wait, which is
	// answered at once.
	_, err := x.r.Peek(1)
	k.mu.Lock()
	if k.held != x || k.err != nil {
		return false
	}
	k.held = nil
	var netErr net.Error
	if err == nil || errors.As(err, &netErr) && netErr.Timeout() {
		return true
	}
	if !k.closed {
		k.late = time.AfterFunc(returnTime, func() { k.end(errGone) })
	}
	return false
}

// post takes the octets of a POST.
func (k *kept) post(x *exchange, h Head) verdict {
	k.idle.touch()
	if !k.begin(x) {
		return hangUp
	}
	body, err := x.body(h)
	switch {
	case !k.finishPost(x):
		return hangUp
	case errors.Is(err, errLength):
		return k.virtual.server.refuse(x, http.StatusBadRequest, err)
	case err != nil || k.deliver(body) != nil:
		return hangUp
	}
	return k.respond(x, nil)
}

// begin lets a POST be the one that is read.
func (k *kept) begin(x *exchange) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err != nil {
		return false
	}
	if k.posting != nil {
		k.posting.interrupt()
	}
	k.posting = x
	return true
}

// finishPost reports whether a POST is still the one that is read.
func (k *kept) finishPost(x *exchange) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.posting != x {
		return false
	}
	k.posting = nil
	return true
}

// respond answers a request with a body that can be lost.
func (k *kept) respond(x *exchange, body []byte) verdict {
	response := appendResponse(nil, k.virtual.server.cfg.Product, http.StatusOK, true, int64(len(body)))
	return k.send(x, append(response, body...), false)
}

// send writes a response. If that fails, and octets of the stream are lost with
// it, the virtual connection ends.
func (k *kept) send(x *exchange, response []byte, precious bool) verdict {
	err := x.write(response)
	k.idle.touch()
	if err != nil {
		if precious {
			k.end(err)
		}
		return hangUp
	}
	return goOn
}
