package registry

import (
	"errors"
	"fmt"
)

// What a caller can tell apart with errors.Is. Errors of the store come through
// wrapped, and [auth.ErrBound] from registrations.
var (
	ErrNoIdentity      = errors.New("the relay has no identity yet")
	ErrManagerNotFound = errors.New("management server is not known")
	ErrManagerName     = errors.New("name belongs to another management server")
	// ErrNotRegistered: the manager shares no key, or not the one any more under
	// which a request was secured.
	ErrNotRegistered = errors.New("management server is not registered")
	// ErrSpentKey: a Registration brings a key that was replaced since. It is
	// an old recording.
	ErrSpentKey = errors.New("key was used before")
	// ErrUser: a request names a user that is not this manager's.
	ErrUser           = errors.New("user is not this management server's")
	ErrDeviceNotFound = errors.New("device is not registered")
	ErrAccountUnknown = errors.New("account is not registered")
	// ErrTooMany: a registration would exceed a limit of this package.
	ErrTooMany = errors.New("too many")
)

func tooMany(what string, limit int) error {
	return fmt.Errorf("%w %s: at most %d", ErrTooMany, what, limit)
}
