package appliance

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"time"

	"furrow/appliance/config"
	"furrow/appliance/keys"
	"furrow/appliance/spool"
	"furrow/gms/relaylink"
	"furrow/relay"
	"furrow/relay/admin"
	"furrow/relay/presence"
	"furrow/relay/queue"
	"furrow/relay/registry"
	"furrow/relay/traffic"
	"furrow/sstp"
	"furrow/sstp/carrier"
	"furrow/sstp/carrier/port"
)

const (
	// spoolDir is the folder of the relay's message bodies in the data directory.
	spoolDir = "spool"
	// sstpPort and httpPort are left out of URLs.
	sstpPort = "2492"
	httpPort = "80"
	// returnTime is when a client should come again after an orderly stop: an update takes less.
	returnTime = 30 * time.Second
)

// relayBox is the relay of this box. The management server of the box manages it as any other, by the published
// protocol, over a transport in memory.
type relayBox struct {
	services *services
	links    *relaylink.Links             // the management server's
	listen   func() (net.Listener, error) // binds the relay-management port
	guid     string                       // of this box's relay in the directory

	registry *registry.Registry
	spool    *spool.Spool
	queues   *queue.Queues
	presence *presence.Hub
	server   *relay.Server
	carriers *carrier.Server
	traffic  *traffic.Book
	admin    *admin.Server
	sstp     net.Listener

	cancel context.CancelFunc // ends what start began
	work   sync.WaitGroup

	mu      sync.Mutex
	outside bool // guarded by mu: relay management is served to outside managers
}

// newRelayBox makes the relay and pairs it with the management server, which has its identity already.
func newRelayBox(ctx context.Context, a *Appliance, tables laterTables, vault *keys.Vault) (_ *relayBox, err error) {
	r := &relayBox{services: a.services, links: a.links}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("relay: %w", err), r.close())
		}
	}()
	r.registry = registry.New(registry.Config{
		Store: a.store, Tables: tables.registry, Vault: vault, Now: a.opts.Now, Log: a.opts.Log, GenerateKeys: keys.GenerateKeySet,
	})
	if r.sstp, err = a.bind("sstp", a.opts.Config.Listen.SSTP); err != nil {
		return nil, err
	}
	r.listen = func() (net.Listener, error) {
		return a.bind("relay-admin", a.opts.Config.Listen.RelayAdmin)
	}
	deviceURL, soapURL, err := relayURLs(a.serverURL, r.sstp.Addr(), a.opts.Config.Listen.RelayAdmin)
	if err != nil {
		return nil, err
	}
	identity, err := r.registry.EnsureIdentity(ctx, deviceURL, soapURL)
	if err != nil {
		return nil, err
	}
	if err := r.openQueues(a); err != nil {
		return nil, err
	}
	if err := r.newServers(a, deviceURL); err != nil {
		return nil, err
	}
	r.traffic = traffic.New(traffic.Config{
		Store: a.store, Tables: tables.traffic, Read: r.carried, Now: a.opts.Now, Log: a.opts.Log,
	})
	manager, err := r.links.Identity()
	if err != nil {
		return nil, err
	}
	if _, err := r.registry.ImportManager(ctx, manager); err != nil {
		return nil, err
	}
	known, err := r.links.ImportRelay(ctx, identity)
	if err != nil {
		return nil, err
	}
	r.guid = known.GUID
	return r, r.AssignToEmptySets(ctx)
}

// relayURLs are the names of the relay: its device URL, by which clients and other relays find it, and the address of
// its management (MS-GRVSPCM 3.2.1). Both have the host of the server URL.
func relayURLs(serverURL string, sstp net.Addr, relayAdmin string) (deviceURL, soapURL string, err error) {
	server, err := url.Parse(serverURL)
	if err != nil {
		return "", "", err
	}
	_, port, _ := net.SplitHostPort(relayAdmin) // none is the usual one
	soap := config.HostPort(server.Hostname(), port, httpPort)
	return "grooveDNS://" + config.Authority(server.Hostname(), sstp, sstpPort), "http://" + soap + admin.Path, nil
}

// openQueues opens the spool. Damage there costs the damaged messages and is told in the log; the relay starts.
func (r *relayBox) openQueues(a *Appliance) (err error) {
	var report spool.Report
	r.spool, report, err = spool.Open(spool.Options{
		Dir: filepath.Join(a.opts.DataDir, spoolDir), Now: a.opts.Now, Log: a.opts.Log,
	})
	if err != nil {
		return err
	}
	if !report.Sound() {
		a.opts.Log.Error("messages were damaged on the disk", "found", len(report.Damage)+report.Omitted, "kept", report.Messages)
	}
	r.queues, err = queue.New(queue.Options{
		Spool: r.spool, Directory: relay.NewDirectory(r.registry), Now: a.opts.Now, Log: a.opts.Log,
		MaxMessageBytes: a.opts.Config.Relay.MaxMessageBytes(),
	})
	return err
}

func (r *relayBox) newServers(a *Appliance, deviceURL string) error {
	clientKeys, err := r.registry.SSTPKeys()
	if err != nil {
		return err
	}
	managerKeys, err := r.registry.SOAPKeys()
	if err != nil {
		return err
	}
	r.presence = presence.New(presence.Config{Log: a.opts.Log, Diagnose: a.opts.Config.Relay.Diagnose})
	r.server = relay.New(relay.Config{
		Registry: r.registry, Queues: r.queues, Key: clientKeys.Encryption, DeviceURLs: []string{deviceURL},
		// Proxies and routers on the way forget what is silent for minutes ([MS-GRVHENC] 3.1.2.3).
		Timers:   sstp.Timers{OutboundIdle: carrier.NoopInterval},
		Presence: r.presence, Diagnose: a.opts.Config.Relay.Diagnose, Log: a.opts.Log,
	})
	r.carriers = carrier.NewServer(carrier.ServerConfig{Adopt: r.server.Adopt, Other: port.Resume, Log: a.opts.Log})
	r.admin = admin.New(admin.Config{
		Registry: r.registry,
		Purger: relay.Purger{
			Registry: r.registry, Queues: r.queues, SpareRecent: a.opts.Config.Relay.SpareRecentOnPurge,
		},
		Keys: managerKeys, Now: a.opts.Now, Log: a.opts.Log,
	})
	return nil
}

// AssignToEmptySets gives this box's relay to every domain that has none in its default relay set.
func (r *relayBox) AssignToEmptySets(ctx context.Context) error {
	if err := r.links.AssignToEmptySets(ctx, r.guid); err != nil {
		return err
	}
	r.links.Nudge()
	return nil
}

// Registry is what this box's relay remembers.
func (r *relayBox) Registry() *registry.Registry { return r.registry }

// Stats is what this box's relay is doing.
func (r *relayBox) Stats() relay.Stats { return r.server.Stats() }

// Presence is who is online at this box's relay, and who watches.
func (r *relayBox) Presence() presence.Stats { return r.presence.Stats() }

// Spool is what the messages take on the disk.
func (r *relayBox) Spool() spool.Stats { return r.spool.Stats() }

// Encapsulated counts the SSTP connections in HTTP, by encapsulation.
func (r *relayBox) Encapsulated() map[string]int {
	s := r.carriers.Stats()
	return map[string]int{"long-lived": s.LongLived, "keep-alive": s.KeepAlive, "polling": s.Polling}
}

// carried is what the relay has carried since its start.
func (r *relayBox) carried() traffic.Sum {
	s := r.server.Stats()
	return traffic.Sum{
		MessagesIn: s.MessagesReceived, BytesIn: s.BytesReceived, MessagesOut: s.MessagesSent + s.MessagesForwarded,
		BytesOut: s.BytesSent + s.BytesForwarded, Online: r.presence.Stats().Online,
	}
}

// DeviceState implements [api.RelayBox].
func (r *relayBox) DeviceState(deviceURL string) (online bool, messages int, bytes int64) {
	waiting := r.queues.Usage(deviceURL)
	return r.presence.Online(deviceURL), waiting.Messages, waiting.Bytes
}

// Waiting counts what is stored for recipients who are not there, once for each recipient.
func (r *relayBox) Waiting() (messages int, bytes int64) {
	for _, usage := range r.queues.All() {
		messages += usage.Messages
		bytes += usage.Bytes
	}
	return messages, bytes
}

// Queues yields every queue in which something waits, in no order.
func (r *relayBox) Queues() iter.Seq2[queue.Address, spool.Usage] { return r.queues.All() }

// Purge implements [api.RelayBox].
func (r *relayBox) Purge(ctx context.Context, target string) (messages int, bytes int64, err error) {
	purged := r.queues.Purge(func(a queue.Address) bool { return a.Target() == target }, 0)
	if err := r.queues.Maintain(ctx); err != nil {
		return 0, 0, fmt.Errorf("purging what waits for %s: %w", target, err)
	}
	return purged.Messages, purged.Bytes, nil
}

// start begins to serve. What fails later is reported to the services.
func (r *relayBox) start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel = cancel
	r.work.Go(func() { r.queues.Run(ctx) })
	r.work.Go(func() { r.traffic.Run(ctx) })
	r.work.Go(func() {
		select {
		case <-ctx.Done():
		case <-r.spool.Failed():
			r.services.fail(fmt.Errorf("stopping because the disk can no longer be trusted: %w", r.spool.Err()))
		}
	})
	if err := r.ServeOutsideManagers(); err != nil {
		r.services.fail(err)
	}
}

// ServeOutsideManagers binds the relay-management port if a management server is known that is not this box's own. An
// office whose box manages itself has one port less open.
func (r *relayBox) ServeOutsideManagers() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.outside || len(r.registry.Managers()) < 2 {
		return nil
	}
	listener, err := r.listen()
	if err != nil {
		return err
	}
	r.services.start("relay-admin", listener, r.admin)
	r.outside = true
	return nil
}

// stop ends what start began: first the connections, then what works for them.
func (r *relayBox) stop(ctx context.Context) error {
	err := r.server.Shutdown(ctx, returnTime)
	r.presence.Close()
	r.cancel()
	r.work.Wait()
	return err
}

// close releases what newRelayBox opened. A relay that was started must have been stopped.
func (r *relayBox) close() error {
	var errs []error
	if r.server != nil {
		errs = append(errs, r.server.Shutdown(context.Background(), returnTime))
	}
	if r.sstp != nil {
		errs = append(errs, closeListener(r.sstp))
	}
	if r.spool != nil {
		errs = append(errs, r.spool.Close())
	}
	return errors.Join(errs...)
}
