package carrier

import (
	"net/http"
	"strconv"
	"time"
)

// statusText are the codes that a relay may answer with, and their phrases as
// printed ([MS-GRVHENC] 2.2.1.4), as far as they are used.
func statusText(code int) string {
	switch code {
	case http.StatusOK:
		return "OK"
	case http.StatusRequestTimeout:
		return "Request Time-out"
	case http.StatusInternalServerError:
		return "Internal Server Error"
	default:
		return "Bad Request"
	}
}

// appendResponse appends the head of a response ([MS-GRVHENC] 2.2.2.3, 2.2.3.3).
// A connection that is not kept is closed after it.
func appendResponse(b []byte, product string, code int, keep bool, length int64) []byte {
	b = append(b, statusLine...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, ' ')
	b = append(b, statusText(code)...)
	b = append(b, "\r\nDate: "...)
	b = time.Now().UTC().AppendFormat(b, http.TimeFormat)
	b = append(b, "\r\nServer: "...)
	b = append(b, product...)
	if keep {
		b = append(b, "\r\nConnection: "+keepAliveValue...)
	} else {
		b = append(b, "\r\nConnection: close"...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, length, 10)
	return append(b, "\r\n\r\n"...)
}
