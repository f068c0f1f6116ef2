package appliance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"furrow/appliance/state"
	"furrow/gms/directory"
)

// chosenAddress is where clients find the box as an administrator has said: one row, or none.
type chosenAddress struct {
	ServerURL string `json:"serverURL"`
}

const chosenAddressKey = "address"

func declareAddress(schema *state.Schema) *state.Table[chosenAddress] {
	return state.Define(schema, "address", state.TableOptions[chosenAddress]{
		Version: 1, Key: func(chosenAddress) string { return chosenAddressKey },
	})
}

// setServerURL records the address clients are to use: that of the configuration, else the chosen one, else one made of
// the machine's name. In recovery mode nothing can be recorded, and the address stays as it was until the restored state
// is accepted and the box restarted.
func (a *Appliance) setServerURL(ctx context.Context) error {
	a.serverURL = a.opts.Config.EffectiveServerURL(a.opts.Hostname, a.http.Addr())
	if chosen, ok := a.address.Get(a.store.Snapshot(), chosenAddressKey); ok && a.opts.Config.ServerURL == "" {
		a.serverURL = chosen.ServerURL
	}
	err := a.directory.SetServerURL(ctx, a.serverURL)
	if errors.Is(err, state.ErrRecovery) {
		return nil
	}
	return err
}

// chooseHost has clients find the box under another name from its next start on, when relay and certificate get it too.
// A port may follow the name; without one it is the port that the box listens on.
func (a *Appliance) chooseHost(ctx context.Context, host string) (serverURL string, err error) {
	if _, _, err := net.SplitHostPort(host); err != nil {
		_, port, err := net.SplitHostPort(a.http.Addr().String())
		if err != nil {
			return "", fmt.Errorf("port of the management server: %w", err)
		}
		if port != "80" {
			host = net.JoinHostPort(host, port)
		}
	}
	chosen := url.URL{Scheme: "http", Host: host, Path: "/gms.dll"}
	if again, err := url.Parse(chosen.String()); err != nil || *again != chosen || !isHostName(chosen.Hostname()) || strings.HasSuffix(chosen.Host, ":") {
		return "", &directory.ValidationError{Field: "host", Reason: "is no name of a host, such as groove.example.com"}
	}
	if err := a.directory.SetServerURL(ctx, chosen.String()); err != nil {
		return "", err
	}
	err = a.store.Update(ctx, func(tx *state.Tx) error { return a.address.Put(tx, chosenAddress{chosen.String()}) })
	if err != nil {
		return "", fmt.Errorf("keeping the chosen address: %w", err)
	}
	return chosen.String(), nil
}

// hostName is what name service knows: labels of letters, digits and hyphens.
var hostName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?))*$`)

func isHostName(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return len(name) <= 253 && hostName.MatchString(name)
}
