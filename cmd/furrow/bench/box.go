package bench

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"furrow/appliance/config"
	"furrow/gms/soap/spmr"
	relayclient "furrow/relay/client"
	"furrow/sstp"
	"furrow/web/api"
)

// BoxOptions are what a scratch box is made of.
type BoxOptions struct {
	// Program is the furrow binary.
	Program string
	// Address is the loopback address to listen on.
	Address netip.Addr
	// Dir is where the folder of the box is made; default that of temporary files.
	Dir string
	// Gone is told when the box ends by itself: it is to end the context of
	// whoever waits for the box.
	Gone context.CancelCauseFunc
}

// Box is a scratch box: a process of its own, with a data directory of its own
// that goes with it. It is a [Post], a [Host] and a [Stage].
type Box struct {
	*Child
	options BoxOptions
	dir     string // temporary; the data directory is in it
	data    string
	admin   *api.Client
	relay   relayclient.Relay
	crowd   []relayclient.User
	routes  []Route
}

// ErrNotLoopback says that a load was to be put on something else than this
// machine.
var ErrNotLoopback = errors.New("load is generated on loopback addresses only")

// quietly is the configuration of a scratch box: a line for each of thousands of
// registrations is of use to nobody.
const quietly = "log_level = \"warn\"\n"

// StartBox starts a box. The caller calls Close at the end, whatever has happened
// to the box since.
func StartBox(ctx context.Context, o BoxOptions) (_ *Box, err error) {
	if !o.Address.IsLoopback() {
		return nil, fmt.Errorf("%w: %v is none", ErrNotLoopback, o.Address)
	}
	dir, err := os.MkdirTemp(o.Dir, "furrow-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the scratch box: %w", err)
	}
	b := &Box{options: o, dir: dir, data: filepath.Join(dir, "var")}
	b.admin = api.NewClient(b.data)
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if err := os.Mkdir(b.data, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(b.data, config.FileName), []byte(quietly), 0o600); err != nil {
		return nil, err
	}
	if err := b.serve(ctx, netip.AddrPortFrom(o.Address, 0).String()); err != nil {
		return nil, err
	}
	return b, b.meetRelay(ctx)
}

// serve starts the process and waits until it serves.
func (b *Box) serve(ctx context.Context, sstpAddress string) (err error) {
	cmd := exec.Command(b.options.Program, "--data", b.data, "serve",
		"--listen", "http="+netip.AddrPortFrom(b.options.Address, 0).String(), "--listen", "sstp="+sstpAddress, "--listen", "https=", "--listen", "relay-admin=")
	if b.Child, err = StartChild("furrow serve", cmd, b.options.Gone); err != nil {
		return err
	}
	return b.await(ctx, "the scratch box serves", func(ctx context.Context) error {
		_, err := b.admin.LocalRelay(ctx)
		return err
	})
}

const (
	// startPatience is how long a box may take to serve: it makes its keys first.
	startPatience = 2 * time.Minute
	// askInterval is how often it is asked whether it has come so far.
	askInterval = 20 * time.Millisecond
)

// await asks the box until there is no error.
func (b *Box) await(ctx context.Context, what string, ask func(context.Context) error) error {
	late := time.NewTimer(startPatience)
	defer late.Stop()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(askInterval):
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx))
		case <-late.C:
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
	}
}

// meetRelay learns where the relay of the box is, and its key.
func (b *Box) meetRelay(ctx context.Context) error {
	file, err := b.admin.RelayIdentity(ctx)
	if err != nil {
		return err
	}
	identity, err := spmr.ParseRelayIdentity(file.Content)
	if err != nil {
		return err
	}
	b.relay, err = relayclient.NewRelay(identity.DeviceURL, identity.SSTPCertificate.DER())
	return err
}

// restart stops the process in order and starts it again in the same place.
func (b *Box) restart(ctx context.Context) error {
	address, err := sstp.RelayAddress(b.relay.URL)
	if err != nil {
		return err
	}
	b.stop()
	return b.serve(ctx, address)
}

// Close stops the process and removes what it has left.
func (b *Box) Close() error {
	b.stop()
	b.admin.Close()
	if err := os.RemoveAll(b.dir); err != nil {
		return fmt.Errorf("removing the scratch box: %w", err)
	}
	return nil
}

// Explain is that of the [Child] that runs now.
func (b *Box) Explain(err error) error {
	if b.Child == nil {
		return err
	}
	return b.Child.Explain(err)
}

func (b *Box) stop() {
	if b.Child != nil {
		b.Stop()
		b.Child = nil
	}
}
