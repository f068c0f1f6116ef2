package web

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"furrow/relay/traffic"
	"furrow/web/api"
)

// dashboard is what dashboard.html shows.
type dashboard struct {
	api.Overview
	Alerts   []shownAlert
	Statuses []share
	All      int
	Traffic  []carried
	Running  time.Duration
	Listen   []string
}

// carried is what the relay has carried in a time.
type carried struct {
	Label string
	All   traffic.Sum
	Chart *chart
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
	d := dashboard{Overview: now, Running: now.Now.Sub(now.Started)}
	if d.Alerts, err = v.alerts(); err != nil {
		return dashboard{}, err
	}
	for _, status := range []string{"active", "pending", "disabled"} {
		d.All += now.Members[status]
		d.Statuses = append(d.Statuses, share{
			Label: v.T("status." + status), Class: status, Path: "/members?status=" + status, N: now.Members[status],
		})
	}
	d.Statuses = shares(d.Statuses...)
	if now.Relay != nil {
		if d.Traffic, err = v.traffic(); err != nil {
			return dashboard{}, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(now.Listeners)) {
		d.Listen = append(d.Listen, fmt.Sprintf("%s %s", name, now.Listeners[name]))
	}
	return d, nil
}

// traffic is what the relay has carried in the last hour, day and month.
func (v *visit) traffic() ([]carried, error) {
	var all []carried
	for _, step := range []string{"minute", "hour", "day"} {
		points, err := v.client.TrafficReport(v.ctx(), api.ReportFilter{By: step})
		if err != nil {
			return nil, err
		}
		c := carried{Label: v.T("dashboard.traffic." + step)}
		for _, p := range points {
			c.All.Add(p.Sum)
		}
		c.Chart = v.bytesChart(c.Label, step, points)
		c.Chart.Small = true
		all = append(all, c)
	}
	return all, nil
}
