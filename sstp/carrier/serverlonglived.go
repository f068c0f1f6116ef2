package carrier

import (
	"errors"
	"net/http"
)

// answerLongLived takes one half of a LongLived virtual connection.
func (s *Server) answerLongLived(x *exchange, isGet bool, t target) verdict {
	if isGet && t.budget <= int64(len(echo)) {
		return s.drop(x, errTarget)
	}
	if !isGet {
		// The Content-Length says nothing (3.2.5).
		if err := readEcho(x.r); err != nil {
			return s.drop(x, err)
		}
	}
	v, completed, err := s.meet(x, isGet, t)
	if err != nil {
		return s.refuseHalf(x, err)
	}
	if completed {
		s.startLongLived(v)
	}
	return handedOn
}

// refuseHalf answers a half that does not come to be part of anything.
func (s *Server) refuseHalf(x *exchange, why error) verdict {
	switch {
	case errors.Is(why, errForsaken):
		return s.refuse(x, http.StatusRequestTimeout, why)
	case errors.Is(why, errUnfit):
		return s.refuse(x, http.StatusBadRequest, why)
	default:
		return s.refuse(x, http.StatusInternalServerError, why)
	}
}

func newLongLivedServer(v *virtual) *longLived {
	return newLongLived(v.post, v.get, v.budget, func(why error) { v.server.remove(v, why) })
}

// startLongLived answers the GET, now that both halves are there (2.2.2.3).
func (s *Server) startLongLived(v *virtual) {
	d := v.body.(*longLived)
	head := appendResponse(nil, s.cfg.Product, http.StatusOK, true, v.budget)
	if err := v.get.write(append(head, echo...)); err != nil {
		d.end(err)
		return
	}
	v.get.allowAll()
	v.post.allowAll()
	v.get, v.post = nil, nil // and with them the memory of their readers
	s.cfg.Adopt(d)
}
