package sstp

import (
	"fmt"

	"furrow/sstp/internal/field"
)

// Version is a protocol version, the major number in the high octet and the
// minor in the low one, so that versions compare as numbers.
type Version uint16

// The versions of the protocol ([MS-GRVSSTP] 2.2.1.1).
const (
	Version15 Version = 0x0105
	Version16 Version = 0x0106
)

// NewVersion puts a version together from what Connect carries.
func NewVersion(major, minor uint8) Version { return Version(major)<<8 | Version(minor) }

// Major returns the major number.
func (v Version) Major() uint8 { return uint8(v >> 8) }

// Minor returns the minor number.
func (v Version) Minor() uint8 { return uint8(v) }

// String returns the version as 1.6.
func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }

// layout is MajorVersionNumber, 1 octet, and MinorVersionNumber, 1 octet.
func (v *Version) layout(c *field.Cursor) {
	major, minor := v.Major(), v.Minor()
	field.Octet(c, &major)
	field.Octet(c, &minor)
	if c.Reading() {
		*v = NewVersion(major, minor)
	}
}
