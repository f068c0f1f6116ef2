package machine

import (
	"encoding/json"
	"fmt"
	"strings"
)

// order is what the steward can be asked. It goes over the socket in a line, with a JSON value behind it if it has one.
type order string

const (
	orderVersions order = "versions"
	orderRestart  order = "restart"
	orderPowerOff order = "power off"
	orderErase    order = "factory reset"

	orderNetwork order = "network"
	orderTry     order = "network try" // has a value: network.Settings
	orderKeep    order = "network keep"
	orderReset   order = "network reset"
	orderClock   order = "clock"
	orderSet     order = "clock set" // has a value: network.Clock

	orderOpen  order = "support open" // has a value: support.Access
	orderClose order = "support close"
)

// maxOrder bounds the line, in octets; the longest has the keys that support gets in with.
const maxOrder = 32 << 10

// line is the order with a value, which JSON puts in one line; nil is none.
func (o order) line(value any) (string, error) {
	if value == nil {
		return string(o) + "\n", nil
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("an order for the steward: %w", err)
	}
	line := string(o) + " " + string(text) + "\n"
	if len(line) > maxOrder {
		return "", fmt.Errorf("%w: the settings are too long", ErrInvalid)
	}
	return line, nil
}

// cutOrder parts an order from its value.
func cutOrder(line string) (o order, value string) {
	line = strings.TrimSuffix(line, "\n")
	for _, o := range []order{orderTry, orderSet, orderOpen} {
		if value, ok := strings.CutPrefix(line, string(o)+" "); ok {
			return o, value
		}
	}
	return order(line), ""
}
