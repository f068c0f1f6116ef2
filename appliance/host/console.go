package host

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

// Console is the screen of the box and its small menu: on a monitor or a serial line, for a person who stands before it.
// Nobody logs in there; what it can do is what the menu names, which offers a shell only while support access is open.
type Console struct {
	// Version is the running one.
	Version string
	// Page says what a person types into a browser that reaches the box at an address.
	Page func(address string) string
	// State says how the box is, in one line.
	State func(context.Context) string
	// Choices are the menu's, in its order.
	Choices []Choice
	// Every is how often the screen is looked at anew.
	Every time.Duration
}

// Choice is something the menu offers.
type Choice struct {
	Key  string // what to type, one letter
	Text string
	// Confirm must be typed in full before Do is called; empty: nothing.
	Confirm string
	// Offered says whether it is in the menu now; nil for always.
	Offered func() bool
	// Do does it, and says what there is to say. Meanwhile nothing else reads what is typed.
	Do func(context.Context) (said string, err error)
	// Ends says that the screen ends after it.
	Ends bool
}

// maxTyped bounds a typed line, in octets.
const maxTyped = 256

// Run shows the screen until ctx ends or in does.
func (c *Console) Run(ctx context.Context, in io.Reader, out io.Writer) error {
	typed, next := make(chan string), make(chan struct{})
	go func() { // ends with in
		defer close(typed)
		lines := bufio.NewScanner(in)
		lines.Buffer(make([]byte, maxTyped), maxTyped)
		for lines.Scan() {
			select {
			case typed <- strings.TrimSpace(lines.Text()):
			case <-ctx.Done():
				return
			}
			select {
			case <-next:
			case <-ctx.Done():
				return
			}
		}
	}()
	ticker := time.NewTicker(c.Every)
	defer ticker.Stop()
	var awaited *Choice // its confirmation is
	for shown := ""; ; {
		if screen := c.screen(ctx); screen != shown && awaited == nil {
			if _, err := io.WriteString(out, screen); err != nil {
				return fmt.Errorf("showing the screen: %w", err)
			}
			shown = screen
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		case line, open := <-typed:
			if !open {
				return nil
			}
			answer, ends := "", false
			if answer, awaited, ends = c.choose(ctx, line, awaited); answer == "" {
				shown = ""
			} else if _, err := io.WriteString(out, answer); err != nil {
				return fmt.Errorf("answering on the screen: %w", err)
			}
			if ends {
				return nil
			}
			select {
			case next <- struct{}{}:
			case <-ctx.Done():
			}
		}
	}
}

// choose acts on a typed line. The answer is empty when the screen is to be shown again.
func (c *Console) choose(ctx context.Context, line string, awaited *Choice) (answer string, next *Choice, ends bool) {
	if awaited != nil {
		if line != awaited.Confirm {
			return "Nothing was done.\r\n", nil, false
		}
		return c.do(ctx, awaited), nil, awaited.Ends
	}
	for i := range c.Choices {
		choice := &c.Choices[i]
		switch {
		case !strings.EqualFold(line, choice.Key) || !choice.offered():
		case choice.Confirm != "":
			return fmt.Sprintf("%s: type %s to confirm.\r\n", choice.Text, choice.Confirm), choice, false
		default:
			return c.do(ctx, choice), nil, choice.Ends
		}
	}
	return "", nil, false
}

func (c *Choice) offered() bool { return c.Offered == nil || c.Offered() }

func (c *Console) do(ctx context.Context, choice *Choice) string {
	said, err := choice.Do(ctx)
	if err != nil {
		said = err.Error()
	}
	return choice.Text + ": " + said + "\r\n"
}

func (c *Console) screen(ctx context.Context) string {
	var b strings.Builder
	name, err := os.Hostname()
	if err != nil {
		name = "(no name)"
	}
	fmt.Fprintf(&b, "\x1b[2J\x1b[H\r\n  Furrow %s\r\n\r\n", c.Version)
	fmt.Fprintf(&b, "  Name       %s, %s.local\r\n", name, name)
	addresses := Addresses()
	if len(addresses) == 0 {
		b.WriteString("  Address    none yet: is the network plugged in?\r\n")
	}
	for i, address := range addresses {
		label := "In browser"
		if i > 0 {
			label = ""
		}
		fmt.Fprintf(&b, "  %-10s %s\r\n", label, c.Page(address))
	}
	fmt.Fprintf(&b, "  State      %s\r\n\r\n", c.State(ctx))
	for _, choice := range c.Choices {
		if choice.offered() {
			fmt.Fprintf(&b, "  [%s] %s\r\n", choice.Key, choice.Text)
		}
	}
	b.WriteString("\r\n  Type a letter and Enter.\r\n")
	return b.String()
}

// Addresses are those by which others reach this machine.
func Addresses() []string {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addresses []string
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			addresses = append(addresses, network.IP.String())
		}
	}
	return addresses
}
