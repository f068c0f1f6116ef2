package alert

import (
	"slices"
	"time"
)

// The kinds of alerts.
const (
	Disk              Kind = "disk"
	Queue             Kind = "queue"
	QueueGrowth       Kind = "queue-growth"
	TLSCertificate    Kind = "tls-certificate"
	DomainCertificate Kind = "domain-certificate"
	RelayCertificate  Kind = "relay-certificate"
	AccountBackup     Kind = "account-backup"
	BoxBackup         Kind = "box-backup"
	LoginFailures     Kind = "login-failures"
	Relay             Kind = "relay"
	MailStuck         Kind = "mail"
	Recovery          Kind = "recovery"
	Clock             Kind = "clock"
	Support           Kind = "support"
	Update            Kind = "update"
	System            Kind = "system"
)

// Thresholds are the values from which a kind is a warning and critical.
type Thresholds struct {
	Warning  float64 `json:"warning"`
	Critical float64 `json:"critical"`
}

// Rule says when readings of a kind are an alert, and what to do about it.
type Rule struct {
	Kind  Kind
	Title string // what is wrong, in a few words
	// Unit is that of values and thresholds; empty for a kind that is there or not: 1 is a warning, 2 critical.
	Unit string
	// Below says that small values are bad.
	Below bool
	Thresholds
	// Hold is how long a value has to stay beyond a threshold, and back, before it counts.
	Hold   time.Duration
	Remedy string // what to do
}

// margin is how far back beyond a threshold a value has to come before an alert is lowered, as a part of the threshold.
const margin = 0.1

// level is that of a value, when the alert has a level already.
func (r Rule) level(now Level, value float64) Level {
	for _, at := range []struct {
		level     Level
		threshold float64
	}{{Critical, r.Critical}, {Warning, r.Warning}} {
		threshold, bad := at.threshold, false
		if r.Below {
			if now >= at.level {
				threshold *= 1 + margin
			}
			bad = value <= threshold
		} else {
			if now >= at.level {
				threshold *= 1 - margin
			}
			bad = value >= threshold
		}
		if bad {
			return at.level
		}
	}
	return None
}

// Rules returns the rules as a box begins with them, in order of their kinds.
func Rules() []Rule {
	rules := []Rule{
		{
			Kind: Disk, Title: "the disk is nearly full", Unit: "MB free", Below: true, Thresholds: Thresholds{2000, 500},
			Remedy: "Make room on the disk of the data directory, or put it on a larger one. furrow report queues shows who " +
				"has much waiting; furrow audit settings and furrow statistics settings shorten how long records are kept.",
		},
		{
			Kind: Queue, Title: "much waits at the relay", Unit: "MB", Thresholds: Thresholds{2000, 10_000},
			Remedy: "furrow report queues shows for whom. Messages for people who do not come back go when their lifetime ends; " +
				"disable or delete such members, or lower lifetimes and quotas with furrow relay defaults.",
		},
		{
			Kind: QueueGrowth, Title: "what waits at the relay grows fast", Unit: "MB in a day", Thresholds: Thresholds{1000, 5000},
			Remedy: "furrow report queues shows for whom. Many at once: their network or another relay may be away (furrow relay status). " +
				"One alone: the person may be on holiday, or a large file was put into a space.",
		},
		{
			Kind: TLSCertificate, Title: "the TLS certificate ends soon", Unit: "days left", Below: true, Thresholds: Thresholds{21, 7},
			Remedy: "Get a new certificate from the authority that issued it, and install it. Until then browsers and clients will " +
				"warn or refuse.",
		},
		{
			Kind: DomainCertificate, Title: "a domain certificate ends soon", Unit: "days left", Below: true, Thresholds: Thresholds{90, 30},
			Remedy: "Contacts signed with it end with it. Make a new domain and migrate its members in time (furrow member migrate).",
		},
		{
			Kind: RelayCertificate, Title: "a relay's certificate ends soon", Unit: "days left", Below: true, Thresholds: Thresholds{90, 30},
			Remedy: "Have the relay make new keys and certificates, and import its identity file again (furrow relay import).",
		},
		{
			Kind: AccountBackup, Title: "members' accounts are not backed up", Unit: "days overdue", Thresholds: Thresholds{14, 60},
			Remedy: "furrow report backups shows whose. Their clients may be switched off, or cannot reach this box: furrow report " +
				"contact shows when each was last heard of. Disable members who have left.",
		},
		{
			Kind: BoxBackup, Title: "the box is not backed up", Unit: "days overdue", Thresholds: Thresholds{1, 6},
			Remedy: "furrow backup show says why the last one failed; make one now with furrow backup now. Without one, what the box " +
				"knows is lost with its disk.",
		},
		{
			Kind: LoginFailures, Title: "many sign-ins are refused", Unit: "in an hour", Thresholds: Thresholds{30, 300},
			Remedy: "The box's log names who was tried from where. Somebody may be guessing passwords: block the address at the " +
				"firewall. After a change of passwords it may be a client that still has the old one.",
		},
		{
			Kind: Relay, Title: "a relay is not reachable", Thresholds: Thresholds{1, 2}, Hold: 10 * time.Minute,
			Remedy: "furrow relay status shows the error. Look whether the machine runs, its name resolves and no firewall is in the way. " +
				"If it is the relay of this box, its port may be taken by another program (the box's log), then restart the box.",
		},
		{
			Kind: MailStuck, Title: "mail is not getting out", Unit: "hours", Thresholds: Thresholds{1, 24},
			Remedy: "furrow mail list shows the mail server's words; furrow mail test NAME@EXAMPLE.COM tries it. Mend the settings with " +
				"furrow mail set; mail that was given up goes with furrow mail retry or furrow mail remove.",
		},
		{
			Kind: Recovery, Title: "the box is in recovery mode", Thresholds: Thresholds{1, 1},
			Remedy: "Its disk was damaged, and nothing can be changed. furrow status says what was lost. Restore a backup, or go on with " +
				"what is left by furrow recovery accept, and then restart the box.",
		},
		{
			Kind: Clock, Title: "the clock has jumped", Unit: "seconds", Thresholds: Thresholds{60, 3600},
			Remedy: "See that a time service keeps the clock right (furrow doctor), and that the machine's battery is not empty. " +
				"Certificates, lifetimes of messages and the order of changes depend on it.",
		},
		{
			Kind: Support, Title: "support access is open", Thresholds: Thresholds{1, 2},
			Remedy: "Whoever it was opened for can do everything on the box. It ends by itself; furrow support close ends it at once.",
		},
		{
			Kind: System, Title: "the system on the disk is damaged", Thresholds: Thresholds{1, 2},
			Remedy: "The disk is wearing out, or somebody has written to it. Make a backup, and install the newest version anew " +
				"(furrow update --allow-older): it goes to the other slot. If it happens again, move to another disk.",
		},
		{
			Kind: Update, Title: "an update was taken back", Thresholds: Thresholds{1, 2},
			Remedy: "The box goes on with the version from before. furrow update show says why; install a newer one when there is one. " +
				"This alert ends with the next update, or after a week.",
		},
	}
	slices.SortFunc(rules, func(a, b Rule) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return rules
}
