package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"furrow/cmd/furrow/bench"
)

// mosquittoServer is a Mosquitto broker with persistence; messages are of QoS 1.
type mosquittoServer struct {
	*bench.Child
	address string
	routes  []bench.Route
}

const (
	mqttUser     = "load"
	mqttPassword = "load"
	atLeastOnce  = 1 // QoS
	// mqttPatience is how long one operation may take.
	mqttPatience = time.Minute
	// mqttQuiesce is how many milliseconds work that is under way may take when a
	// client disconnects: acknowledgments.
	mqttQuiesce = 250
)

// mosquittoPeers is Mosquitto as it comes, and as safe as it can be made.
func mosquittoPeers(ctx context.Context) ([]peer, error) {
	version, err := versionOf(ctx, "mosquitto", "-h")
	if err != nil {
		return nil, err
	}
	kind := func(name, settings, durable string, offers ...string) peer {
		return peer{
			name:       "mosquitto " + version + name,
			offers:     offers,
			durability: map[string]string{fanOut: durable, oneToOne: durable, idle: volatile},
			start: func(ctx context.Context, dir string, gone context.CancelCauseFunc) (server, error) {
				return startMosquitto(ctx, dir, settings, gone)
			},
		}
	}
	return []peer{
		kind("", "", "acknowledged from memory, saved every 30 min: less", fanOut, oneToOne, idle),
		kind(", autosave", "autosave_interval 1\nautosave_on_changes true\n",
			"autosave_interval 1, autosave_on_changes true: the whole store saved at each change, after the acknowledgment: less", fanOut, oneToOne),
	}, nil
}

// The bounds of what is kept for one client and sent to it at a time are lifted:
// the broker would drop the load.
const mosquittoConfig = `listener %d 127.0.0.1
allow_anonymous false
password_file %s
persistence true
persistence_location %s/
max_queued_messages 0
max_inflight_messages 0
%s`

func startMosquitto(ctx context.Context, dir, settings string, gone context.CancelCauseFunc) (_ server, err error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	passwords, file := filepath.Join(dir, "passwords"), filepath.Join(dir, "mosquitto.conf")
	if out, err := exec.CommandContext(ctx, "mosquitto_passwd", "-c", "-b", passwords, mqttUser, mqttPassword).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mosquitto_passwd: %w: %s", err, out)
	}
	config := fmt.Sprintf(mosquittoConfig, port, passwords, dir, settings)
	if os.Geteuid() == 0 {
		config += "user root\n" // or it gives up the right to its folder
	}
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, err
	}
	child, err := bench.StartChild("mosquitto", exec.Command("mosquitto", "-c", file), gone)
	if err != nil {
		return nil, err
	}
	s := &mosquittoServer{Child: child, address: "tcp://" + local(port)}
	if err := awaitPort(ctx, local(port)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close implements [server].
func (s *mosquittoServer) Close() error {
	s.Stop()
	return nil
}

// connect connects a person. A session that is kept outlasts the connection.
func (s *mosquittoServer) connect(name string, kept bool, handle mqtt.MessageHandler) (mqtt.Client, error) {
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(s.address).
		SetUsername(mqttUser).SetPassword(mqttPassword).SetClientID(name).SetCleanSession(!kept).
		SetAutoReconnect(false).SetKeepAlive(0).SetDefaultPublishHandler(handle).SetWriteTimeout(mqttPatience))
	return client, await(client.Connect())
}

func await(t mqtt.Token) error {
	if !t.WaitTimeout(mqttPatience) {
		return errors.New("the broker does not answer")
	}
	return t.Error()
}

func routeTopic(route int) string { return fmt.Sprintf("route/%d", route) }
func clientOf(person int) string  { return fmt.Sprintf("p%d", person) }

// Enrol implements [bench.Post].
func (s *mosquittoServer) Enrol(_ context.Context, routes []bench.Route) error {
	s.routes = routes
	for route, r := range routes {
		for _, person := range r.To {
			client, err := s.connect(clientOf(person), true, nil)
			if err != nil {
				return err
			}
			if err := await(client.Subscribe(routeTopic(route), atLeastOnce, nil)); err != nil {
				return err
			}
			client.Disconnect(mqttQuiesce)
		}
	}
	return nil
}

// Sender implements [bench.Post].
func (s *mosquittoServer) Sender(_ context.Context, route int) (bench.Sender, error) {
	client, err := s.connect(clientOf(s.routes[route].From), false, nil)
	return &mosquittoSender{client, routeTopic(route)}, err
}

type mosquittoSender struct {
	client mqtt.Client
	topic  string
}

// Send implements [bench.Sender].
func (s *mosquittoSender) Send(_ context.Context, body []byte) error {
	return await(s.client.Publish(s.topic, atLeastOnce, false, body))
}

// Close implements [bench.Sender].
func (s *mosquittoSender) Close() error {
	s.client.Disconnect(mqttQuiesce)
	return nil
}

// Drain implements [bench.Post]. A message is acknowledged when its handler
// returns.
func (s *mosquittoServer) Drain(ctx context.Context, person int, took func([]byte) error) error {
	failed := make(chan error, 1)
	client, err := s.connect(clientOf(person), true, func(_ mqtt.Client, m mqtt.Message) {
		if err := took(m.Payload()); err != nil {
			select {
			case failed <- err:
			default:
			}
		}
	})
	if err != nil {
		return err
	}
	defer client.Disconnect(mqttQuiesce)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// Admit implements [bench.Host]; all have one name and password.
func (s *mosquittoServer) Admit(context.Context, int) error { return nil }

// Connect implements [bench.Host].
func (s *mosquittoServer) Connect(_ context.Context, person int) (bench.Connection, error) {
	client, err := s.connect(clientOf(person), false, nil)
	if err != nil {
		return nil, err
	}
	return mosquittoConnection{client}, nil
}

type mosquittoConnection struct{ client mqtt.Client }

// Err implements [bench.Connection].
func (c mosquittoConnection) Err() error {
	if !c.client.IsConnectionOpen() {
		return errors.New("the connection is lost")
	}
	return nil
}

// Close implements [bench.Connection].
func (c mosquittoConnection) Close() error {
	c.client.Disconnect(0)
	return nil
}
