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

// download sends a file that the browser keeps and does not show.
func (v *visit) download(name, mediaType string, content []byte) error {
	v.attached(name, mediaType)
	_, _ = v.w.Write(content) // fails if the browser has gone
	return nil
}

// downloadStream sends a file as it is written. If nothing of it could be made, it returns the error and nothing has been
// sent; a file that breaks off has no end of HTTP either, so that nobody takes it for whole.
func (v *visit) downloadStream(name, mediaType string, write func(io.Writer) error) error {
	out := &downloadBody{begin: func() { v.attached(name, mediaType) }, to: v.w, control: http.NewResponseController(v.w)}
	err := write(out)
	if err != nil && out.begun {
		v.site.Log.Error("a download broke off", "path", v.r.URL.Path, "error", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// downloadBody is the body of a download, whose head is sent with the first of it.
type downloadBody struct {
	begin   func()
	to      io.Writer
	control *http.ResponseController
	begun   bool
}

func (d *downloadBody) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.begin()
	}
	err := d.control.SetWriteDeadline(time.Now().Add(downloadSilence))
	if err != nil && !errors.Is(err, http.ErrNotSupported) { // a test's recorder has no connection
		return 0, err
	}
	return d.to.Write(p)
}
