package web

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"furrow/appliance/config"
	"furrow/appliance/network"
)

// networkPage is what network.html shows.
type networkPage struct {
	network.Report
	Image bool // else there is nothing of the report
	Form  *form
	// Ways are where the box will be found by what is on trial.
	Ways []string
}

func (v *visit) networkPage() (p networkPage, err error) {
	p.Report, err = v.client.Network(v.ctx())
	if isRefused(err, unavailable) {
		return networkPage{}, nil
	}
	if err != nil {
		return networkPage{}, err
	}
	ports := []option{{Label: v.T("network.everyPort")}}
	for _, link := range p.Links {
		ports = append(ports, option{Value: link.Name, Label: link.Name + ", " + link.Hardware})
	}
	chosen := p.Set.Port // its port may not be there any more
	if chosen != "" && !slices.ContainsFunc(ports, func(o option) bool { return o.Value == chosen }) {
		ports = append(ports, option{Value: chosen, Label: chosen})
	}
	p.Form = v.form("network.try",
		input{name: "hostName", required: true, autocomplete: "off"},
		input{name: "port", kind: "select", options: ports},
		input{name: "addresses", kind: "textarea", rows: 2, wide: true},
		input{name: "gateways", kind: "textarea", rows: 2},
		input{name: "dns", kind: "textarea", rows: 2},
		input{name: "search", kind: "textarea", rows: 2, wide: true},
	)
	p.Image, p.Ways = true, v.ways(p.Trial)
	return p, nil
}

// ways are the addresses of the network's page by what is on trial, at the port at which the person has come.
func (v *visit) ways(trial *network.Trial) (ways []string) {
	if trial == nil {
		return nil
	}
	hosts := []string{trial.Settings.Name + ".local"}
	for _, address := range trial.Settings.Addresses {
		if prefix, err := netip.ParsePrefix(address); err == nil {
			hosts = append(hosts, prefix.Addr().String())
		}
	}
	port := (&url.URL{Host: v.r.Host}).Port()
	for _, host := range hosts {
		way := url.URL{Scheme: "https", Host: config.HostPort(host, port, "443"), Path: "/network"}
		ways = append(ways, way.String())
	}
	return ways
}

func getNetwork(v *visit) error {
	p, err := v.networkPage()
	if err != nil {
		return err
	}
	if p.Image {
		p.Form.fill(map[string]string{
			"hostName": p.Set.Name, "port": p.Set.Port, "addresses": strings.Join(p.Set.Addresses, "\n"), "gateways": strings.Join(p.Set.Gateways, "\n"),
			"dns": strings.Join(p.Set.DNS, "\n"), "search": strings.Join(p.Set.Search, "\n"),
		})
	}
	return v.render("network.html", p)
}

// postNetwork begins a trial. Its answer is the page itself and not a redirect: the addresses change a moment later, and
// the next request may not reach the box any more.
func postNetwork(v *visit) error {
	p, err := v.networkPage()
	if err != nil {
		return err
	}
	if !p.Image {
		return v.again("network.html", p)
	}
	if p.Form.complete() {
		report, err := v.client.TryNetwork(v.ctx(), network.Settings{
			Name: p.Form.value("hostName"), Port: p.Form.value("port"), Addresses: p.Form.listed("addresses"),
			Gateways: p.Form.listed("gateways"), DNS: p.Form.listed("dns"), Search: p.Form.listed("search"),
		})
		if err == nil {
			p.Report, p.Ways = report, v.ways(report.Trial)
			return v.render("network.html", p)
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	return v.again("network.html", p)
}

func backToNetwork(v *visit) error {
	v.redirect("/network")
	return nil
}

func postKeepNetwork(v *visit) error {
	if _, err := v.client.KeepNetwork(v.ctx()); err != nil {
		return err
	}
	return v.done("/network", "done.networkKept")
}

func getResetNetwork(v *visit) error {
	v.under(v.T("network.title"), "/network")
	return v.confirm(confirmation{Text: v.T("network.resetQuestion"), Button: v.T("network.reset"), Back: "/network"})
}

func postResetNetwork(v *visit) error {
	if _, err := v.client.ResetNetwork(v.ctx()); err != nil {
		return err
	}
	return v.render("going.html", going{v.T("network.resetGoing"), false})
}

// Source says where an address in force comes from.
func (v *visit) Source(a network.Address) string {
	switch a.Source {
	case "static":
		return v.T("network.static")
	case "DHCPv4", "DHCPv6":
		return "DHCP"
	case "NDisc":
		return v.T("network.router")
	}
	return v.T("network.own")
}

// clockPage is what clock.html shows.
type clockPage struct {
	network.ClockReport
	Image bool // else there is nothing of the report
	Form  *form
}

func (v *visit) clockPage() (p clockPage, err error) {
	p.ClockReport, err = v.client.Clock(v.ctx())
	if isRefused(err, unavailable) {
		return clockPage{}, nil
	}
	if err != nil {
		return clockPage{}, err
	}
	var zones []option
	for _, zone := range p.Zones {
		zones = append(zones, option{Value: zone, Label: zone})
	}
	p.Image, p.Form = true, v.form("clock.save",
		input{name: "zone", kind: "select", options: zones, wide: true},
		input{name: "timeServers", kind: "textarea", rows: 3, wide: true},
	)
	return p, nil
}

func getClock(v *visit) error {
	p, err := v.clockPage()
	if err != nil {
		return err
	}
	if p.Image {
		p.Form.fill(map[string]string{"zone": p.Set.Zone, "timeServers": strings.Join(p.Set.Servers, "\n")})
	}
	return v.render("clock.html", p)
}

func postClock(v *visit) error {
	p, err := v.clockPage()
	if err != nil {
		return err
	}
	if p.Image {
		_, err := v.client.SetClock(v.ctx(), network.Clock{Zone: p.Form.value("zone"), Servers: p.Form.listed("timeServers")})
		if err == nil {
			return v.done("/clock", "done.clockSet")
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	return v.again("clock.html", p)
}
