package web

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

const (
	// livePeriod is how often a live part looks for something new.
	livePeriod = 2 * time.Second
	// liveLength ends a stream; the browser opens another one, if its session still holds.
	liveLength = 2 * time.Minute
	// liveWrite is how long a browser may take to read an event.
	liveWrite = 10 * time.Second
)

// live sends a part of a page, a template that its file defines, whenever it changes, as server-sent events. On the page
// it is in an element with data-live and the path of this stream.
func (v *visit) live(template, part string, data func() (any, error)) error {
	v.w.Header().Set("Content-Type", "text/event-stream")
	stream := http.NewResponseController(v.w)
	tick := time.NewTicker(livePeriod)
	defer tick.Stop()
	end := time.NewTimer(liveLength)
	defer end.Stop()
	var before []byte
	for {
		shown, err := data()
		if err != nil {
			return err
		}
		v.data = shown
		var now bytes.Buffer
		if err := v.site.templates[template].ExecuteTemplate(&now, part, v); err != nil {
			return err
		}
		if !bytes.Equal(before, now.Bytes()) {
			before = now.Bytes()
			if err := stream.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
				return err
			}
			lines := bytes.ReplaceAll(before, []byte("\n"), []byte("\ndata: "))
			if _, err := fmt.Fprintf(v.w, "event: part\ndata: %s\n\n", lines); err != nil {
				return nil // the browser has gone
			}
			if err := stream.Flush(); err != nil {
				return nil
			}
			// HTTP/2 ends a stream whose time is over even if nothing is being written.
			if err := stream.SetWriteDeadline(time.Time{}); err != nil {
				return err
			}
		}
		select {
		case <-tick.C:
		case <-end.C:
			return nil
		case <-v.ctx().Done():
			return nil
		case <-v.site.Stopping.Done():
			return nil
		}
	}
}
