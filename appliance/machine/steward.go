package machine

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"furrow/appliance/support"
	"furrow/appliance/update"
)

// maxOrder bounds what is read of who asks, in octets; the longest order has the keys that support gets in with.
const maxOrder = 32 << 10

// Steward does what a Machine asks for, with the rights that this needs.
type Steward struct {
	Versions func() (update.Versions, error)
	// Restart, PowerOff and Erase return when it is under way.
	Restart, PowerOff, Erase func(context.Context) error
	// OpenSupport trusts nothing in what it is asked to open.
	OpenSupport  func(context.Context, support.Access) error
	CloseSupport func(context.Context) error
}

// Attend takes one order from in, carries it out and says on out what came of it.
func (s *Steward) Attend(ctx context.Context, in io.Reader, out io.Writer) error {
	line, err := bufio.NewReader(io.LimitReader(in, maxOrder)).ReadString('\n')
	if err != nil {
		return fmt.Errorf("reading an order: %w", err)
	}
	var a answer
	asked, wanted := order(line), ""
	if rest, ok := strings.CutPrefix(line, string(orderOpen)); ok {
		asked, wanted = orderOpen, rest
	}
	switch asked {
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
	case orderOpen:
		err = s.openSupport(ctx, wanted)
	case orderClose:
		err = s.CloseSupport(ctx)
	default:
		err = fmt.Errorf("%.32q is no order", line)
	}
	if err != nil {
		a.Error = strings.Join(strings.Fields(err.Error()), " ")
	}
	return errors.Join(err, json.NewEncoder(out).Encode(a))
}

func (s *Steward) openSupport(ctx context.Context, wanted string) error {
	var access support.Access
	if err := json.Unmarshal([]byte(wanted), &access); err != nil {
		return fmt.Errorf("reading what support access to open: %w", err)
	}
	return s.OpenSupport(ctx, access)
}
