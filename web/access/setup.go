package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"

	"furrow/appliance/state"
)

const (
	setupKey = "setup"
	// setupPurpose is what the set-up code is sealed for.
	setupPurpose = "setup code"
)

// setupRow is the code with which the first administrator is made.
type setupRow struct {
	Sealed []byte `json:"sealed"`
}

// IsSetUp reports whether there is an administrator: until then nothing else is served over the network.
func (c *Control) IsSetUp() bool { return c.Tables.administrators.Len(c.Store.Snapshot()) > 0 }

// SetupCode returns the code that makes the first administrator; it stays the same until it was used. ErrIsSetUp says
// that there is one.
func (c *Control) SetupCode(ctx context.Context) (code string, err error) {
	err = c.Store.Update(ctx, func(tx *state.Tx) error {
		if c.Tables.administrators.Len(tx) > 0 {
			return ErrIsSetUp
		}
		if row, ok := c.Tables.setup.Get(tx, setupKey); ok {
			code, err = c.openSetup(row)
			return err
		}
		code = newCode()
		sealed, err := c.Vault.Seal(setupPurpose, []byte(code))
		if err != nil {
			return err
		}
		return c.Tables.setup.Put(tx, setupRow{sealed})
	})
	if err != nil {
		return "", fmt.Errorf("set-up code: %w", err)
	}
	return code, nil
}

func (c *Control) openSetup(row setupRow) (string, error) {
	code, err := c.Vault.Open(setupPurpose, row.Sealed)
	if err != nil {
		return "", fmt.Errorf("opening it: %w", err)
	}
	return string(code), nil
}

// CheckSetupCode is nil for the right code, ErrIsSetUp for a box that has an administrator, and otherwise as SignIn
// answers. The code stays good.
func (c *Control) CheckSetupCode(code string, from Visitor) error {
	if c.IsSetUp() {
		return ErrIsSetUp
	}
	key := "address " + network(from.Address)
	if wait := c.throttle.enter(key); wait > 0 {
		c.failures.Add(1)
		return &WaitError{wait}
	}
	kept, ok := c.Tables.setup.Get(c.Store.Snapshot(), setupKey)
	if !ok {
		return c.refused("", from.Address, "set-up code")
	}
	want, err := c.openSetup(kept)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare([]byte(plainCode(want)), []byte(plainCode(code))) != 1 {
		return c.refused("", from.Address, "set-up code")
	}
	c.throttle.succeed(key)
	return nil
}

// SetUp makes the first administrator, who may do everything, and uses up the code.
func (c *Control) SetUp(ctx context.Context, code string, q NewAdministrator, from Visitor) (Administrator, error) {
	if err := c.CheckSetupCode(code, from); err != nil {
		return Administrator{}, err
	}
	q.Role = Server
	row, err := c.newRow(ctx, q)
	if err != nil {
		return Administrator{}, err
	}
	err = c.Store.Update(ctx, func(tx *state.Tx) error {
		if c.Tables.administrators.Len(tx) > 0 {
			return ErrIsSetUp
		}
		c.Tables.setup.Delete(tx, setupKey)
		return c.insert(tx, row)
	})
	if err != nil {
		return Administrator{}, err
	}
	c.Log.Info("first administrator made", "name", row.Name, "address", from.Address)
	return row.show(), nil
}

// AnnounceSetup logs the set-up code while nobody has used it.
func (c *Control) AnnounceSetup(ctx context.Context) error {
	code, err := c.SetupCode(ctx)
	if errors.Is(err, ErrIsSetUp) {
		return nil
	}
	if err != nil {
		return err
	}
	c.Log.Warn("this box has no administrator yet: open its address in a browser and use the set-up code", "code", code)
	return nil
}
