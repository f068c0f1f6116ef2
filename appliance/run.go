package appliance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"furrow/appliance/host"
	"furrow/web/api"
	"furrow/web/metrics"
)

// drainTimeout is how long running requests may take to finish after a stop was asked for: a person who restarts the box
// waits no longer than 10 seconds for the stop, whatever the load.
const drainTimeout = 8 * time.Second

// ErrRestored says that a box ended because another one, restored from a backup, waits in its data directory: New opens
// that one.
var ErrRestored = errors.New("the box is replaced by a restored one")

// ErrRestart says that a box ended because an administrator has asked for a restart of it.
var ErrRestart = errors.New("the box is to start again")

// Again reports whether an error of Run asks for New and Run once more, in the same process: what it was started with
// and the sockets of the service manager stay.
func Again(err error) bool { return errors.Is(err, ErrRestored) || errors.Is(err, ErrRestart) }

// Run serves until ctx ends, then finishes the running requests and closes everything. It returns an error when the
// box had to stop by itself.
func (a *Appliance) Run(ctx context.Context) error {
	if err := a.announceSetup(ctx); err != nil {
		return errors.Join(err, a.Close())
	}
	stopping, stop := context.WithCancel(ctx)
	defer stop()
	admin := api.NewHandler(a.adminConfig())
	front, err := a.pages(stopping, admin)
	if err != nil {
		return errors.Join(err, a.Close())
	}
	a.services.startAdmin(a.admin, admin)
	stops := []func(){background(a.feedWatchdog), background(a.checkup.Run)}
	if a.Recovery() == nil {
		stops = append(stops, background(a.links.Run), background(a.mail.Run), background(a.tls.Run), background(a.retain),
			background(a.records.audit.Run), background(a.records.statistics.Run), background(a.ldap.Run),
			background(a.backups.Run))
	}
	if a.relay != nil {
		a.relay.start()
	}
	stops = append(stops, background(a.watch.alerts.Run)) // recovery mode is worth an alert, too
	ports := a.startPorts(front, api.NewNetworkHandler(admin, a.access, a.opts.Log))
	a.tell("ready", host.Ready("serving "+a.serverURL))

	var cause error
	select {
	case <-ctx.Done():
	case <-a.store.Failed():
		cause = fmt.Errorf("stopping because the disk can no longer be trusted: %w", a.store.Err())
	case cause = <-a.services.failed:
	case <-a.restored:
		cause = ErrRestored
	case <-a.restart:
		cause = ErrRestart
	}
	if Again(cause) {
		a.tell("reloading", host.Reloading())
	} else {
		a.tell("stopping", host.Stopping())
	}
	stop()

	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	closed := make(chan error, 1)
	go func() { closed <- ports.close(drain) }()
	errs := []error{cause, a.services.stop(drain)}
	for _, stop := range stops {
		stop()
	}
	if a.relay != nil {
		errs = append(errs, a.relay.stop(drain))
	}
	errs = append(errs, ports.endCarriers(drain), <-closed)
	return errors.Join(append(errs, a.Close())...)
}

// askRestart has Run end with ErrRestart, once who has asked is answered.
func (a *Appliance) askRestart() {
	select {
	case a.restart <- struct{}{}:
	default: // asked already
	}
}

// background runs something until the returned function is called, which waits for its end.
func background(run func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { run(ctx) })
	return func() {
		cancel()
		done.Wait()
	}
}

// adminConfig is what the administration interface acts on.
func (a *Appliance) adminConfig() api.Config {
	config := api.Config{
		Directory: a.directory, Store: a.store, Recovery: a.report.Recovery, Links: a.links,
		Audit: a.records.audit, Statistics: a.records.statistics, Actions: a.watch.actions, Alerts: a.watch.alerts,
		Mail: a.mail, Invitations: a.invitations, LDAP: a.ldap,
		Access: a.access, Backup: a.backups, Listeners: a.listeners(), Version: a.opts.Version, Now: a.opts.Now, Log: a.opts.Log,
		DataDir: a.opts.DataDir, Started: a.opts.Now(),
		RecentLog: a.recentLog, Checkup: a.checkup, TLS: a.tls,
		Machine: a.machine, Restart: a.askRestart,
		Restore: a.restore,
	}
	if a.opts.Config.ServerURL == "" {
		config.ChooseHost = a.chooseHost
	}
	box := metrics.Box{
		Version: config.Version, Started: config.Started, DataDir: config.DataDir, Store: a.store, Directory: a.directory,
		Access: a.access, Mail: a.mail, Backup: a.backups, Alerts: a.watch.alerts, TLS: a.tls, Log: a.opts.Log,
	}
	if a.relay != nil {
		config.Relay, config.Traffic = a.relay, a.relay.traffic
		box.Relay = a.relay
	}
	config.Metrics = metrics.NewHandler(box, a.services.requests)
	return config
}

// tell logs that the service manager could not be told; the box serves all the same.
func (a *Appliance) tell(what string, err error) {
	if err != nil {
		a.opts.Log.Warn("service manager not told", "state", what, "error", err)
	}
}
