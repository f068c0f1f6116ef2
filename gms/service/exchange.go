package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"furrow/gms/soap"
)

// exchange is what is known of one request, for the log and the counters. The
// GUIDs are what the request claims: they are proven once it was opened.
type exchange struct {
	started  time.Time
	service  string // one that is offered, or ""
	domain   string // GUID
	account  string // GUID
	repeated bool   // answered from the replay window
	// remoteUser is who sends it, as HTTP authentication says.
	remoteUser func() (login string, err error)
}

// errPanic is wrapped by the errors that answer makes of panics.
var errPanic = errors.New("panic")

// answer returns the envelope that answers a request, or an error that holds a
// fault.
func (s *Server) answer(ctx context.Context, x *exchange, body []byte) (response []byte, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.counts.panicked()
			s.log.ErrorContext(ctx, "request panicked", "service", x.service,
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			response, err = nil, errPanic
		}
	}()
	request, err := soap.DecodeRequest(body, s.rule)
	if err != nil {
		return nil, err
	}
	svc := s.services[request.Service]
	x.service = svc.Name
	act, err := svc.begin(s, svc.Service, x, request.Payload)
	if err != nil {
		return nil, err
	}
	if !svc.changes {
		return act(ctx)
	}
	response, x.repeated, err = s.replays.Answer(ctx, body, func() ([]byte, error) {
		// Others may wait for this answer, so it does not end with the
		// connection of the first who asked.
		return act(context.WithoutCancel(ctx))
	})
	return response, err
}

// record counts a request and logs it: one line for everyone, and why it was
// refused for who asks for debug messages, or at once if the fault is ours.
func (s *Server) record(ctx context.Context, x *exchange, err error) {
	var code soap.Code
	if err != nil {
		code = soap.FaultFrom(err).Code
	}
	s.counts.add(x.service, code)
	attrs := []slog.Attr{
		slog.String("service", x.service),
		slog.Int("fault", int(code)),
		slog.String("domain", x.domain),
		slog.String("account", x.account),
	}
	level := slog.LevelDebug
	if code == soap.CodeProcessing {
		level = slog.LevelError
	}
	if err != nil {
		s.log.LogAttrs(ctx, level, "request refused", append(attrs, slog.Any("error", err))...)
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "request", append(attrs,
		slog.Bool("repeated", x.repeated), slog.Duration("duration", s.now().Sub(x.started)))...)
}
