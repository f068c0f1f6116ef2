package proxy

import (
	"fmt"
	"net/url"
	"sync"

	"golang.org/x/net/http/httpproxy"
)

// Settings say which proxy leads where. A nil *Settings has none lead anywhere.
type Settings struct {
	choose func(*url.URL) (*url.URL, error)

	mu    sync.Mutex
	known map[string]*Proxy // by URL
}

// Environment takes HTTPS_PROXY, HTTP_PROXY and NO_PROXY, in either case, as they
// are now.
func Environment() *Settings {
	return newSettings(httpproxy.FromEnvironment().ProxyFunc())
}

func newSettings(choose func(*url.URL) (*url.URL, error)) *Settings {
	return &Settings{choose: choose, known: make(map[string]*Proxy)}
}

// Fixed has one proxy lead everywhere: http://user:password@proxy.example:3128, of
// which only the host is required.
func Fixed(raw string) (*Settings, error) {
	p, err := parse(raw)
	if err != nil {
		return nil, err
	}
	return &Settings{known: map[string]*Proxy{"": p}}, nil
}

// For returns the proxy for an URL with scheme https for tunnels, http for forward
// requests, and a host with or without port. It is nil if there is none in the way.
func (s *Settings) For(scheme, host string) (*Proxy, error) {
	if s == nil {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.choose == nil {
		return s.known[""], nil
	}
	u, err := s.choose(&url.URL{Scheme: scheme, Host: host})
	if err != nil {
		return nil, fmt.Errorf("the environment's proxy: %w", err)
	}
	if u == nil {
		return nil, nil
	}
	p := s.known[u.String()]
	if p == nil {
		if p, err = newProxy(u); err != nil {
			return nil, err
		}
		s.known[u.String()] = p
	}
	return p, nil
}
