package web

import (
	"cmp"

	"furrow/web/api"
)

// wholeDomain stands for the domain among those to whom a policy may be given.
const wholeDomain = "domain"

// assignPolicyForm asks to whom the policy in the path is to be given: to the domain, as its default, or to one of its
// groups or devices. A member is given a policy on the member's own page.
func (v *visit) assignPolicyForm() (api.Policy, *form, error) {
	p, err := v.ofPolicy()
	if err != nil {
		return p, nil, err
	}
	options := []option{{Value: wholeDomain, Label: v.T("policies.toDomain", "name", p.Domain)}}
	if p.Kind == "identity" {
		groups, err := v.client.GroupNames(v.ctx(), p.Domain)
		if err != nil {
			return p, nil, err
		}
		for _, g := range groups {
			options = append(options, option{Value: g.GUID, Label: v.T("policies.toGroup", "name", g.Path)})
		}
	} else {
		devices, err := v.client.Devices(v.ctx(), p.Domain)
		if err != nil {
			return p, nil, err
		}
		for _, d := range devices {
			options = append(options, option{Value: d.GUID, Label: v.T("policies.toDevice", "name", cmp.Or(d.Name, d.GUID))})
		}
	}
	f := v.form("policies.assign", input{name: "giveTo", kind: "select", required: true, wide: true, options: options})
	f.Back = policyPath(p.GUID)
	return p, f, nil
}

func getAssignPolicy(v *visit) error {
	_, f, err := v.assignPolicyForm()
	if err != nil {
		return err
	}
	return v.render("form.html", f)
}

func postAssignPolicy(v *visit) error {
	p, f, err := v.assignPolicyForm()
	if err != nil {
		return err
	}
	if f.complete() {
		switch to := f.value("giveTo"); {
		case to == wholeDomain:
			_, err = v.client.AssignDefaultPolicy(v.ctx(), p.Domain, p.GUID)
		case p.Kind == "identity":
			_, err = v.client.ChangeGroup(v.ctx(), p.Domain, to, api.GroupChange{Policy: &p.GUID})
		default:
			_, err = v.client.AssignDevicePolicy(v.ctx(), p.Domain, to, p.GUID)
		}
		if err == nil {
			return v.done(policyPath(p.GUID), "done.policyAssigned", "name", p.Name)
		}
		if err = f.refused(err); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}
