package web

import (
	"net/url"
	"slices"

	"furrow/web/api"
)

// policyList is what policies.html shows.
type policyList struct {
	List     *list
	Policies []api.Policy
	Domains  int
}

func policyPath(guid string) string { return "/policies/" + url.PathEscape(guid) }

func getPolicies(v *visit) error {
	l := v.list(column{name: "name"}, column{name: "policyKind"}, column{name: "domain"}, column{name: "holders", right: true})
	domains, domain, err := v.ofDomain(l)
	if err != nil {
		return err
	}
	kind := l.filter("policyKind", v.kindOptions()...)
	policies, err := v.client.Policies(v.ctx(), domain)
	if err != nil {
		return err
	}
	policies = slices.DeleteFunc(policies, func(p api.Policy) bool {
		return kind != "" && p.Kind != kind || !l.finds(p.Name)
	})
	return v.render("policies.html", policyList{l, of(l, policies), len(domains)})
}

func (v *visit) kindOptions() []option {
	var options []option
	for _, kind := range []string{"identity", "device"} {
		options = append(options, option{Value: kind, Label: v.T("kind." + kind)})
	}
	return options
}

func (v *visit) newPolicyForm() (*form, error) {
	v.under(v.T("policies.title"), "/policies")
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return nil, err
	}
	inputs := []input{
		{name: "policyName", required: true, wide: true},
		{name: "policyKind", kind: "select", required: true, wide: true, options: v.kindOptions()},
	}
	if len(domains) > 1 {
		inputs = append(inputs, input{name: "domain", kind: "select", required: true, wide: true, options: domainOptions(domains)})
	}
	f := v.form("policies.create", inputs...)
	f.Back = "/policies"
	return f, nil
}

func getNewPolicy(v *visit) error {
	f, err := v.newPolicyForm()
	if err != nil {
		return err
	}
	return v.render("form.html", f)
}

func postNewPolicy(v *visit) error {
	f, err := v.newPolicyForm()
	if err != nil {
		return err
	}
	asked := api.NewPolicy{Domain: f.value("domain"), Kind: f.value("policyKind"), Name: f.value("policyName")}
	return v.createPolicy(f, asked)
}

// createPolicy makes a policy as a form asks for it, and goes on to its settings.
func (v *visit) createPolicy(f *form, asked api.NewPolicy) error {
	if f.complete() {
		p, err := v.client.CreatePolicy(v.ctx(), asked)
		if err == nil {
			return v.done(policyPath(p.GUID)+"/edit", "done.policyCreated", "name", p.Name)
		}
		if err = f.refused(renamed(renamed(err, "name", "policyName"), "kind", "policyKind")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// policyPage is what policy.html shows.
type policyPage struct {
	api.Policy
	Sections []settingSection
	// Groups are those to which it is given, as far as policies are given to groups.
	Groups []api.Group
}

// policy is the one in the path, below the list of policies.
func (v *visit) policy() (api.Policy, error) {
	p, err := v.client.Policy(v.ctx(), v.r.PathValue("policy"))
	if err != nil {
		return api.Policy{}, err
	}
	v.under(v.T("policies.title"), "/policies")
	v.title = p.Name
	return p, nil
}

// ofPolicy is policy for the pages below its own, which keep their own titles.
func (v *visit) ofPolicy() (api.Policy, error) {
	p, err := v.policy()
	v.under(p.Name, policyPath(p.GUID))
	v.title = ""
	return p, err
}

func getPolicy(v *visit) error {
	p, err := v.policy()
	if err != nil {
		return err
	}
	settings, err := v.client.PolicySettings(v.ctx(), p.Kind)
	if err != nil {
		return err
	}
	shown := policyPage{Policy: p, Sections: v.settingSections(settings, p.Settings, nil)}
	if p.Kind == "identity" {
		groups, err := v.client.Groups(v.ctx(), p.Domain)
		if err != nil {
			return err
		}
		for _, g := range groups {
			if ownHolding(g.Policy, "group", g.Path) == p.GUID {
				shown.Groups = append(shown.Groups, g)
			}
		}
	}
	return v.render("policy.html", shown)
}

func (v *visit) copyPolicyForm(p api.Policy) *form {
	f := v.form("policies.create", input{name: "policyName", required: true, wide: true})
	f.Back = policyPath(p.GUID)
	return f
}

func getCopyPolicy(v *visit) error {
	p, err := v.ofPolicy()
	if err != nil {
		return err
	}
	return v.render("form.html", v.copyPolicyForm(p).fill(map[string]string{"policyName": v.T("policies.copyOf", "name", p.Name)}))
}

func postCopyPolicy(v *visit) error {
	p, err := v.ofPolicy()
	if err != nil {
		return err
	}
	f := v.copyPolicyForm(p)
	return v.createPolicy(f, api.NewPolicy{From: p.GUID, Name: f.value("policyName")})
}

func getDeletePolicy(v *visit) error {
	p, err := v.ofPolicy()
	if err != nil {
		return err
	}
	return v.confirm(confirmation{
		Text: v.T("policies.delete.text", "name", p.Name), Button: v.T("policies.delete"), Back: policyPath(p.GUID),
	})
}

func postDeletePolicy(v *visit) error {
	p, err := v.client.DeletePolicy(v.ctx(), v.r.PathValue("policy"))
	if err != nil {
		return err
	}
	return v.done("/policies", "done.policyDeleted", "name", p.Name)
}
