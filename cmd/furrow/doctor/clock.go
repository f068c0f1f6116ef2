package doctor

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// builtAfter is a date that every right clock has passed: no box was built before it.
func builtAfter() time.Time { return time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC) }

// clock looks at the time that messages and certificates are judged by. Whether the clock is kept right over the
// network is the kernel's to say.
func clock(_ context.Context, e *examination) (string, error) {
	var timex unix.Timex
	state, err := unix.Adjtimex(&timex)
	if err != nil {
		return "", fmt.Errorf("asking the kernel about its clock: %w", err)
	}
	return judgeClock(e.Now(), state != unix.TIME_ERROR && timex.Status&unix.STA_UNSYNC == 0, time.Duration(timex.Maxerror)*time.Microsecond)
}

func judgeClock(now time.Time, kept bool, off time.Duration) (string, error) {
	shown := now.UTC().Format(time.DateTime) + " UTC"
	switch {
	case now.Before(builtAfter()):
		return "", failed("set the clock: certificates are not valid yet by this one", "it is %s, before this program was made", shown)
	case !kept:
		return "", warn("switch on a time service (such as systemd-timesyncd), unless the host of a virtual machine keeps the clock",
			"it is %s, but nothing keeps the clock right", shown)
	}
	return fmt.Sprintf("it is %s, kept right by a time service to within %v", shown, off.Round(time.Millisecond)), nil
}
