package sstp

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func sessionEndedWith(reason Reason, remote bool) func(error) bool {
	return func(err error) bool {
		var e *SessionError
		return errors.As(err, &e) && e.Reason == reason && e.Remote == remote
	}
}

// TestAttachment follows an attach session on the client's end.
func TestAttachment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		attach := func(id uint32) *Attachment {
			t.Helper()
			go func() {
				p.expect(&Attach{EventID: id, ResourceURL: relayURL, AccountURL: "grooveAccount://a", AuthenticationToken: []byte("t")})
				p.send(&AttachResponse{EventID: id, AuthenticationToken: []byte("r")})
				p.sendOctets(bytes.Repeat(encode(t, p.v, &Noop{}), idleSize/7)) // over the memory of the answer
			}()
			a, err := l.conn.Attach(t.Context(), relayURL, "grooveAccount://a", []byte("t"))
			synctest.Wait()
			if err != nil || a.Response != ResponseOk || string(a.Token) != "r" {
				t.Fatal(a, err)
			}
			return a
		}
		a := attach(1)
		if err := a.Authenticate([]byte("u")); err != nil {
			t.Fatal(err)
		}
		p.expect(&AttachAuthenticate{EventID: 1, AuthenticationToken: []byte("u")})
		synctest.Wait()
		if err := a.Err(); err != nil {
			t.Fatal(err)
		}
		p.send(&Close{SessionID: 1, Reason: ReasonStaleAttachAuthenticate})
		<-a.Done()
		if err := a.Err(); !sessionEndedWith(ReasonStaleAttachAuthenticate, true)(err) {
			t.Error(err)
		}
		if err := a.Authenticate(nil); err != a.Err() {
			t.Error(err)
		}

		a = attach(2)
		a.Close(ReasonIdle)
		a.Close(ReasonIdle)
		p.expect(&Close{SessionID: 2, Reason: ReasonIdle})
		if err := a.Err(); !sessionEndedWith(ReasonIdle, false)(err) {
			t.Error(err)
		}
		p.send(&AttachResponse{EventID: 2}) // crosses with Close

		a = attach(3)
		end(t, p, l)
		<-a.Done()
		if err := a.Err(); err != l.conn.Err() {
			t.Error(err)
		}
		if _, err := l.conn.Attach(t.Context(), "", "", nil); err != l.conn.Err() {
			t.Error(err)
		}
	})
}

func TestRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		go func() {
			p.expect(&Register{EventID: 1, ResourceURL: relayURL, AccountURL: "grooveAccount://a", AuthenticationToken: []byte("t")})
			p.send(&RegisterResponse{EventID: 1, Response: ResponseConnectRejected, AuthenticationToken: []byte("r")})
		}()
		r, err := l.conn.Register(t.Context(), relayURL, "grooveAccount://a", []byte("t"))
		if err != nil || r.Response != ResponseConnectRejected || string(r.AuthenticationToken) != "r" {
			t.Error(r, err)
		}
		end(t, p, l)
	})
}

// TestEventWithoutAnswer covers how Attach and Register fail.
func TestEventWithoutAnswer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer Command
		want   func(error) bool
	}{
		{"closed", &Close{SessionID: 1, Reason: ReasonProtocolError}, sessionEndedWith(ReasonProtocolError, true)},
		{"connection closed", &ConnectClose{Reason: ReasonInternalError}, endedWith(ReasonInternalError, true)},
		{"wrong answer", &AttachResponse{EventID: 1}, endedWith(ReasonProtocolError, false)},
		{"never", nil, func(err error) bool { return err == context.DeadlineExceeded }},
	} {
		bubble(t, tt.name, func(t *testing.T) {
			p, l := dialled(t, clientConfig())
			go func() {
				p.expect(&Register{EventID: 1})
				if tt.answer != nil {
					p.send(tt.answer)
					return
				}
				p.expect(&Close{SessionID: 1})
				p.send(&RegisterResponse{EventID: 1}) // too late, and ignored
			}()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if r, err := l.conn.Register(ctx, "", "", nil); r != nil || !tt.want(err) {
				t.Errorf("%v, %v", r, err)
			}
			synctest.Wait()
			end(t, p, l)
		})
	}
}

func TestAnswerToAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, l := dialled(t, clientConfig())
		go func() {
			p.expect(&Attach{EventID: 1})
			p.send(&AttachResponse{EventID: 1}, &AttachResponse{EventID: 1})
			p.expectEnd(ReasonProtocolError)
		}()
		if _, err := l.conn.Attach(t.Context(), "", "", nil); err != nil {
			t.Error(err)
		}
		<-l.conn.Done()
	})
}
