package directory

import "fmt"

// Status is the state of a member. Its text form is its name.
type Status int

// The values of MS-GRVSPCM 3.2.1.
const (
	Pending  Status = 1
	Active   Status = 2
	Disabled Status = 3
	Deleted  Status = -1
	Migrated Status = -2
)

// Statuses returns all.
func Statuses() []Status { return []Status{Pending, Active, Disabled, Deleted, Migrated} }

// String returns the name: pending, active, disabled, deleted or migrated.
func (s Status) String() string {
	switch s {
	case Pending:
		return "pending"
	case Active:
		return "active"
	case Disabled:
		return "disabled"
	case Deleted:
		return "deleted"
	case Migrated:
		return "migrated"
	}
	return fmt.Sprintf("Status(%d)", int(s))
}

// ParseStatus returns the status with this name.
func ParseStatus(name string) (Status, error) {
	return parseName(name, "member status", Statuses()...)
}

// MarshalText returns the name.
func (s Status) MarshalText() ([]byte, error) { return marshalName(s, ParseStatus) }

// UnmarshalText reads the name.
func (s *Status) UnmarshalText(text []byte) (err error) {
	*s, err = ParseStatus(string(text))
	return err
}

// live reports whether the member can still become or be active.
func (s Status) live() bool { return s == Pending || s == Active || s == Disabled }

// DeviceStatus is the management status of a device account. Its text form is
// its name.
type DeviceStatus int

// The values of MS-GRVSPCM 3.2.1.
const (
	DeviceNotManaged DeviceStatus = 0
	DeviceManaged    DeviceStatus = 1
	DeviceDeleted    DeviceStatus = -1
)

// String returns the name: unmanaged, managed or deleted.
func (s DeviceStatus) String() string {
	switch s {
	case DeviceNotManaged:
		return "unmanaged"
	case DeviceManaged:
		return "managed"
	case DeviceDeleted:
		return "deleted"
	}
	return fmt.Sprintf("DeviceStatus(%d)", int(s))
}

// ParseDeviceStatus returns the status with this name.
func ParseDeviceStatus(name string) (DeviceStatus, error) {
	return parseName(name, "device status", DeviceNotManaged, DeviceManaged, DeviceDeleted)
}

// MarshalText returns the name.
func (s DeviceStatus) MarshalText() ([]byte, error) { return marshalName(s, ParseDeviceStatus) }

// UnmarshalText reads the name.
func (s *DeviceStatus) UnmarshalText(text []byte) (err error) {
	*s, err = ParseDeviceStatus(string(text))
	return err
}

func parseName[S fmt.Stringer](name, kind string, values ...S) (S, error) {
	for _, v := range values {
		if v.String() == name {
			return v, nil
		}
	}
	var none S
	return none, &ValidationError{"status", fmt.Sprintf("%q is no %s", name, kind)}
}

// marshalName refuses a value that has no name, which would not be read again.
func marshalName[S fmt.Stringer](v S, parse func(string) (S, error)) ([]byte, error) {
	name := v.String()
	if _, err := parse(name); err != nil {
		return nil, err
	}
	return []byte(name), nil
}
