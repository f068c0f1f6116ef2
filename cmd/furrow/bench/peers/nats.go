package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"furrow/cmd/furrow/bench"
)

// natsServer is a NATS server with JetStream.
type natsServer struct {
	*bench.Child
	url    string
	routes []bench.Route
}

const (
	natsUser     = "load"
	natsPassword = "load"
	natsStream   = "MAIL"
)

func natsPeer(ctx context.Context, program string) (peer, error) {
	version, err := versionOf(ctx, program, "--version")
	if err != nil {
		return peer{}, err
	}
	// Until 2.9 nobody can say when a stream is flushed.
	sync, durable := "sync_interval: always", "sync_interval: always, each message flushed before its acknowledgment: equal"
	if strings.HasPrefix(version, "2.9.") {
		sync, durable = "", "flushed every 2 min, which 2.9 cannot change: less"
	}
	return peer{
		name:       "nats-server " + version,
		offers:     []string{fanOut, oneToOne, idle},
		durability: map[string]string{fanOut: durable, oneToOne: durable, idle: volatile},
		start: func(ctx context.Context, dir string, gone context.CancelCauseFunc) (server, error) {
			return startNATS(ctx, program, dir, sync, gone)
		},
	}, nil
}

const natsConfig = `listen: %q
jetstream { store_dir: %q, %s }
authorization { user: %s, password: %s }
`

func startNATS(ctx context.Context, program, dir, sync string, gone context.CancelCauseFunc) (server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "nats.conf")
	config := fmt.Sprintf(natsConfig, local(port), filepath.Join(dir, "store"), sync, natsUser, natsPassword)
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	child, err := bench.StartChild("nats-server", exec.Command(program, "-c", file), gone)
	if err != nil {
		return nil, err
	}
	s := &natsServer{Child: child, url: "nats://" + local(port)}
	if err := awaitPort(ctx, local(port)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close implements [server].
func (s *natsServer) Close() error {
	s.Stop()
	return nil
}

func (s *natsServer) connect() (*nats.Conn, error) {
	return nats.Connect(s.url, nats.UserInfo(natsUser, natsPassword), nats.NoReconnect())
}

func routeSubject(route int) string { return fmt.Sprintf("route.%d", route) }
func consumerOf(person int) string  { return fmt.Sprintf("p%d", person) }

// Enrol implements [bench.Post]: one stream for everybody, as few servers have room
// for one for each, from which a message goes when all have acknowledged it.
func (s *natsServer) Enrol(ctx context.Context, routes []bench.Route) error {
	s.routes = routes
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: natsStream, Subjects: []string{"route.*"}, Storage: jetstream.FileStorage, Retention: jetstream.InterestPolicy,
	})
	if err != nil {
		return err
	}
	for route, r := range routes {
		for _, person := range r.To {
			_, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
				Durable: consumerOf(person), FilterSubject: routeSubject(route), AckPolicy: jetstream.AckExplicitPolicy,
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// Sender implements [bench.Post].
func (s *natsServer) Sender(_ context.Context, route int) (bench.Sender, error) {
	conn, err := s.connect()
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(conn)
	return &natsSender{conn, js, routeSubject(route)}, err
}

type natsSender struct {
	conn    *nats.Conn
	js      jetstream.JetStream
	subject string
}

// Send implements [bench.Sender].
func (s *natsSender) Send(ctx context.Context, body []byte) error {
	_, err := s.js.Publish(ctx, s.subject, body)
	return err
}

// Close implements [bench.Sender].
func (s *natsSender) Close() error {
	s.conn.Close()
	return nil
}

// Drain implements [bench.Post].
func (s *natsServer) Drain(ctx context.Context, person int, took func([]byte) error) error {
	conn, err := s.connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	consumer, err := js.Consumer(ctx, natsStream, consumerOf(person))
	if err != nil {
		return err
	}
	failed := make(chan error, 1)
	consuming, err := consumer.Consume(func(m jetstream.Msg) {
		err := m.Ack()
		if err == nil {
			err = took(m.Data())
		}
		if err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	})
	if err != nil {
		return err
	}
	defer consuming.Stop()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return conn.Flush()
	}
}

// Admit implements [bench.Host]; all have one name and password.
func (s *natsServer) Admit(context.Context, int) error { return nil }

// Connect implements [bench.Host].
func (s *natsServer) Connect(context.Context, int) (bench.Connection, error) {
	conn, err := s.connect()
	if err != nil {
		return nil, err
	}
	return natsConnection{conn}, nil
}

type natsConnection struct{ conn *nats.Conn }

// Err implements [bench.Connection].
func (c natsConnection) Err() error {
	if !c.conn.IsConnected() {
		return errors.Join(errors.New("the connection is lost"), c.conn.LastError())
	}
	return nil
}

// Close implements [bench.Connection].
func (c natsConnection) Close() error {
	c.conn.Close()
	return nil
}
