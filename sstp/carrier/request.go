package carrier

import "strconv"

// request is one request of a client.
type request struct {
	method string
	mode   Mode
	uri    string // as it is sent, absolute to a proxy
	length int64  // of the body, to be announced; -1 if there is none
	body   []byte
}

// incomplete reports whether more of the body is to follow.
func (r *request) incomplete() bool { return r.length > int64(len(r.body)) }

// appendTo appends the head and the body, the header lines in the order of
// [MS-GRVHENC] 2.2.2.1, 2.2.3.1, 2.2.4.1 and of the example 4.2. Each directive of
// Cache-Control has a line of its own (note <3>).
func (r *request) appendTo(b []byte, c *client, authorization string) []byte {
	line := func(name, value string) {
		b = append(b, name...)
		b = append(b, ": "...)
		b = append(b, value...)
		b = append(b, "\r\n"...)
	}
	b = append(b, r.method...)
	b = append(b, ' ')
	b = append(b, r.uri...)
	b = append(b, " HTTP/1.0\r\n"...)
	line("Accept", acceptValue)
	line("Content-Type", contentTypeValue)
	line("User-Agent", c.userAgent)
	post := r.mode == KeepAlive && r.length >= 0
	if post {
		line("UserAgent", c.name) // so in the example, for whatever it means
		line("Connection", keepAliveValue)
	}
	if r.length >= 0 {
		line("Content-Length", strconv.FormatInt(r.length, 10))
	}
	line("Pragma", pragmaValue)
	if post {
		line("Cache-Control", "no-cache")
		line("Expires", expiresValue)
		line("Cache-Control", "max-age=0")
	} else {
		line("Expires", expiresValue)
		line("Host", c.cfg.Host)
		if r.mode == KeepAlive {
			line("Connection", keepAliveValue)
		}
		line("Cache-Control", "no-cache")
		line("Cache-Control", "max-age=0")
	}
	if c.cfg.Proxy != nil {
		line("Proxy-Connection", keepAliveValue) // 2.2.1.2.9
	}
	if authorization != "" {
		line("Proxy-Authorization", authorization)
	}
	b = append(b, "\r\n"...)
	return append(b, r.body...)
}
