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

// boxCollector measures a box at each scrape.
type boxCollector struct{ Box }

// Describe implements [prometheus.Collector]. What there is differs: times that have not been are left out.
func (c boxCollector) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (c boxCollector) Collect(to chan<- prometheus.Metric) {
	f := figures(to)
	f.send(gauge("build_info", "Always 1, with the version of the program that runs.", "version"), 1, c.Version)
	f.when(gauge("start_timestamp_seconds", "When the box began to serve."), c.Started)
	c.sendState(f)
	c.sendDisk(f)
	c.sendDirectory(f)
	f.send(gauge("admin_sessions", "Sessions of administrators at the pages."), float64(c.Access.SignedIn()))
	f.send(counter("admin_refused_sign_ins_total", "Wrong passwords, codes and tokens at the pages and the interface."), float64(c.Access.Failures()))
	c.sendMail(f)
	c.sendBackup(f)
	c.sendAlerts(f)
	if c.TLS != nil {
		f.when(gauge("tls_certificate_expiry_timestamp_seconds", "When the certificate that the box shows over TLS ends."), c.TLS.Info().Until)
	}
}

func (c boxCollector) sendState(f figures) {
	f.send(gauge("state_recovery", "1 while the state, restored from damaged files, is read-only."), either(errors.Is(c.Store.Err(), state.ErrRecovery)))
	stats := c.Store.Stats()
	f.send(counter("state_commits_total", "Changes that were made durable."), float64(stats.Commits))
	f.send(counter("state_flushes_total", "Flushes of the disk that made them so."), float64(stats.Flushes))
	f.send(gauge("state_rows", "Rows of all tables."), float64(stats.Rows))
	f.send(gauge("state_checkpoint_bytes", "Octets of the state's file that a compaction wrote."), float64(stats.CheckpointBytes))
	f.send(gauge("state_journal_bytes", "Octets behind them, with the changes since."), float64(stats.FileBytes-stats.CheckpointBytes))
	f.send(counter("state_compactions_total", "Compactions of the state's file."), float64(stats.Compactions))
	f.when(gauge("state_last_compaction_timestamp_seconds", "When the last one ended; absent if there was none since the start."), stats.Compacted)
	f.send(gauge("state_last_compaction_pause_seconds", "How long changes waited for it."), stats.CompactionPause.Seconds())
}

// sendDisk leaves out what cannot be known.
func (c boxCollector) sendDisk(f figures) {
	free, freeErr := disk.OS{}.Free(c.DataDir)
	total, totalErr := disk.OS{}.Total(c.DataDir)
	if err := errors.Join(freeErr, totalErr); err != nil {
		c.Log.Warn("free space is not known", "error", err)
		return
	}
	f.send(gauge("disk_free_bytes", "Octets that can still be written to the file system of the data directory."), float64(free))
	f.send(gauge("disk_size_bytes", "Size of that file system in octets."), float64(total))
}

func (c boxCollector) sendDirectory(f figures) {
	counts := c.Directory.CountMembers("")
	members := gauge("members", "Members, by status.", "status")
	for _, status := range directory.Statuses() {
		f.send(members, float64(counts[status]), status.String())
	}
	domains := c.Directory.Domains()
	f.send(gauge("domains", "Domains."), float64(len(domains)))
	var first time.Time
	for _, d := range domains {
		if first.IsZero() || d.Expires.Before(first) {
			first = d.Expires
		}
	}
	f.when(gauge("domain_certificate_expiry_timestamp_seconds", "When the first of the domains' certificates ends."), first)
}

func (c boxCollector) sendMail(f figures) {
	waiting, failed := c.Mail.Count()
	f.send(gauge("mail_waiting_messages", "Letters of the box that are to be sent."), float64(waiting))
	f.send(gauge("mail_failed_messages", "Letters of the box that were given up."), float64(failed))
}

func (c boxCollector) sendBackup(f figures) {
	outcome := c.Backup.Outcome()
	f.send(gauge("backup_planned", "1 if the box is to make backups by itself."), either(!c.Backup.Next().IsZero()))
	f.when(gauge("backup_last_attempt_timestamp_seconds", "When the last backup of the box ended, well or not; absent if there was none."), outcome.Tried)
	f.when(gauge("backup_last_success_timestamp_seconds", "When the last one ended that did not fail; absent if there was none."), outcome.Succeeded)
	f.send(gauge("backup_failures", "How many failed since then."), float64(outcome.Failures))
	f.send(gauge("backup_last_size_bytes", "Octets of the last one that did not fail."), float64(outcome.Size))
}

// sendAlerts says of every kind how many are raised, so that a rule finds what is well, too.
func (c boxCollector) sendAlerts(f figures) {
	type name struct {
		kind  alert.Kind
		level alert.Level
	}
	raised := map[name]int{}
	for _, s := range c.Alerts.List() {
		raised[name{s.Kind, s.Level}]++
	}
	alerts := gauge("alerts", "Alerts that are raised, by kind and level.", "alert", "level")
	for _, rule := range alert.Rules() {
		for _, level := range []alert.Level{alert.Warning, alert.Critical} {
			f.send(alerts, float64(raised[name{rule.Kind, level}]), string(rule.Kind), level.String())
		}
	}
}
