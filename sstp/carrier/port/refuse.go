package port

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"furrow/sstp/carrier"
)

// refuse answers a request on a port without HTTP, and closes the connection. A
// person who has typed http and the port of https is sent to https.
func (p *Port) refuse(c *conn, h carrier.Head) {
	err := c.SetDeadline(time.Now().Add(headTimeout))
	if err == nil {
		_, err = io.WriteString(c, p.refusal(h))
	}
	if err == nil {
		err = fmt.Errorf("%s request: %w", h.Method, errNotOffered)
	}
	p.drop(c, err)
}

// refusal is what refuse says.
func (p *Port) refusal(h carrier.Head) string {
	text := "This port does not speak plain HTTP.\n"
	status, location := "400 Bad Request", ""
	if p.config.TLS {
		text = "This port speaks HTTPS: ask it again with https:// in front.\n"
		if target := secureURL(h); target != "" {
			status, location = "302 Found", "Location: "+target+"\r\n"
		}
	}
	if h.Method == "HEAD" {
		text = ""
	}
	return fmt.Sprintf("HTTP/1.0 %s\r\n%sContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		status, location, len(text), text)
}

// secureURL is what was asked for, with https; empty if that cannot be said, or if
// the request would have changed something: it has gone in the clear already, and
// is not for a redirect to repeat.
func secureURL(h carrier.Head) string {
	if h.Method != "GET" && h.Method != "HEAD" || !strings.HasPrefix(h.Target, "/") {
		return ""
	}
	u, err := url.Parse("https://" + h.Get("Host") + h.Target)
	if err != nil || u.Host == "" || u.Host != h.Get("Host") {
		return ""
	}
	return u.String()
}
