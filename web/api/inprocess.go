package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"furrow/web/access"
)

// NewClientOf returns a client that calls an interface of NewHandler in this process, as an actor.
func NewClientOf(handler http.Handler, actor access.Actor) *Client {
	return &Client{http: http.Client{Transport: inProcess{handler, actor}}}
}

// inProcess is the transport of such a client. An answer is handed over as it is written, so that one that does not fit
// into memory need not.
type inProcess struct {
	handler http.Handler
	actor   access.Actor
}

// RoundTrip has the handler answer r. The handler's goroutine ends when the answer is read or its body closed.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(access.WithActor(r.Context(), p.actor))
	asked := r.Clone(ctx)
	asked.RequestURI = r.URL.RequestURI()
	asked.RemoteAddr = p.actor.Address
	read, write := io.Pipe()
	w := &answerWriter{header: http.Header{}, body: write, begun: make(chan struct{})}
	go func() {
		defer cancel()
		ended := func() (err error) {
			defer func() {
				if reason := recover(); reason != nil {
					err = fmt.Errorf("the request was given up: %v", reason)
				}
			}()
			p.handler.ServeHTTP(w, asked)
			w.WriteHeader(http.StatusOK)
			return nil
		}()
		w.end(ended)
	}()
	<-w.begun
	if w.failed != nil {
		return nil, w.failed
	}
	return &http.Response{
		Status: http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: answerBody{read, cancel}, ContentLength: -1, Request: r,
	}, nil
}

// answerBody is an answer as it comes; closing it also tells the handler that nobody reads on.
type answerBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b answerBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}

// answerWriter is the handler's side. Status, sent and failed are set before begun is closed.
type answerWriter struct {
	header http.Header
	body   *io.PipeWriter
	begin  sync.Once
	begun  chan struct{}
	status int
	sent   http.Header
	failed error
}

func (w *answerWriter) Header() http.Header { return w.header }

func (w *answerWriter) WriteHeader(status int) {
	w.begin.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.begun)
	})
}

func (w *answerWriter) Write(data []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(data)
}

// end ends the answer, with an error if it is not whole.
func (w *answerWriter) end(err error) {
	w.begin.Do(func() {
		w.failed = errors.Join(errors.New("nothing was answered"), err)
		close(w.begun)
	})
	w.body.CloseWithError(err) // never fails; nil is the end of the answer
}
