package machine

import (
	"context"
	"fmt"
	"os"

	"furrow/appliance/support"
)

// Support returns the support access that is open; nil if none is.
func (m *Machine) Support() (*support.Opened, error) {
	if _, err := os.Stat(m.steward); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotImage, err)
	}
	return support.Look(m.shown)
}

// OpenSupport opens the machine to support, instead of what was open before.
func (m *Machine) OpenSupport(ctx context.Context, a support.Access) error {
	return m.act(ctx, orderOpen, a)
}

// CloseSupport ends support access, and what was begun by it.
func (m *Machine) CloseSupport(ctx context.Context) error { return m.act(ctx, orderClose, nil) }
