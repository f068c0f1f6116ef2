package web

import (
	"slices"
	"strings"

	"furrow/gms/policy"
	"furrow/web/api"
)

// policyForm is what policy-edit.html shows: a form whose first field is the name, and whose others stand in sections.
type policyForm struct {
	*form
	Name     *field
	Sections []settingSection
}

// policyDiff is what policy-diff.html shows before a change is made.
type policyDiff struct {
	api.Policy
	NewName string // empty if it stays
	Changes []settingChange
	Hidden  []hidden
}

// settingChange is what happens to a setting, in words.
type settingChange struct{ Label, Section, Before, After string }

// editPolicyForm is the form of a policy with the values that were posted.
func (v *visit) editPolicyForm(p api.Policy, settings []policy.Setting) policyForm {
	shown := policyForm{form: v.form("policies.review", input{name: "policyName", required: true, wide: true, autocomplete: "off"})}
	shown.Back = policyPath(p.GUID)
	for i := range settings {
		shown.Fields = append(shown.Fields, v.settingField(&settings[i]))
	}
	shown.Name = &shown.Fields[0]
	shown.Sections = v.settingSections(settings, p.Settings, shown.Fields[1:])
	return shown
}

// withValues gives the fields of the form the values of a policy.
func (f policyForm) withValues(name string, settings []policy.Setting, values []policy.Value) policyForm {
	filled := map[string]string{"policyName": name}
	given := valuesByKey(values)
	for i := range settings {
		filled[settings[i].Key] = entered(&settings[i], valueOf(&settings[i], given))
	}
	f.fill(filled)
	return f
}

func (v *visit) policyWithSettings() (api.Policy, []policy.Setting, error) {
	p, err := v.ofPolicy()
	if err != nil {
		return p, nil, err
	}
	settings, err := v.client.PolicySettings(v.ctx(), p.Kind)
	return p, settings, err
}

func getEditPolicy(v *visit) error {
	p, settings, err := v.policyWithSettings()
	if err != nil {
		return err
	}
	return v.render("policy-edit.html", v.editPolicyForm(p, settings).withValues(p.Name, settings, p.Settings))
}

// postEditPolicy shows what would change, and changes it when that is confirmed. Between the two pages the changes are in
// the form; what else happens to the policy in between stays.
func postEditPolicy(v *visit) error {
	p, settings, err := v.policyWithSettings()
	if err != nil {
		return err
	}
	f := v.editPolicyForm(p, settings)
	change := api.PolicyChange{Name: v.formValue("policyName")}
	reviewed := v.r.PostForm.Has("reviewed")
	if reviewed {
		change.Settings = reviewedSettings(v.r.PostForm["set"])
	} else {
		change.Settings = changedSettings(settings, p.Settings, f.form)
	}
	switch {
	case reviewed && v.formValue("reviewed") == "back":
		values := slices.Concat(p.Settings, change.Settings)
		return v.render("policy-edit.html", f.withValues(change.Name, settings, values))
	case !reviewed && !f.complete():
		return v.again("policy-edit.html", f)
	case reviewed:
		changed, err := v.client.ChangePolicy(v.ctx(), p.GUID, change)
		if err != nil {
			return err
		}
		return v.done(policyPath(p.GUID), "done.policyChanged", "name", changed.Policy.Name)
	}
	preview, err := v.client.PreviewPolicy(v.ctx(), p.GUID, change)
	if err != nil {
		if err = f.refused(renamed(err, "name", "policyName")); err != nil {
			return err
		}
		return v.again("policy-edit.html", f)
	}
	if len(preview.Changes) == 0 && change.Name == p.Name {
		return v.done(policyPath(p.GUID), "done.policySame", "name", p.Name)
	}
	return v.render("policy-diff.html", v.policyDiff(settings, preview, change))
}

func (v *visit) policyDiff(settings []policy.Setting, preview api.PolicyChanged, change api.PolicyChange) policyDiff {
	d := policyDiff{Policy: preview.Policy, Hidden: []hidden{{"policyName", change.Name}}}
	if change.Name != preview.Policy.Name {
		d.NewName = change.Name
	}
	for _, value := range change.Settings {
		d.Hidden = append(d.Hidden, hidden{"set", value.Key + "=" + value.Value})
	}
	for _, c := range preview.Changes {
		for i := range settings {
			if one := &settings[i]; one.Key == c.Key {
				d.Changes = append(d.Changes, settingChange{
					v.settingLabel(one), v.T("section." + one.Section), v.inWords(one, c.Before), v.inWords(one, c.After),
				})
			}
		}
	}
	return d
}

// reviewedSettings reads the changes out of the page that has shown them.
func reviewedSettings(set []string) []policy.Value {
	var values []policy.Value
	for _, pair := range set {
		key, value, _ := strings.Cut(pair, "=")
		values = append(values, policy.Value{Key: key, Value: strings.ReplaceAll(value, "\r\n", "\n")})
	}
	return values
}

// changedSettings are the settings of which a form says something else than the policy has. Those below a part that is off
// in the form are left out: saying them would switch it on.
func changedSettings(settings []policy.Setting, values []policy.Value, f *form) []policy.Value {
	given := valuesByKey(values)
	var changed []policy.Value
	off := ""
	for i := range settings {
		one := &settings[i]
		if off != "" && strings.HasPrefix(one.Key, off) {
			continue
		}
		posted := strings.ReplaceAll(f.value(one.Key), "\r\n", "\n")
		if one.Kind == policy.SettingPart && posted == "" {
			off = one.Key + "."
		}
		if posted != entered(one, valueOf(one, given)) {
			changed = append(changed, policy.Value{Key: one.Key, Value: fromEntered(one, posted)})
		}
	}
	return changed
}
