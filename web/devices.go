package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"furrow/web/api"
)

// deviceList is what devices.html shows.
type deviceList struct {
	List    *list
	Devices []api.Device
}

func getDevices(v *visit) error {
	l := v.list(column{name: "seen", sortable: true}, column{name: "device", sortable: true}, column{name: "domain"},
		column{name: "status"}, column{name: "policy"}, column{name: "failures", sortable: true, right: true})
	_, domain, err := v.ofDomain(l)
	if err != nil {
		return err
	}
	devices, err := v.client.Devices(v.ctx(), domain)
	if err != nil {
		return err
	}
	devices = slices.DeleteFunc(devices, func(d api.Device) bool {
		return !l.finds(d.Name + " " + d.GUID)
	})
	inOrder(l, devices, func(by string, a, b api.Device) int {
		switch by {
		case "device":
			return cmp.Or(compareText(a.Name, b.Name), strings.Compare(a.GUID, b.GUID))
		case "failures":
			return cmp.Compare(len(b.Failures), len(a.Failures))
		}
		return b.LastSeen.Compare(a.LastSeen)
	})
	return v.render("devices.html", deviceList{l, of(l, devices)})
}

// devicePage is what device.html shows.
type devicePage struct {
	api.Device
	Form *form // its policy
}

func devicePath(d api.Device) string {
	return "/devices/" + url.PathEscape(d.DomainGUID) + "/" + url.PathEscape(d.GUID)
}

func (v *visit) device() (devicePage, error) {
	d, err := v.client.Device(v.ctx(), v.r.PathValue("domain"), v.r.PathValue("device"))
	if err != nil {
		return devicePage{}, err
	}
	v.under(v.T("devices.title"), "/devices")
	v.title = cmp.Or(d.Name, d.GUID)
	policies, err := v.policyOptions(d.DomainGUID, "device")
	inherit := option{Value: "", Label: v.T("holds.inherit")}
	f := v.form("devices.save", input{name: "ownPolicy", kind: "select", wide: true, options: append([]option{inherit}, policies...)})
	return devicePage{d, f}, err
}

func getDevice(v *visit) error {
	d, err := v.device()
	if err != nil {
		return err
	}
	d.Form.fill(map[string]string{"ownPolicy": ownHolding(d.Policy, "device", "")})
	return v.render("device.html", d)
}

func postDevice(v *visit) error {
	d, err := v.device()
	if err != nil {
		return err
	}
	_, err = v.client.AssignDevicePolicy(v.ctx(), d.DomainGUID, d.GUID, d.Form.value("ownPolicy"))
	if err == nil {
		return v.done(devicePath(d.Device), "done.deviceChanged")
	}
	if err = d.Form.refused(err); err != nil {
		return err
	}
	return v.again("device.html", d)
}
