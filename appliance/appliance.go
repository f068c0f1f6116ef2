// Package appliance is the box: it opens the state, wires the parts to each other, binds the sockets, runs everything
// and stops it in order.
//
// New does all that can fail for reasons a person must mend (a locked or damaged data directory, a taken port), Run
// serves. When the disk can no longer be trusted, Run ends with an error: only a restart can tell what the disk has.
package appliance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"furrow/appliance/backup"
	"furrow/appliance/backup/plan"
	"furrow/appliance/checkup"
	"furrow/appliance/config"
	"furrow/appliance/disk"
	"furrow/appliance/host"
	"furrow/appliance/keys"
	"furrow/appliance/machine"
	"furrow/appliance/mail"
	"furrow/appliance/recentlog"
	"furrow/appliance/state"
	"furrow/appliance/support"
	"furrow/appliance/tlscert"
	"furrow/appliance/update"
	"furrow/gms/directory"
	"furrow/gms/invitation"
	"furrow/gms/ldapsync"
	"furrow/gms/relaylink"
	"furrow/gms/service"
	"furrow/web/access"
	"furrow/web/api"
)

// stateDir is the folder of the state engine in the data directory.
const stateDir = "state"

// RollBack makes the state from before the last upgrade of its form the current one of a stopped box, for the older
// version that cannot open it as it is; see [state.RollBack].
func RollBack(dataDir string) error { return state.RollBack(filepath.Join(dataDir, stateDir)) }

// CheckState says whether this version can open the state of a stopped box without loss, and whether that would change the
// form of its rows, so that an older version could not open it any more.
func CheckState(dataDir string) (changes bool, err error) {
	schema, _ := declare()
	report, err := state.Check(filepath.Join(dataDir, stateDir), schema)
	if err == nil && report.Recovery != nil {
		err = fmt.Errorf("the state is damaged: %s", report.Recovery)
	}
	if err != nil {
		return false, err
	}
	return report.Upgraded > 0, nil
}

// backupsDir is the folder of the account backups in the data directory.
const backupsDir = "account-backups"

// Options are what a box is made of.
type Options struct {
	// DataDir holds everything the box keeps; it is made with mode 0700 when it is not there.
	DataDir string
	Config  config.Config
	// ConfigFile is where Config was read, for backups; there need not be such a file.
	ConfigFile string
	// CredentialsDir is the service manager's $CREDENTIALS_DIRECTORY, empty without one.
	CredentialsDir string
	// Sockets are those that the service manager passed.
	Sockets host.Sockets
	// Hostname names the box in the server URL when Config names none.
	Hostname string
	Version  string
	Log      *slog.Logger
	Now      func() time.Time
	// Closed says whether the box must not serve other machines for now; nil: it never must not.
	Closed func() bool
	// Examine examines the running box as its users meet it; nil if this program cannot.
	Examine checkup.Examine
}

// Appliance is one box. Run or Close it.
type Appliance struct {
	opts      Options
	store     *state.Store
	report    *state.Report
	directory *directory.Directory
	service   *service.Server
	records   records
	lifeSign  *state.Table[lifeSign]
	address   *state.Table[chosenAddress]
	links     *relaylink.Links // nil in recovery mode
	relay     *relayBox        // nil for a box that is no relay
	mail      *mail.Post
	ldap      *ldapsync.Syncer
	access    *access.Control

	invitations *invitation.Desk

	tls       *tlscert.Keeper
	parts     []backup.Part // of the data directory, but for state and spool
	backups   *plan.Plan
	watch     watch
	recentLog *recentlog.Ring
	checkup   *checkup.Room
	machine   *machine.Machine
	services  *services
	http      net.Listener
	https     net.Listener // nil for a box without TLS
	admin     net.Listener
	serverURL string

	restoring sync.Mutex    // is held while a backup is read
	restored  chan struct{} // capacity 1: a restored box waits to be opened
	restart   chan struct{} // capacity 1: somebody has asked for a restart
}

// New opens the data directory and binds the sockets.
func New(ctx context.Context, opts Options) (_ *Appliance, err error) {
	recent := new(recentlog.Ring)
	opts.Log = slog.New(recent.Handler(opts.Log.Handler()))
	a := &Appliance{
		opts: opts, services: newServices(opts.Log), recentLog: recent, checkup: checkup.New(opts.Examine, opts.Now),
		machine:  machine.New(machine.StewardSocket, update.Socket, support.ShownDir),
		restored: make(chan struct{}, 1), restart: make(chan struct{}, 1),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
		}
	}()
	if err := (disk.OS{}).MakeDir(opts.DataDir); err != nil {
		return nil, fmt.Errorf("data directory: %w", err)
	}
	if err := adopt(opts.DataDir, opts.Log); err != nil {
		return nil, err
	}
	tables, vault, err := a.openState()
	if err != nil {
		return nil, err
	}
	if err := a.listen(); err != nil {
		return nil, err
	}
	if err := a.setServerURL(ctx); err != nil {
		return nil, err
	}
	if err := a.openTLS(ctx, tables.tls, vault); err != nil {
		return nil, err
	}
	if a.Recovery() != nil {
		a.openBackups(tables.backups, vault)
		return a, nil // nothing may change, and relays are changed by being managed
	}
	if err := a.directory.CollectBackups(ctx); err != nil {
		return nil, err
	}
	if err := a.openLinks(ctx, tables.links, vault); err != nil {
		return nil, err
	}
	if err := a.openRelay(ctx, tables, vault); err != nil {
		return nil, err
	}
	a.openBackups(tables.backups, vault)
	return a, nil
}

// openRelay makes the relay, unless the box is to be none. A taken port costs the relay only: members must be able to
// join and ask all the same.
func (a *Appliance) openRelay(ctx context.Context, tables laterTables, vault *keys.Vault) (err error) {
	if a.opts.Config.Listen.SSTP == "" {
		return nil
	}
	a.relay, err = newRelayBox(ctx, a, tables, vault)
	if errors.Is(err, syscall.EADDRINUSE) {
		a.opts.Log.Error("this box runs no relay: its port is taken by another program", "error", err)
		return nil
	}
	return err
}

// openTLS makes or loads the certificate that the box shows over TLS.
func (a *Appliance) openTLS(ctx context.Context, tables *tlscert.Tables, vault *keys.Vault) (err error) {
	server, err := url.Parse(a.serverURL)
	if err != nil {
		return err
	}
	names := []string{server.Hostname()}
	for _, name := range []string{strings.ToLower(a.opts.Hostname), "localhost"} {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	a.tls, err = tlscert.Open(ctx, tlscert.Config{
		Store: a.store, Tables: tables, Vault: vault, Names: names, Now: a.opts.Now, Log: a.opts.Log,
	})
	return err
}

// openState opens the store, which takes the lock of the data directory, and then the vault.
func (a *Appliance) openState() (laterTables, *keys.Vault, error) {
	schema, tables := declare()
	a.lifeSign, a.address = tables.lifeSign, tables.address
	var err error
	a.store, a.report, err = state.Open(filepath.Join(a.opts.DataDir, stateDir), schema, state.Options{Logger: a.opts.Log})
	if errors.Is(err, state.ErrLocked) {
		return laterTables{}, nil, fmt.Errorf("data directory %s: another furrow is running on it", a.opts.DataDir)
	}
	if errors.Is(err, state.ErrNewer) {
		err = fmt.Errorf("%w; run that version again, or give up what it changed: furrow --data %s recovery roll-back", err, a.opts.DataDir)
	}
	if err != nil {
		return laterTables{}, nil, fmt.Errorf("opening the state: %w", err)
	}
	vault, err := openVault(a.opts.DataDir, a.opts.CredentialsDir)
	if err != nil {
		return laterTables{}, nil, fmt.Errorf("opening the vault: %w", err)
	}
	backups, err := a.openBlobs(backupsDir)
	if err != nil {
		return laterTables{}, nil, err
	}
	a.directory = directory.New(directory.Config{
		Store: a.store, Tables: tables.directory, Backups: backups, Vault: vault, Now: a.opts.Now, Log: a.opts.Log, GenerateKeys: keys.GenerateKeySet,
		ResetLifetime: a.opts.Config.PasswordReset.Lifetime,
	})
	a.mail = mail.New(mail.Config{
		Store: a.store, Tables: tables.mail, Vault: vault, Hostname: a.opts.Hostname, Now: a.opts.Now, Log: a.opts.Log,
	})
	a.invitations = invitation.New(invitation.Config{
		Store: a.store, Tables: tables.invitations, Directory: a.directory, Post: a.mail,
	})
	if err := a.openRecords(tables.records, vault); err != nil {
		return laterTables{}, nil, err
	}
	if err := a.openWatch(tables.watch, vault); err != nil {
		return laterTables{}, nil, err
	}
	authenticator, err := a.newSignin()
	if err != nil {
		return laterTables{}, nil, err
	}
	a.watch.signins = func() uint64 { return authenticator.Refused() + a.access.Failures() }
	a.ldap = ldapsync.New(ldapsync.Config{
		Store: a.store, Tables: tables.ldap, Vault: vault, Directory: a.directory, Changed: a.membersChanged,
		Now: a.opts.Now, Log: a.opts.Log,
	})
	a.access = access.New(access.Config{
		Store: a.store, Tables: tables.access, Vault: vault, Actions: a.watch.actions, Now: a.opts.Now, Log: a.opts.Log,
	})
	a.service = service.New(service.Config{
		Directory: a.directory, Audit: a.records.audit, Statistics: a.records.statistics, Mail: a.mail,
		Now: a.opts.Now, Log: a.opts.Log, RemoteUser: authenticator.RemoteUser, AuthTLS: a.announceTLS,
	})
	return tables.laterTables, vault, nil
}

// openVault prefers the service manager's credential, which a TPM can hold, to making a key file. But a key file that is
// there is the key of this data: it was made before there was a credential, or restored from another machine.
func openVault(dataDir, credentialsDir string) (*keys.Vault, error) {
	_, err := os.Lstat(filepath.Join(dataDir, keys.MasterKeyFile))
	if credentialsDir != "" && errors.Is(err, fs.ErrNotExist) {
		vault, err := keys.OpenCredentialVault(credentialsDir)
		if !errors.Is(err, fs.ErrNotExist) {
			return vault, err
		}
	}
	return keys.OpenVault(dataDir)
}

func (a *Appliance) listen() (err error) {
	if a.admin, err = host.ListenUnix(filepath.Join(a.opts.DataDir, api.SocketName)); err != nil {
		return fmt.Errorf("admin socket: %w", err)
	}
	if a.http, err = a.bind("http", a.opts.Config.Listen.HTTP); err != nil {
		return err
	}
	if a.opts.Config.Listen.HTTPS != "" {
		a.https, err = a.bind("https", a.opts.Config.Listen.HTTPS)
	}
	return err
}

// HTTPAddr is the address that the management server really listens on.
func (a *Appliance) HTTPAddr() net.Addr { return a.http.Addr() }

// ServerURL is the address that clients are told to use.
func (a *Appliance) ServerURL() string { return a.serverURL }

// Recovery is what the start found damaged; nil when the state is sound.
func (a *Appliance) Recovery() *state.Recovery { return a.report.Recovery }

// Close releases what New opened. It is for a box that was never run; Run closes by itself.
func (a *Appliance) Close() error {
	var errs []error
	if a.relay != nil {
		errs = append(errs, a.relay.close())
	}
	for _, l := range []net.Listener{a.http, a.https, a.admin} {
		if l != nil {
			errs = append(errs, closeListener(l))
		}
	}
	if a.watch.actions != nil {
		errs = append(errs, a.watch.actions.Close())
	}
	if a.store != nil {
		errs = append(errs, a.store.Close())
	}
	return errors.Join(errs...)
}

// closeListener treats one that its HTTP server has already closed as closed.
func closeListener(l net.Listener) error {
	if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
