package machine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"furrow/appliance/update"
)

// maxOrder bounds what is read of who asks, in octets; the longest order has 14.
const maxOrder = 32

// Steward does what a Machine asks for, with the rights that this needs.
type Steward struct {
	Versions func() (update.Versions, error)
	// Restart, PowerOff and Erase return when it is under way.
	Restart, PowerOff, Erase func(context.Context) error
}

// Attend takes one order from in, carries it out and says on out what came of it.
func (s *Steward) Attend(ctx context.Context, in io.Reader, out io.Writer) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxOrder)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading an order: %w", err)
	}
	var a answer
	switch order(line) {
	case orderVersions:
		var versions update.Versions
		if versions, err = s.Versions(); err == nil {
			a.Versions = &versions
		}
	case orderRestart:
		err = s.Restart(ctx)
	case orderPowerOff:
		err = s.PowerOff(ctx)
	case orderErase:
		err = s.Erase(ctx)
	default:
		err = fmt.Errorf("%q is no order", line)
	}
	if err != nil {
		a.Error = strings.Join(strings.Fields(err.Error()), " ")
	}
	return errors.Join(err, json.NewEncoder(out).Encode(a))
}
