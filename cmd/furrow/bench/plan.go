package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Plan is how large a load is to be: the quick sizes, or the full ones, but for
// what is set. The tags are those of package kong.
type Plan struct {
	Full bool `help:"The sizes of the published figures; the default ones take seconds."`

	Recipients int `help:"fan-out: how many everything is sent to." placeholder:"N"`
	Messages   int `help:"fan-out: messages." placeholder:"N"`
	Size       int `help:"fan-out: octets of a message." placeholder:"N"`

	Pairs        int `help:"one-to-one: pairs of a sender and a receiver." placeholder:"N"`
	PairMessages int `help:"one-to-one: messages of each pair." placeholder:"N"`
	PairSize     int `help:"one-to-one: octets of a message." placeholder:"N"`

	Window int `help:"fan-out, one-to-one: messages that a sender has under way at a time." placeholder:"N"`

	Connections int `help:"idle: connections." placeholder:"N"`

	Watchers int `help:"presence: how many see one person." placeholder:"N"`
	Changes  int `help:"presence: changes, one after the other." placeholder:"N"`
}

// quick and full are the sizes of a Plan that sets none.
func quick() Plan {
	return Plan{
		Recipients: 50, Messages: 100, Size: 4 << 10, Pairs: 4, PairMessages: 25, PairSize: 64 << 10, Window: 16,
		Connections: 500, Watchers: 100, Changes: 10,
	}
}

func full() Plan {
	return Plan{
		Recipients: 50, Messages: 400, Size: 4 << 10, Pairs: 8, PairMessages: 100, PairSize: 64 << 10, Window: 16,
		Connections: 5000, Watchers: 500, Changes: 20,
	}
}

const (
	// settle is what it takes a server to be done with thousands of logins.
	settle = 2 * time.Second
	// presencePatience is far above what any server takes.
	presencePatience = 30 * time.Second
)

// complete returns p with its sizes filled in.
func (p Plan) complete() (Plan, error) {
	standard := quick()
	if p.Full {
		standard = full()
	}
	for _, size := range []struct {
		value    *int
		standard int
	}{
		{&p.Recipients, standard.Recipients}, {&p.Messages, standard.Messages}, {&p.Size, standard.Size},
		{&p.Pairs, standard.Pairs}, {&p.PairMessages, standard.PairMessages}, {&p.PairSize, standard.PairSize},
		{&p.Window, standard.Window}, {&p.Connections, standard.Connections},
		{&p.Watchers, standard.Watchers}, {&p.Changes, standard.Changes},
	} {
		if *size.value = cmp.Or(*size.value, size.standard); *size.value < 0 || *size.value > maxSize {
			return p, fmt.Errorf("a size of %d: 1 to %d are possible", *size.value, maxSize)
		}
	}
	return p, nil
}

// maxSize keeps a slip of the finger from filling the machine.
const maxSize = 1 << 20

// Scenarios are the names of all scenarios.
func Scenarios() []string { return []string{"fan-out", "one-to-one", "idle", "presence"} }

// ErrNotOffered says that a server is not of the kind that a scenario is about.
var ErrNotOffered = errors.New("the server does not offer this")

// Run puts a server that has just been started through a scenario.
func (p Plan) Run(ctx context.Context, scenario string, server Server, progress Progress) (Result, error) {
	p, err := p.complete()
	if err != nil {
		return Result{}, err
	}
	result, err := p.run(ctx, scenario, server, progress)
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", scenario, server.Explain(err))
	}
	return result, nil
}

func (p Plan) run(ctx context.Context, scenario string, server Server, progress Progress) (Result, error) {
	post, isPost := server.(Post)
	host, isHost := server.(Host)
	stage, isStage := server.(Stage)
	switch {
	case scenario == "fan-out" && isPost:
		return FanOut{p.Recipients, p.Messages, p.Size, p.Window}.Run(ctx, post, progress)
	case scenario == "one-to-one" && isPost:
		return OneToOne{p.Pairs, p.PairMessages, p.PairSize, p.Window}.Run(ctx, post, progress)
	case scenario == "idle" && isHost:
		return Idle{p.Connections, settle}.Run(ctx, host, progress)
	case scenario == "presence" && isStage:
		return Presence{p.Watchers, p.Changes, presencePatience}.Run(ctx, stage, progress)
	}
	return Result{}, ErrNotOffered
}
