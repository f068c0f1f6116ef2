package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
)

// exchange is what is known of one request, for the log.
type exchange struct {
	started time.Time
	method  string // one that is served, or ""
	manager string // GUID of the manager it claims to be from, if that is known
}

var errPanic = errors.New("panic")

// answer returns the envelope that answers a request, or an error that holds a
// fault.
func (s *Server) answer(ctx context.Context, x *exchange, body []byte) (response []byte, err error) {
	select {
	case s.working <- struct{}{}:
		defer func() { <-s.working }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "request panicked", "method", x.method,
				"panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			response, err = nil, errPanic
		}
	}()
	request, err := decodeEnvelope(body)
	if err != nil {
		return nil, err
	}
	x.method = request.Service
	// What has been read is carried out to its end, even if the manager has gone:
	// it will ask again and be told what happened.
	ctx = context.WithoutCancel(ctx)
	var secured []byte
	if request.Service == spmr.MethodRegistration {
		secured, err = s.register(ctx, x, request.Payload)
	} else {
		secured, err = s.apply(ctx, x, request.Service, request.Payload)
	}
	if err != nil {
		return nil, err
	}
	return (&soap.Response{Service: request.Service, Payload: secured}).Encode(soap.RelayResponse), nil
}

// decodeEnvelope reads the envelope (MS-GRVSPMR 3.2.4.1.3.1, 3.2.4.2.1).
func decodeEnvelope(body []byte) (*soap.Request, error) {
	unknown := false
	request, err := soap.DecodeRequest(body, func(method string) (soap.RequestRule, bool) {
		rule, ok := spmr.RequestRule(method)
		unknown = !ok
		return rule, ok
	})
	switch {
	case err == nil:
		return request, nil
	case unknown:
		return nil, spmr.NewFault(spmr.CodeMethod, err)
	case lacksPayload(body):
		return nil, spmr.NewFault(spmr.CodePayloadMissing, err)
	}
	return nil, spmr.NewFault(spmr.CodeInvalidInput, err)
}

// lacksPayload reports whether a request that was refused is an envelope whose
// service element has no Payload, or an empty one.
func lacksPayload(body []byte) bool {
	envelope, err := soap.Parse(body, spmr.MaxRequestSize)
	if err != nil {
		return false
	}
	service := envelope.FindElement("./Body/*")
	if envelope.Tag != "Envelope" || service == nil {
		return false
	}
	payload := service.SelectElement("Payload")
	return payload == nil || payload.SelectAttrValue("data", "") == "" && payload.Text() == ""
}

// record logs a request: one line for everyone, and why it was refused for who
// asks for debug messages, or at once if the fault is ours.
func (s *Server) record(ctx context.Context, x *exchange, err error) {
	var code soap.Code
	if err != nil {
		code = spmr.FaultFrom(err).Code
	}
	attrs := []slog.Attr{
		slog.String("method", x.method),
		slog.Int("fault", int(code)),
		slog.String("manager", x.manager),
	}
	level := slog.LevelDebug
	if code == spmr.CodeException {
		level = slog.LevelError
	}
	if err != nil {
		s.log.LogAttrs(ctx, level, "relay management refused", append(attrs, slog.Any("error", err))...)
	}
	s.log.LogAttrs(ctx, slog.LevelInfo, "relay management", append(attrs, slog.Duration("duration", s.now().Sub(x.started)))...)
}
