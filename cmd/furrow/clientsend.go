package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"furrow/relay/client"
	"furrow/sstp"
)

type clientSendCmd struct {
	relayFlags
	To       []string      `required:"" help:"Identity URLs of the recipients. If somebody's relay is another than yours, its URL follows right behind: grooveIdentity://...@grooveDNS://relay.example" placeholder:"IDENTITY"`
	Patience time.Duration `help:"How long to go on trying while the relay cannot be reached." default:"10m"`
	File     string        `arg:"" help:"File to send." type:"existingfile"`
}

// shipped is what has become of a file that was sent.
type shipped struct {
	ID      string          `json:"id"`
	Name    string          `json:"name"`
	Size    int64           `json:"size"`
	SHA256  string          `json:"sha256"`
	Targets []shippedTarget `json:"targets"`
}

type shippedTarget struct {
	Identity string `json:"identity"`
	Relay    string `json:"relay,omitempty"`
	// Taken is set when the relay has taken the file over.
	Taken bool `json:"taken"`
	// Status is what the relay has said about the recipient.
	Status string `json:"status,omitempty"`
}

func (c *clientSendCmd) Run(s *session) (err error) {
	targets, err := parseTargets(c.To)
	if err != nil {
		return err
	}
	m, err := c.open()
	if err != nil {
		return err
	}
	shipment, err := client.NewShipment(c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shipment.Close()) }()

	bar := s.transfer("sending "+shipment.Name, shipment.Size)
	sender := client.Sender{Relays: m.relays, Retry: client.Retry{Patience: c.Patience, Notify: func(err error, wait time.Duration) {
		bar.end()
		s.retrying(err, wait)
	}}}
	outcomes, sendErr := sender.Send(s.ctx, targets, shipment, bar.update)
	bar.end()
	if sendErr != nil && !errors.Is(sendErr, client.ErrNoTarget) {
		return sendErr
	}
	result := shipped{ID: shipment.ID, Name: shipment.Name, Size: shipment.Size, SHA256: hex.EncodeToString(shipment.SHA256[:])}
	refused := 0
	for i, o := range outcomes {
		t := shippedTarget{Identity: targets[i].IdentityURL, Relay: targets[i].RelayURL, Taken: o.Taken}
		if o.Status != 0 {
			t.Status = o.Status.String()
		}
		if !o.Taken {
			refused++
		}
		result.Targets = append(result.Targets, t)
	}
	err = s.out.print(result, func(w io.Writer) error {
		rows := make([][]string, 0, len(result.Targets))
		for _, t := range result.Targets {
			rows = append(rows, []string{t.Identity, t.Relay, map[bool]string{true: "taken over", false: "refused"}[t.Taken], t.Status})
		}
		return table(w, []string{"RECIPIENT", "ITS RELAY", "FILE", "STATUS"}, rows)
	})
	if refused > 0 {
		err = errors.Join(err, fmt.Errorf("the relay has not taken the file over for %d of %d recipients", refused, len(targets)))
	}
	return err
}

// parseTargets reads recipients as they are typed: an identity URL, which ends
// with an @, and behind it the URL of the recipient's relay if it is another.
func parseTargets(typed []string) ([]client.Target, error) {
	targets := make([]client.Target, 0, len(typed))
	for _, text := range typed {
		t := client.Target{IdentityURL: strings.TrimSpace(text)}
		if i := strings.LastIndex(t.IdentityURL, sstp.RelayScheme); i > 0 {
			t.IdentityURL, t.RelayURL = t.IdentityURL[:i], t.IdentityURL[i:]
			if err := sstp.CheckRelayURL(t.RelayURL); err != nil {
				return nil, fmt.Errorf("relay of recipient %q: %w", text, err)
			}
		}
		if err := sstp.CheckIdentityURL(t.IdentityURL); err != nil {
			return nil, fmt.Errorf("recipient %q: %w", text, err)
		}
		targets = append(targets, t)
	}
	return targets, nil
}

// retrying tells a person that a connection was lost.
func (s *session) retrying(err error, wait time.Duration) {
	if !s.out.json {
		fmt.Fprintf(s.out.w, "%s; trying again in %v\n", oneLine(err), wait.Round(time.Second/10))
	}
}
