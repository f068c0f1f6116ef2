package carrier

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"furrow/sstp"
)

const (
	relayURL  = "grooveDNS://relay.example"
	deviceURL = "dpp:///device"
	sequences = 4
)

// layer is the layer above one end of an SSTP connection, and its sessions. It
// keeps what arrives.
type layer struct {
	arrived chan []byte
	ready   chan bool
}

func newLayer() *layer {
	return &layer{make(chan []byte, sequences), make(chan bool, 1)}
}

func (l *layer) Open(s *sstp.InboundSession, _ *sstp.Open) (sstp.Receiver, sstp.OpenResponseID) {
	return l, sstp.OpenOk
}

func (l *layer) FanoutOpen(*sstp.InboundSession, *sstp.FanoutOpen) (sstp.Receiver, sstp.OpenResponseID) {
	return l, sstp.OpenOk
}

func (l *layer) Message(m *sstp.Incoming) {
	go func() {
		data, err := io.ReadAll(m)
		if err == nil {
			m.Complete()
		}
		l.arrived <- data
	}()
}

func (l *layer) Ready(ready bool)           { l.ready <- ready }
func (l *layer) Status(*sstp.SessionStatus) {}
func (l *layer) Established()               {}
func (l *layer) Attached(uint32, string)    {}
func (l *layer) Detached(uint32, string)    {}
func (l *layer) Closed(error)               {}

// sendSequences sends message sequences of 256 KB and compares what arrives.
func sendSequences(t *testing.T, conn *sstp.Conn, from, to *layer) error {
	s, err := conn.Open(t.Context(), sstp.Open{ResourceURL: "grooveDynamics://Dynamics/", IdentityURL: "grooveIdentity://alice@"}, from)
	if err != nil {
		return err
	}
	if !<-from.ready {
		return errors.New("the session is not ready")
	}
	for i := range sequences {
		data := random(uint64(i), 256<<10)
		acknowledged := make(chan error, 1)
		o, err := s.Send(t.Context(), sstp.Message{Flags: sstp.FlagAcknowledgeImmediately}, func(err error) { acknowledged <- err })
		if err == nil {
			_, err = o.Write(data)
		}
		if err == nil {
			err = o.Close()
		}
		if err == nil {
			err = <-acknowledged
		}
		if err != nil {
			return fmt.Errorf("sequence %d: %w", i, err)
		}
		if got := <-to.arrived; !bytes.Equal(got, data) {
			return fmt.Errorf("sequence %d: what arrived is not what was sent", i)
		}
	}
	return nil
}

func TestSSTP(t *testing.T) {
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			relay, accepted := newLayer(), make(chan *sstp.Conn, 1)
			b := newBox(t, ServerConfig{Adopt: func(stream io.ReadWriteCloser) {
				accepted <- sstp.Accept(stream, sstp.Config{LocalDeviceURLs: []string{relayURL}}, func(*sstp.Conn, *sstp.Connect) sstp.Admission {
					return sstp.Admission{Handler: relay}
				})
			}}).listen()
			stream, err := Dial(t.Context(), b.config(m))
			if err != nil {
				t.Fatal(err)
			}
			client := newLayer()
			cfg := sstp.Config{LocalDeviceURLs: []string{deviceURL}, Timers: sstp.Timers{OutboundIdle: NoopInterval}}
			dialled, _, err := sstp.Dial(t.Context(), stream, cfg, relayURL, nil, client)
			if err != nil {
				t.Fatal(err)
			}
			conn := <-accepted
			var both sync.WaitGroup
			both.Go(func() {
				if err := sendSequences(t, dialled, client, relay); err != nil {
					t.Error("to the relay: ", err)
				}
			})
			both.Go(func() {
				if err := sendSequences(t, conn, relay, client); err != nil {
					t.Error("to the client: ", err)
				}
			})
			both.Wait()
			begin := time.Now()
			if m == LongLived {
				conn.Close(sstp.ReasonResting, time.Minute)
			} else {
				dialled.Close(sstp.ReasonNone, 0)
			}
			<-dialled.Done()
			<-conn.Done()
			if took := time.Since(begin); took > 8*time.Second {
				t.Errorf("the end took %v", took)
			}
		})
	}
}
