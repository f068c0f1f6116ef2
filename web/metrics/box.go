package metrics

import (
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"furrow/appliance/alert"
	"furrow/appliance/backup/plan"
	"furrow/appliance/disk"
	"furrow/appliance/mail"
	"furrow/appliance/state"
	"furrow/appliance/tlscert"
	"furrow/gms/directory"
	"furrow/web/access"
)

// Box is what is measured.
type Box struct {
	Version   string
	Started   time.Time
	DataDir   string
	Store     *state.Store
	Directory *directory.Directory
	Access    *access.Control
	Mail      *mail.Post
	Backup    *plan.Plan
	Alerts    *alert.Monitor
	// TLS keeps the certificate of the box; nil for one without.
	TLS *tlscert.Keeper
	// Relay is nil for a box that runs none.
	Relay Relay
	Log   *slog.Logger
}

type boxCollector struct {
	Box

	build, started, recovery                                        figure
	commits, flushes, rows, checkpoint, journal                     figure
	compactions, compacted, pause                                   figure
	diskFree, diskTotal                                             figure
	domains, members                                                figure
	sessions, refusedSignIns                                        figure
	mailWaiting, mailFailed                                         figure
	backupPlanned, backupTried, backupSucceeded, backupFailed, size figure
	alerts                                                          figure
	tlsExpiry, domainExpiry                                         figure
}

func newBoxCollector(b Box) *boxCollector {
	return &boxCollector{
		Box:      b,
		build:    gauge("build_info", "Always 1, with the version of the program that runs.", "version"),
		started:  gauge("start_timestamp_seconds", "When the box began to serve."),
		recovery: gauge("state_recovery", "1 while the state, restored from damaged files, is read-only."),

		commits:     counter("state_commits_total", "Changes that were made durable."),
		flushes:     counter("state_flushes_total", "Flushes of the disk that made them so."),
		rows:        gauge("state_rows", "Rows of all tables."),
		checkpoint:  gauge("state_checkpoint_bytes", "Octets of the state's file that a compaction wrote."),
		journal:     gauge("state_journal_bytes", "Octets behind them, with the changes since."),
		compactions: counter("state_compactions_total", "Compactions of the state's file."),
		compacted:   gauge("state_last_compaction_timestamp_seconds", "When the last one ended; absent if there was none since the start."),
		pause:       gauge("state_last_compaction_pause_seconds", "How long changes waited for it."),

		diskFree:  gauge("disk_free_bytes", "Octets that can still be written to the file system of the data directory."),
		diskTotal: gauge("disk_size_bytes", "Size of that file system in octets."),

		domains: gauge("domains", "Domains."),
		members: gauge("members", "Members, by status.", "status"),

		sessions:       gauge("admin_sessions", "Sessions of administrators at the pages."),
		refusedSignIns: counter("admin_refused_sign_ins_total", "Wrong passwords, codes and tokens at the pages and the interface."),

		mailWaiting: gauge("mail_waiting_messages", "Letters of the box that are to be sent."),
		mailFailed:  gauge("mail_failed_messages", "Letters of the box that were given up."),

		backupPlanned:   gauge("backup_planned", "1 if the box is to make backups by itself."),
		backupTried:     gauge("backup_last_attempt_timestamp_seconds", "When the last backup of the box ended, well or not; absent if there was none."),
		backupSucceeded: gauge("backup_last_success_timestamp_seconds", "When the last one ended that did not fail; absent if there was none."),
		backupFailed:    gauge("backup_failures", "How many failed since then."),
		size:            gauge("backup_last_size_bytes", "Octets of the last one that did not fail."),

		alerts: gauge("alerts", "Alerts that are raised, by kind and level.", "alert", "level"),

		tlsExpiry:    gauge("tls_certificate_expiry_timestamp_seconds", "When the certificate that the box shows over TLS ends."),
		domainExpiry: gauge("domain_certificate_expiry_timestamp_seconds", "When the first of the domains' certificates ends."),
	}
}

// Describe implements [prometheus.Collector]. What there is differs: times that have not been are left out.
func (c *boxCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (c *boxCollector) Collect(to chan<- prometheus.Metric) {
	f := figures(to)
	f.send(c.build, 1, c.Version)
	f.when(c.started, c.Started)
	c.sendState(f)
	c.sendDisk(f)
	c.sendDirectory(f)
	f.send(c.sessions, float64(c.Access.SignedIn()))
	f.send(c.refusedSignIns, float64(c.Access.Failures()))
	c.sendMail(f)
	c.sendBackup(f)
	c.sendAlerts(f)
	if c.TLS != nil {
		f.when(c.tlsExpiry, c.TLS.Info().Until)
	}
}

func (c *boxCollector) sendState(f figures) {
	f.send(c.recovery, either(errors.Is(c.Store.Err(), state.ErrRecovery)))
	stats := c.Store.Stats()
	f.send(c.commits, float64(stats.Commits))
	f.send(c.flushes, float64(stats.Flushes))
	f.send(c.rows, float64(stats.Rows))
	f.send(c.checkpoint, float64(stats.CheckpointBytes))
	f.send(c.journal, float64(stats.FileBytes-stats.CheckpointBytes))
	f.send(c.compactions, float64(stats.Compactions))
	f.when(c.compacted, stats.Compacted)
	f.send(c.pause, stats.CompactionPause.Seconds())
}

// sendDisk leaves out what cannot be known.
func (c *boxCollector) sendDisk(f figures) {
	free, freeErr := disk.OS{}.Free(c.DataDir)
	total, totalErr := disk.OS{}.Total(c.DataDir)
	if err := errors.Join(freeErr, totalErr); err != nil {
		c.Log.Warn("free space is not known", "error", err)
		return
	}
	f.send(c.diskFree, float64(free))
	f.send(c.diskTotal, float64(total))
}

func (c *boxCollector) sendDirectory(f figures) {
	counts := c.Directory.CountMembers("")
	for _, status := range directory.Statuses() {
		f.send(c.members, float64(counts[status]), status.String())
	}
	domains := c.Directory.Domains()
	f.send(c.domains, float64(len(domains)))
	var first time.Time
	for _, d := range domains {
		if first.IsZero() || d.Expires.Before(first) {
			first = d.Expires
		}
	}
	f.when(c.domainExpiry, first)
}

func (c *boxCollector) sendMail(f figures) {
	waiting, failed := c.Mail.Count()
	f.send(c.mailWaiting, float64(waiting))
	f.send(c.mailFailed, float64(failed))
}

func (c *boxCollector) sendBackup(f figures) {
	outcome := c.Backup.Outcome()
	f.send(c.backupPlanned, either(!c.Backup.Next().IsZero()))
	f.when(c.backupTried, outcome.Tried)
	f.when(c.backupSucceeded, outcome.Succeeded)
	f.send(c.backupFailed, float64(outcome.Failures))
	f.send(c.size, float64(outcome.Size))
}

// sendAlerts says of every kind how many are raised, so that a rule finds what is well, too.
func (c *boxCollector) sendAlerts(f figures) {
	type name struct {
		kind  alert.Kind
		level alert.Level
	}
	raised := map[name]int{}
	for _, s := range c.Alerts.List() {
		raised[name{s.Kind, s.Level}]++
	}
	for _, rule := range alert.Rules() {
		for _, level := range []alert.Level{alert.Warning, alert.Critical} {
			f.send(c.alerts, float64(raised[name{rule.Kind, level}]), string(rule.Kind), level.String())
		}
	}
}
