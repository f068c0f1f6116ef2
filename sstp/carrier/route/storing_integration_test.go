//go:build integration

package route

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// storing is a forward proxy that passes nothing on before it has all of it, as some
// do that look for viruses. It makes no tunnels.
func storing(t *testing.T) (address string) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(outgoing)}}
	transport := &http.Transport{DialContext: dialer.DialContext}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method == http.MethodConnect {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		onward := r.Clone(r.Context())
		onward.RequestURI, onward.Body = "", io.NopCloser(bytes.NewReader(body))
		answer, err := transport.RoundTrip(onward)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer answer.Body.Close()
		all, err := io.ReadAll(answer.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.WriteHeader(answer.StatusCode)
		_, _ = w.Write(all)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		<-served
		transport.CloseIdleConnections()
	})
	return l.Addr().String()
}

// TestIntegrationStoringProxy has LongLived not get through, and KeepAlive take over.
func TestIntegrationStoringProxy(t *testing.T) {
	address := storing(t)
	r := router(t, Auto, relayBehind(t), address)
	c := connect(t, r)
	if used := r.Used(relayHere); !strings.HasPrefix(used, "KeepAlive through") {
		t.Errorf("used %q", used)
	}
	transfer(t, c)
}
