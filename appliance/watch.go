package appliance

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"furrow/appliance/actionlog"
	"furrow/appliance/alert"
	"furrow/appliance/backup"
	"furrow/appliance/disk"
	"furrow/appliance/keys"
	"furrow/appliance/machine"
	"furrow/appliance/state"
	"furrow/appliance/update"
)

// actionsDir is the folder of the action log in the data directory.
const actionsDir = "actions"

// watch is what looks after the box for its administrators: the log of what they do, and the alerts.
type watch struct {
	actions *actionlog.Log
	alerts  *alert.Monitor
	signins func() uint64 // refused since the start

	// For one goroutine, the monitor's.
	growth, refused alert.Window
	clock           alert.Stepper
	versions        update.Versions
	asked           time.Time // for versions
}

type watchTables struct {
	actions *actionlog.Tables
	alerts  *alert.Tables
}

func declareWatch(schema *state.Schema) watchTables {
	return watchTables{actionlog.Declare(schema), alert.Declare(schema)}
}

// openWatch needs the outbox. What it watches may come later. The log is a part of backups of the box.
func (a *Appliance) openWatch(tables watchTables, vault *keys.Vault) (err error) {
	a.watch.growth, a.watch.refused = alert.Window{Span: 24 * time.Hour}, alert.Window{Span: time.Hour}
	dir := filepath.Join(a.opts.DataDir, actionsDir)
	a.parts = append(a.parts, backup.Part{Dir: actionsDir, Hold: func() backup.Held { return backup.Folder(dir) }})
	a.watch.actions, err = actionlog.Open(actionlog.Config{
		Dir: dir, Store: a.store, Tables: tables.actions, Now: a.opts.Now, Log: a.opts.Log,
	})
	if err != nil {
		return err
	}
	a.watch.alerts = alert.New(alert.Config{
		Store: a.store, Tables: tables.alerts, Vault: vault, Mail: a.mail, Box: a.opts.Hostname, Observe: a.observe,
		Now: a.opts.Now, Log: a.opts.Log,
	})
	return nil
}

// megabyte is that of the thresholds.
const megabyte = 1e6

// observe looks at the box for the alerts. What cannot be looked at is left out.
func (a *Appliance) observe(ctx context.Context) alert.Observations {
	now := a.opts.Now()
	seen := alert.Observations{
		alert.Recovery:      a.observeRecovery(),
		alert.MailStuck:     a.observeMail(now),
		alert.LoginFailures: {{Value: a.watch.refused.Growth(now, float64(a.watch.signins()))}},
		alert.Relay:         a.observeRelays(),
	}
	a.observeDisk(seen)
	a.observeClock(seen, now)
	a.observeSupport(seen)
	a.observeSystem(ctx, seen, now)
	a.observeCertificates(seen, now)
	a.observeBackups(seen, now)
	seen[alert.BoxBackup] = a.observeBoxBackup(now)
	if a.relay != nil {
		messages, octets := a.relay.Waiting()
		waiting := float64(octets) / megabyte
		detail := fmt.Sprintf("%d messages", messages)
		seen[alert.Queue] = []alert.Reading{{Value: waiting, Detail: detail}}
		seen[alert.QueueGrowth] = []alert.Reading{{Value: a.watch.growth.Growth(now, waiting), Detail: detail}}
	}
	return seen
}

func (a *Appliance) observeRecovery() []alert.Reading {
	if !errors.Is(a.store.Err(), state.ErrRecovery) {
		return nil
	}
	return []alert.Reading{{Value: 1, Detail: a.report.Recovery.String()}}
}

func (a *Appliance) observeDisk(seen alert.Observations) {
	free, err := disk.OS{}.Free(a.opts.DataDir)
	if err != nil {
		a.opts.Log.Warn("free space is not known", "error", err)
		return
	}
	seen[alert.Disk] = []alert.Reading{{Value: float64(free) / megabyte}}
}

// observeClock compares the clock with the kernel's that nobody can set and that runs on while the machine sleeps.
func (a *Appliance) observeClock(seen alert.Observations, now time.Time) {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		a.opts.Log.Warn("whether the clock was set is not known", "error", err)
		return
	}
	seen[alert.Clock] = []alert.Reading{{Value: a.watch.clock.Step(now, time.Duration(ts.Nano()))}}
}

// observeSupport says for whom and until when the machine is open to support; what is no image's never is.
func (a *Appliance) observeSupport(seen alert.Observations) {
	open, err := a.machine.Support()
	switch {
	case errors.Is(err, machine.ErrNotImage), err == nil && open == nil:
		seen[alert.Support] = nil
	case err != nil:
		a.opts.Log.Warn("whether support access is open is not known", "error", err)
	default:
		seen[alert.Support] = []alert.Reading{{
			Subject: fmt.Sprintf("until %s, for %s", open.Until.UTC().Format("2006-01-02 15:04 MST"), open.Who), Value: 1,
			Detail: strings.Join(open.Fingerprints, ", "),
		}}
	}
}

const (
	// returnIsNews is how long people are told that an update was taken back.
	returnIsNews = 7 * 24 * time.Hour
	// versionsAge is how old may be what the steward says of the system; it is started for each answer.
	versionsAge = time.Hour
)

// observeSystem says whether the last update was taken back, and whether the system is as it was installed; what is no
// image's is looked after by others.
func (a *Appliance) observeSystem(ctx context.Context, seen alert.Observations, now time.Time) {
	if now.Sub(a.watch.asked).Abs() >= versionsAge || a.watch.versions.Trial {
		versions, err := a.machine.Versions(ctx)
		if err != nil && !errors.Is(err, machine.ErrNotImage) {
			a.opts.Log.Warn("the state of the system is not known", "error", err)
			return
		}
		a.watch.versions, a.watch.asked = versions, now
	}
	seen[alert.Update], seen[alert.System] = nil, nil
	if r := a.watch.versions.Last; r != nil && r.Outcome == update.Returned && now.Sub(r.Settled) < returnIsNews {
		seen[alert.Update] = []alert.Reading{{Subject: r.To.Version, Value: 1, Detail: r.Reason}}
	}
	if c := a.watch.versions.Check; c != nil && c.Damage != "" {
		seen[alert.System] = []alert.Reading{{Value: 2, Detail: c.Damage}}
	}
}

// observeMail says for how many hours the oldest message has waited; one that was given up counts too.
func (a *Appliance) observeMail(now time.Time) []alert.Reading {
	waiting := a.mail.List()
	if len(waiting) == 0 {
		return nil
	}
	oldest := waiting[0]
	for _, w := range waiting {
		if w.Entered.Before(oldest.Entered) {
			oldest = w
		}
	}
	return []alert.Reading{{
		Value:  now.Sub(oldest.Entered).Hours(),
		Detail: fmt.Sprintf("%d messages wait; of the oldest the mail server said: %s", len(waiting), oldest.Error),
	}}
}

// observeRelays reads 1 for a relay that cannot be reached, and 2 for this box's own if it does not run.
func (a *Appliance) observeRelays() (readings []alert.Reading) {
	if a.Recovery() != nil {
		return nil // the box is served as far as it can be
	}
	if a.relay == nil && a.opts.Config.Listen.SSTP != "" {
		readings = append(readings, alert.Reading{Subject: "this box", Value: 2, Detail: "its port is taken by another program"})
	}
	for _, s := range a.links.Status() {
		if s.Error != "" {
			readings = append(readings, alert.Reading{Subject: s.DeviceURL, Value: 1, Detail: "not manageable: " + s.Error})
		}
	}
	if a.relay == nil {
		return readings
	}
	for _, r := range a.relay.Stats().Forwarders {
		if r.Down != "" {
			readings = append(readings, alert.Reading{
				Subject: "to " + r.RelayURL, Value: 1, Detail: fmt.Sprintf("%s; %d messages wait for it", r.Down, r.Messages),
			})
		}
	}
	return readings
}

func (a *Appliance) observeCertificates(seen alert.Observations, now time.Time) {
	days := func(end time.Time) float64 { return end.Sub(now).Hours() / 24 }
	if a.tls != nil && a.https != nil {
		info := a.tls.Info()
		seen[alert.TLSCertificate] = []alert.Reading{{Value: days(info.Until), Detail: "for " + strings.Join(info.Names, ", ")}}
	}
	domains := []alert.Reading{}
	for _, d := range a.directory.Domains() {
		domains = append(domains, alert.Reading{Subject: d.Name, Value: days(d.Expires)})
	}
	relays := []alert.Reading{}
	for _, r := range a.directory.Relays() {
		for kind, der := range map[string][]byte{"SSTP": r.SSTPCertificate, "SOAP": r.SOAPCertificate} {
			if c, err := x509.ParseCertificate(der); err == nil {
				relays = append(relays, alert.Reading{Subject: r.DeviceURL + " (" + kind + ")", Value: days(c.NotAfter)})
			}
		}
	}
	seen[alert.DomainCertificate], seen[alert.RelayCertificate] = domains, relays
}

// namedOverdue is how many members a message names: enough to see whether it is one or all.
const namedOverdue = 10

// observeBackups says how long the account backup that is most overdue is so, and whose are a day or more.
func (a *Appliance) observeBackups(seen alert.Observations, now time.Time) {
	states, err := a.directory.BackupStates("")
	if err != nil {
		a.opts.Log.Warn("the age of account backups is not known", "error", err)
		return
	}
	var worst float64
	var names []string
	for _, s := range states {
		if s.Interval == 0 {
			continue
		}
		overdue := (now.Sub(s.Since) - s.Interval).Hours() / 24
		worst = max(worst, overdue)
		if overdue >= 1 {
			names = append(names, s.Member.FullName)
		}
	}
	detail := strings.Join(names[:min(len(names), namedOverdue)], ", ")
	if more := len(names) - namedOverdue; more > 0 {
		detail += fmt.Sprintf(" and %d more", more)
	}
	seen[alert.AccountBackup] = []alert.Reading{{Value: worst, Detail: detail}}
}

// observeBoxBackup says by how much a backup of the box is overdue, if it is to make any by itself. While none has ever
// succeeded, each that failed counts for the hour until the next attempt.
func (a *Appliance) observeBoxBackup(now time.Time) []alert.Reading {
	if a.backups.Next().IsZero() {
		return nil
	}
	settings, _ := a.backups.Settings()
	outcome := a.backups.Outcome()
	overdue := time.Duration(outcome.Failures) * time.Hour
	if !outcome.Succeeded.IsZero() {
		overdue = now.Sub(outcome.Succeeded) - cmp.Or(settings.Every, 24*time.Hour)
	}
	return []alert.Reading{{Value: max(overdue.Hours()/24, 0), Detail: outcome.Error}}
}
