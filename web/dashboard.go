package web

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"furrow/web/api"
)

// littleDisk is the free space below which a person should act: a large message and the next generation of the state
// still fit.
const littleDisk = 2 << 30

// dashboard is what dashboard.html shows.
type dashboard struct {
	api.Overview
	Concerns []concern
	Statuses []statusCount
	All      int
	Running  time.Duration
	Listen   []string
}

// concern is something a person should know and do about.
type concern struct {
	Text, Path, Link string
}

// statusCount is how many members have a status, and where they are listed.
type statusCount struct {
	Status string
	N      int
	// X and Width place the part of the bar, in thousandths.
	X, Width int
}

func getDashboard(v *visit) error {
	shown, err := v.dashboard()
	if err != nil {
		return err
	}
	if shown.Domains == 0 && v.May("/setup/domain") {
		v.redirect("/setup/address")
		return nil
	}
	return v.render("dashboard.html", shown)
}

func liveDashboard(v *visit) error {
	return v.live("dashboard.html", "figures", func() (any, error) { return v.dashboard() })
}

func (v *visit) dashboard() (dashboard, error) {
	now, err := v.client.Overview(v.ctx())
	if err != nil {
		return dashboard{}, err
	}
	d := dashboard{Overview: now, Concerns: v.concerns(now), Running: now.Now.Sub(now.Started)}
	for _, status := range []string{"active", "pending", "disabled"} {
		d.All += now.Members[status]
		d.Statuses = append(d.Statuses, statusCount{Status: status, N: now.Members[status]})
	}
	x := 0
	for i := range d.Statuses {
		d.Statuses[i].X = x
		d.Statuses[i].Width = d.Statuses[i].N * 1000 / max(d.All, 1)
		x += d.Statuses[i].Width
	}
	for _, name := range slices.Sorted(maps.Keys(now.Listeners)) {
		d.Listen = append(d.Listen, fmt.Sprintf("%s %s", name, now.Listeners[name]))
	}
	return d, nil
}

// concerns says in words what is not as it should be.
func (v *visit) concerns(now api.Overview) (list []concern) {
	say := func(when bool, key string, args ...any) {
		if when {
			list = append(list, concern{Text: v.T(key, args...)})
		}
	}
	say(now.ReadOnly, "concern.readOnly")
	say(now.DiskFree < littleDisk, "concern.disk", "free", v.Size(now.DiskFree))
	say(now.Relay == nil, "concern.noRelay")
	for _, relay := range now.FailingRelays {
		say(true, "concern.relay", "relay", relay)
	}
	say(now.MailFailed > 0, "concern.mail", "n", now.MailFailed)
	say(now.Resets > 0, "concern.resets", "n", now.Resets)
	return list
}
