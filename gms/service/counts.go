package service

import (
	"cmp"
	"slices"
	"sync"

	"furrow/gms/soap"
)

// Count says how many requests to a service were answered with a fault code.
type Count struct {
	Service  string    // "" for requests that name none that is offered
	Fault    soap.Code // 0 for success
	Requests uint64
}

// counts has the counters of a server. Services and fault codes are few and
// ours, so that peers cannot make it grow.
type counts struct {
	mu       sync.Mutex
	requests map[countKey]uint64
	panics   uint64
}

type countKey struct {
	service string
	fault   soap.Code
}

func (c *counts) add(service string, fault soap.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.requests == nil {
		c.requests = map[countKey]uint64{}
	}
	c.requests[countKey{service, fault}]++
}

func (c *counts) panicked() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.panics++
}

// Counts returns the requests answered since the server was made, in order of
// service and fault code.
func (s *Server) Counts() []Count {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	all := make([]Count, 0, len(s.counts.requests))
	for key, n := range s.counts.requests {
		all = append(all, Count{key.service, key.fault, n})
	}
	slices.SortFunc(all, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Fault, b.Fault))
	})
	return all
}

// Panics returns how many requests have ended in a panic, each of which is a
// defect of ours and has left its stack in the log.
func (s *Server) Panics() uint64 {
	s.counts.mu.Lock()
	defer s.counts.mu.Unlock()
	return s.counts.panics
}
