package alert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/mail"
	"furrow/appliance/state"
)

// evaluateEvery is how often the box looks at itself: what a person is to be woken for is known within a minute.
const evaluateEvery = time.Minute

// Tables are the package's tables in a store's schema.
type Tables struct {
	settings *state.Table[settingsRow]
	states   *state.Table[State] // that are raised
	hooks    *state.Table[hookRow]
}

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{
		settings: state.Define(s, "alertSettings", state.TableOptions[settingsRow]{
			Version: 1, Key: func(settingsRow) string { return settingsKey },
		}),
		states: state.Define(s, "alerts", state.TableOptions[State]{Version: 1, Key: State.key}),
		hooks:  state.Define(s, "alertHooks", state.TableOptions[hookRow]{Version: 1, Key: func(r hookRow) string { return r.ID }}),
	}
}

// Config is what a Monitor works with.
type Config struct {
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Vault  *keys.Vault
	Mail   *mail.Post
	// Box names the box in messages.
	Box string
	// Observe looks at the box. It is called from one goroutine at a time.
	Observe func(context.Context) Observations
	Now     func() time.Time
	Log     *slog.Logger
}

// Monitor raises and clears alerts. It is safe for concurrent use; it does so in Run.
type Monitor struct {
	Config
	wake chan struct{} // capacity 1: something is there for the web hook

	mu     sync.Mutex
	states []State // guarded by mu
}

// New returns a Monitor over an open store.
func New(c Config) *Monitor {
	return &Monitor{
		Config: c, wake: make(chan struct{}, 1), states: slices.Collect(c.Tables.states.All(c.Store.Snapshot())),
	}
}

// Run looks at the box each minute, and sends to the web hook, until ctx ends.
func (m *Monitor) Run(ctx context.Context) {
	var hooks sync.WaitGroup
	hooks.Go(func() { m.runHooks(ctx) })
	defer hooks.Wait()
	ticker := time.NewTicker(evaluateEvery)
	defer ticker.Stop()
	for ctx.Err() == nil {
		m.Evaluate(ctx)
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}

// Evaluate looks at the box once and has people told. Run calls it; two calls at once are not meant to be.
func (m *Monitor) Evaluate(ctx context.Context) {
	seen := m.Observe(ctx)
	if ctx.Err() != nil {
		return
	}
	m.mu.Lock()
	states := m.states
	m.mu.Unlock()
	settings := m.Settings()
	next, notices := Evaluate(settings.rules(), states, seen, m.Now())
	if err := m.tell(ctx, settings, next, notices); err != nil {
		m.Log.Error("alerts could not be told, which is tried again", "error", err)
		return
	}
	m.mu.Lock()
	m.states = next
	m.mu.Unlock()
}

// tell makes the notices and what is raised after them durable. Where nothing can be, it sends them at once.
func (m *Monitor) tell(ctx context.Context, settings Settings, next []State, notices []Notice) error {
	if len(notices) == 0 && !m.dropped(next) {
		return nil
	}
	err := m.Store.Update(ctx, func(tx *state.Tx) error {
		for old := range m.Tables.states.All(tx) {
			m.Tables.states.Delete(tx, old.key())
		}
		for _, s := range next {
			if s.Level == None {
				continue
			}
			if err := m.Tables.states.Put(tx, s); err != nil {
				return err
			}
		}
		for _, n := range notices {
			if err := m.queue(tx, settings, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		m.Log.Warn("alerts cannot be noted, so they are sent at once", "error", err)
		if err = m.sendNow(ctx, settings, notices); err != nil {
			return err
		}
	}
	if err != nil {
		return err
	}
	for _, n := range notices {
		m.Log.Warn("alert", "event", n.Event, "kind", n.Kind, "subject", n.Subject, "level", n.Level.String(), "value", n.Value, "detail", n.Detail)
	}
	m.Mail.Nudge()
	m.wakeHooks()
	return nil
}

// dropped reports whether something that is noted as raised is not any more, without a notice: its kind was switched off.
func (m *Monitor) dropped(next []State) bool {
	raised := 0
	for _, s := range next {
		if s.Level != None {
			raised++
		}
	}
	return !errors.Is(m.Store.Err(), state.ErrRecovery) && m.Tables.states.Len(m.Store.Snapshot()) > raised
}

// queue puts a notice on all its ways as part of a transaction.
func (m *Monitor) queue(tx *state.Tx, settings Settings, n Notice) error {
	if _, ok := m.Mail.Settings(); ok {
		for _, to := range settings.Recipients {
			letter := n.letter(m.Box)
			letter.To = to
			switch _, err := m.Mail.Add(tx, letter); {
			case errors.Is(err, mail.ErrFull):
				m.Log.Error("alert not mailed", "to", to, "error", err)
			case err != nil:
				return err
			}
		}
	}
	if settings.URL == "" {
		return nil
	}
	return m.addHook(tx, n)
}

// sendNow sends notices past all queues. It is an error if there are ways and none worked: then it is worth trying
// again, and nobody gets a message twice.
func (m *Monitor) sendNow(ctx context.Context, settings Settings, notices []Notice) error {
	var errs []error
	ways, worked := 0, 0
	tried := func(err error) {
		if ways++; err == nil {
			worked++
		}
		errs = append(errs, err)
	}
	for _, n := range notices {
		for _, r := range m.try(ctx, settings, n) {
			tried(r.Err)
		}
	}
	if ways > 0 && worked == 0 {
		return errors.Join(errs...)
	}
	if err := errors.Join(errs...); err != nil {
		m.Log.Error("some alerts were not told", "error", err)
	}
	return nil
}

// Way is one way by which people are told, and what came of trying it.
type Way struct {
	To  string // a mail address, or the web hook's URL
	Err error
}

// try sends a notice at once on all its ways.
func (m *Monitor) try(ctx context.Context, settings Settings, n Notice) []Way {
	var ways []Way
	for _, to := range settings.Recipients {
		letter := n.letter(m.Box)
		letter.To = to
		ways = append(ways, Way{to, m.Mail.Send(ctx, letter)})
	}
	if settings.URL == "" {
		return ways
	}
	hook, ok, err := m.hook()
	if ok {
		var body []byte
		if body, err = n.hookBody(m.Box); err == nil {
			err = post(ctx, hook, fmt.Sprintf("now-%016x", n.Time.UnixNano()), body, m.Now())
		}
	}
	return append(ways, Way{settings.URL, err})
}

// Test sends a message that says it is a test at once on all ways, and returns what came of it.
func (m *Monitor) Test(ctx context.Context) []Way {
	return m.try(ctx, m.Settings(), Notice{Event: Tested, Time: m.Now()})
}

// List returns what is raised, in order of kinds and subjects.
func (m *Monitor) List() []State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.states), func(s State) bool { return s.Level == None })
}
