// Package network sets the name, the addresses and the clock of a machine that was started from the image, and says what
// is in force.
//
// What is set is kept as JSON on the data partition, and becomes files of systemd-networkd and systemd-timesyncd in /run,
// at each start before they are read (Host.Prepare) and at each change (Host.Apply). The image itself is read-only.
//
// A wrong address cuts a person off from the box, so name and addresses are first on trial for TrialTime: they are in
// force, but only in /run. Unless somebody confirms them (Host.Keep), a timer of systemd has the kept ones return
// (Host.Return), and a start of the machine comes back to these by itself. The timer is armed before the trial is
// written, so that no crash in between leaves a trial without an end.
package network

import (
	"errors"
	"time"
)

const (
	// TrialTime is how long name and addresses are on trial; furrow-network-trial.timer of the image waits as long.
	TrialTime = time.Minute
	// DefaultName is the machine's while nobody has chosen one.
	DefaultName = "furrow"
	// DefaultZone is the time zone while nobody has chosen one.
	DefaultZone = "Etc/UTC"

	// trialTimer ends a trial.
	trialTimer = "furrow-network-trial.timer"
	// timeService keeps the clock right.
	timeService = "systemd-timesyncd.service"
)

// Limits of lists, well above what an office has.
const (
	maxAddresses = 16
	maxServers   = 8
	maxSearch    = 16
)

var (
	// ErrInvalid says that a setting cannot be used; a *setting.Error says which.
	ErrInvalid = errors.New("invalid")
	// ErrNoTrial says that there is nothing to confirm.
	ErrNoTrial = errors.New("no setting is on trial: it was confirmed already, or the box went back to the one before")
)

// Settings are the machine's name and addresses. Those without a name and addresses are what a box begins with.
type Settings struct {
	// Name is the host name, one label; others on the network find the machine as NAME.local.
	Name string `json:"hostName"`
	// Port is the network port that this is for, such as enp1s0; empty for every wired one. The others stay on DHCP.
	Port string `json:"port,omitempty"`
	// Addresses are fixed ones with the length of their network's prefix, such as 192.0.2.5/24; none for DHCP.
	Addresses []string `json:"addresses,omitempty"`
	// Gateways are those of fixed addresses, at most one for IPv4 and one for IPv6.
	Gateways []string `json:"gateways,omitempty"`
	// DNS are the addresses of name servers; with DHCP they are instead of those that it offers.
	DNS []string `json:"dns,omitempty"`
	// Search are the domains in which names without a dot are looked for.
	Search []string `json:"search,omitempty"`
}

// Clock says how the machine knows the time.
type Clock struct {
	// Servers are NTP servers, names or addresses; none for those of DHCP and, without such, the usual ones.
	Servers []string `json:"timeServers,omitempty"`
	// Zone is the time zone, such as Europe/Berlin. Everything that the box keeps is in UTC.
	Zone string `json:"zone"`
}

// Trial is a setting that waits to be confirmed.
type Trial struct {
	Settings Settings `json:"settings"`
	// Seconds are left.
	Seconds int `json:"seconds"`
}
