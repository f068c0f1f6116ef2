package carrier

import (
	"bufio"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// goldenClient is a client with a GUID that is known.
func goldenClient(t *testing.T, m Mode, proxy Authorizer) *client {
	t.Helper()
	c, err := newClient(ClientConfig{Mode: m, Host: "relay.example", Proxy: proxy, UserAgent: "Test/1"})
	if err != nil {
		t.Fatal(err)
	}
	c.guid = testGUID
	c.cancel()
	return c
}

// The header lines of each request, in the order of [MS-GRVHENC] 2.2.2.1, 2.2.3.1,
// 2.2.4.1 and of the example 4.2.
func TestGoldenRequests(t *testing.T) {
	const (
		common = "Accept: */*\r\nContent-Type: application/octet-stream\r\nUser-Agent: Test/1\r\n"
		cache  = "Cache-Control: no-cache\r\nCache-Control: max-age=0\r\n"
		ll     = "/2.0/relay.example/" + testGUID + ",ConnType=LongLived,ContentLength=2147479552 HTTP/1.0\r\n"
		ka     = "/2.0/relay.example/" + testGUID + ",ConnType=KeepAlive HTTP/1.0\r\n"
		host   = "Pragma: no-cache\r\nExpires: 0\r\nHost: relay.example\r\n"
	)
	post := func(m Mode, body string) func(*client) *request {
		return func(c *client) *request {
			r := c.post([]byte(body))
			if m == LongLived {
				r.length = fullBudget
			}
			return r
		}
	}
	for _, tt := range []struct {
		name    string
		mode    Mode
		request func(*client) *request
		want    string // with a mark where a proxy is told more
	}{
		{"GET of LongLived", LongLived, (*client).get, "GET " + ll + common + host + cache + "|\r\n"},
		{"POST of LongLived", LongLived, post(LongLived, ""), "POST " + ll + common + "Content-Length: 2147479552\r\n" + host + cache + "|\r\n"},
		{"GET of KeepAlive", KeepAlive, (*client).get, "GET " + ka + common + host + "Connection: Keep-Alive\r\n" + cache + "|\r\n"},
		{
			"POST of KeepAlive", KeepAlive, post(KeepAlive, echo), "POST " + ka + common +
				"UserAgent: relay.example\r\nConnection: Keep-Alive\r\nContent-Length: 22\r\nPragma: no-cache\r\nCache-Control: no-cache\r\nExpires: 0\r\nCache-Control: max-age=0\r\n|\r\nGroovePing: 1.0,Ping\r\n",
		},
		{
			"POST of Polling", Polling, post(Polling, "body"),
			"POST / HTTP/1.0\r\n" + common + "Content-Length: 4\r\n" + host + cache + "|\r\nbody",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := goldenClient(t, tt.mode, nil)
			want := strings.Replace(tt.want, "|", "", 1)
			got := string(tt.request(c).appendTo(nil, c, ""))
			if got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			h, err := ReadHead(bufio.NewReader(strings.NewReader(got)))
			if err != nil || !NewServer(ServerConfig{}).Claims(h) {
				t.Errorf("a Server does not take it: %v", err)
			}

			c = goldenClient(t, tt.mode, &credentials{})
			want = strings.Replace(tt.want, "|", "Proxy-Connection: Keep-Alive\r\nProxy-Authorization: Basic secret\r\n", 1)
			if tt.mode == Polling {
				want = strings.Replace(want, " / ", " http://relay.example ", 1)
			} else {
				want = strings.Replace(want, " /", " http://relay.example/", 1)
			}
			if got := string(tt.request(c).appendTo(nil, c, "Basic secret")); got != want {
				t.Errorf("to a proxy: got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// The header lines of responses, in the order of [MS-GRVHENC] 2.2.2.3 and 2.2.3.3.
func TestGoldenResponses(t *testing.T) {
	const date = "\r\nDate: Sat, 01 Jan 2000 00:00:00 GMT\r\nServer: Furrow/1\r\n"
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			code   int
			keep   bool
			length int64
			want   string
		}{
			{http.StatusOK, true, fullBudget, "HTTP/1.0 200 OK" + date + "Connection: Keep-Alive\r\nContent-Length: 2147479552\r\n\r\n"},
			{http.StatusBadRequest, false, 0, "HTTP/1.0 400 Bad Request" + date + "Connection: close\r\nContent-Length: 0\r\n\r\n"},
			{http.StatusRequestTimeout, false, 0, "HTTP/1.0 408 Request Time-out" + date + "Connection: close\r\nContent-Length: 0\r\n\r\n"},
			{http.StatusInternalServerError, false, 0, "HTTP/1.0 500 Internal Server Error" + date + "Connection: close\r\nContent-Length: 0\r\n\r\n"},
		} {
			if got := string(appendResponse(nil, defaultProduct, tt.code, tt.keep, tt.length)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		}
	})
}
