package directory

import (
	"context"
	"fmt"
	"net/url"

	"furrow/appliance/state"
)

// serverKey is the key of the one row about the management server.
const serverKey = "server"

// serverPath ends the server URL (MS-GRVSPCM 3.2.1).
const serverPath = "/gms.dll"

type serverRow struct {
	URL   string `json:"url"`
	Stamp int64  `json:"stamp"`
}

// ServerURL returns the HTTP address of the management server, or
// ErrNoServerURL.
func (d *Directory) ServerURL() (string, error) {
	row, err := d.serverAt(d.store.Snapshot())
	return row.URL, err
}

func (d *Directory) serverAt(r state.Reader) (serverRow, error) {
	row, ok := d.t.server.Get(r, serverKey)
	if !ok {
		return serverRow{}, ErrNoServerURL
	}
	return row, nil
}

// SetServerURL sets the address under which clients find the management
// server, http://hostname/gms.dll (MS-GRVSPCM 3.2.1); https and a port are
// accepted too. Every managed object names it, so all of them get a higher
// IssuedTime. The address it already has changes nothing.
func (d *Directory) SetServerURL(ctx context.Context, address string) error {
	if err := checkServerURL(address); err != nil {
		return fmt.Errorf("setting server URL: %w", err)
	}
	changed := false
	err := d.store.Update(ctx, func(tx *state.Tx) error {
		row, _ := d.t.server.Get(tx, serverKey)
		if row.URL == address {
			return nil
		}
		changed = true
		return d.t.server.Put(tx, serverRow{URL: address, Stamp: d.stamp(tx)})
	})
	if err != nil {
		return fmt.Errorf("setting server URL: %w", err)
	}
	if changed {
		d.log.Info("server URL set", "url", address)
	}
	return nil
}

func checkServerURL(address string) error {
	const field = "serverURL"
	if err := checkOpaque(field, address, maxURL); err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" ||
		u.User != nil || u.Path != serverPath || u.RawQuery != "" || u.Fragment != "" {
		return &ValidationError{field, "is not of the form http://hostname" + serverPath}
	}
	return nil
}
