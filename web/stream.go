package web

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
)

// downloadSilence is how long a browser may take nothing of a download.
const downloadSilence = time.Minute

// attached says that what follows is a file that the browser keeps and does not show.
func (v *visit) attached(name, mediaType string) {
	header := v.w.Header()
	header.Set("Content-Type", mediaType)
	header.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	header.Set("Content-Security-Policy", "default-src 'none'; sandbox")
}

// stream sends a file as it is written. If nothing of it could be made, it returns the error and nothing has been sent;
// a file that breaks off has no end of HTTP either, so that nobody takes it for whole.
func (v *visit) stream(name, mediaType string, write func(io.Writer) error) error {
	out := &streamed{begin: func() { v.attached(name, mediaType) }, to: v.w, control: http.NewResponseController(v.w)}
	err := write(out)
	if err != nil && out.begun {
		v.site.Log.Error("a download broke off", "path", v.r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// streamed is the body of a download.
type streamed struct {
	begin   func()
	to      io.Writer
	control *http.ResponseController
	begun   bool
}

func (s *streamed) Write(p []byte) (int, error) {
	if !s.begun {
		s.begun = true
		s.begin()
	}
	err := s.control.SetWriteDeadline(time.Now().Add(downloadSilence))
	if err != nil && !errors.Is(err, http.ErrNotSupported) { // a test's recorder has no connection
		return 0, err
	}
	return s.to.Write(p)
}
