// Package machine has done to the machine what the box itself may not do: restart it, switch it off, erase it, install an
// update, set its network and its clock, open it to support. On the image two units with the rights for that wait behind
// sockets that only the box can open: the taker of updates (package update), and the Steward of this package. Where Furrow
// runs in any other way there are none, and the one who looks after that machine does these things by its own means.
package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"furrow/appliance/network"
	"furrow/appliance/setting"
	"furrow/appliance/update"
)

// StewardSocket is where the steward of the image waits.
const StewardSocket = "/run/furrow-machine.sock"

const (
	// askTimeout is how long the steward may take to answer: it starts, and asks the system.
	askTimeout = 30 * time.Second
	// maxAnswer bounds an answer, in octets; the longest has the record of an update.
	maxAnswer = 128 << 10
)

var (
	// ErrNotImage says that this machine was not started from the image.
	ErrNotImage = errors.New("this needs the Furrow image; here the machine is looked after by its own means")
	// ErrInvalid says that the steward refuses a setting; a *setting.Error says which.
	ErrInvalid = errors.New("invalid")
	// ErrBusy says that an update is being installed.
	ErrBusy = errors.New("an update is being installed already")
)

// answer is what comes back, one JSON value.
type answer struct {
	Error    string               `json:"error,omitempty"`
	Field    string               `json:"field,omitempty"` // the setting that Error is about
	Versions *update.Versions     `json:"versions,omitempty"`
	Network  *network.Report      `json:"network,omitempty"`
	Clock    *network.ClockReport `json:"clock,omitempty"`
}

// Machine is the box's side. It is safe for concurrent use.
type Machine struct {
	steward, taker string // sockets
	shown          string // folder that says what support access is open

	mu      sync.Mutex
	busy    bool // guarded by mu
	percent int  // guarded by mu: of the bundle that is being installed
}

// New returns the machine whose steward and taker of updates are at these sockets; shown is [support.ShownDir] on the
// image.
func New(steward, taker, shown string) *Machine {
	return &Machine{steward: steward, taker: taker, shown: shown}
}

// Versions returns what there is to know about versions of the image.
func (m *Machine) Versions(ctx context.Context) (update.Versions, error) {
	a, err := m.ask(ctx, orderVersions, nil)
	if err == nil && a.Versions == nil {
		err = errors.New("asking for versions: none were answered")
	}
	if err != nil {
		return update.Versions{}, err
	}
	return *a.Versions, nil
}

// Restart has the machine stopped in order and started again.
func (m *Machine) Restart(ctx context.Context) error { return m.act(ctx, orderRestart, nil) }

// PowerOff has the machine stopped in order.
func (m *Machine) PowerOff(ctx context.Context) error { return m.act(ctx, orderPowerOff, nil) }

// Erase has the machine restarted without anything that the box keeps.
func (m *Machine) Erase(ctx context.Context) error { return m.act(ctx, orderErase, nil) }

func (m *Machine) act(ctx context.Context, o order, value any) error {
	_, err := m.ask(ctx, o, value)
	return err
}

func (m *Machine) ask(ctx context.Context, o order, value any) (a answer, err error) {
	line, err := o.line(value)
	if err != nil {
		return a, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", m.steward)
	if err != nil {
		return a, fmt.Errorf("%w: %w", ErrNotImage, err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return a, fmt.Errorf("asking the steward: %w", err)
	}
	if _, err := io.WriteString(conn, line); err != nil {
		return a, fmt.Errorf("asking the steward: %w", err)
	}
	if err := json.NewDecoder(io.LimitReader(conn, maxAnswer)).Decode(&a); err != nil {
		return a, fmt.Errorf("reading the steward's answer: %w", err)
	}
	if a.Field != "" {
		return a, setting.Refuse(ErrInvalid, a.Field, "%s", a.Error)
	}
	if a.Error != "" {
		return a, &update.Refused{Reason: a.Error}
	}
	return a, nil
}

// Install hands a bundle over to be installed and returns when it is; the machine restarts then.
func (m *Machine) Install(ctx context.Context, bundle io.Reader, allowOlder bool) (update.Manifest, error) {
	if !m.begin() {
		return update.Manifest{}, ErrBusy
	}
	defer m.end()
	manifest, err := update.HandOver(ctx, m.taker, bundle, allowOlder, func(percent int) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.percent = percent
	})
	if errors.Is(err, update.ErrNoTaker) {
		err = fmt.Errorf("%w: %w", ErrNotImage, err)
	}
	return manifest, err
}

// Installing is how much of a bundle is written, in per cent; false while none is.
func (m *Machine) Installing() (percent int, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.percent, m.busy
}

func (m *Machine) begin() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.busy {
		return false
	}
	m.busy, m.percent = true, 0
	return true
}

func (m *Machine) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy = false
}
