package port

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"furrow/sstp/carrier"
)

// FuzzRefusal has a request of any kind not decide what is answered beyond the URL of
// the same host.
func FuzzRefusal(f *testing.F) {
	for _, seed := range []string{
		get, "GET / HTTP/1.0\r\n\r\n", "GET //evil.example/ HTTP/1.1\r\nHost: box\r\n\r\n",
		"GET /\t HTTP/1.1\r\nHost: a@b\r\n\r\n", "HEAD /%0d%0a HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
	} {
		f.Add(seed)
	}
	p := &Port{config: Config{TLS: true}}
	f.Fuzz(func(t *testing.T, request string) {
		head, err := carrier.ReadHead(bufio.NewReader(strings.NewReader(request)))
		if err != nil {
			return
		}
		answer, err := http.ReadResponse(bufio.NewReader(strings.NewReader(p.refusal(head))), &http.Request{Method: head.Method})
		if err != nil {
			t.Fatalf("%q: %v", request, err)
		}
		if answer.Header.Get("Location") == "" {
			if answer.StatusCode != http.StatusBadRequest {
				t.Errorf("%q: %s", request, answer.Status)
			}
			return
		}
		to, err := answer.Location()
		if err != nil || to.Scheme != "https" || to.Host != head.Get("Host") || to.User != nil || len(answer.Header) != 4 {
			t.Errorf("%q: to %v with %v, %v", request, to, answer.Header, err)
		}
	})
}
