package web

import "furrow/web/api"

// assignMemberForm asks for the group of the member in the path, and for a policy and relay set of the member's own.
func (v *visit) assignMemberForm() (api.Member, *form, error) {
	m, err := v.ofMember()
	if err != nil {
		return m, nil, err
	}
	groups, err := v.client.GroupNames(v.ctx(), m.DomainGUID)
	if err != nil {
		return m, nil, err
	}
	inGroup := []option{{Value: "", Label: v.T("members.noGroup")}}
	for _, g := range groups {
		inGroup = append(inGroup, option{Value: g.Path, Label: g.Path})
	}
	inputs, err := v.holdsInputs(m.DomainGUID)
	if err != nil {
		return m, nil, err
	}
	f := v.form("members.save", append([]input{{name: "inGroup", kind: "select", options: inGroup}}, inputs...)...)
	f.Back = memberPath(m.GUID)
	return m, f, nil
}

func getAssignMember(v *visit) error {
	m, f, err := v.assignMemberForm()
	if err != nil {
		return err
	}
	return v.render("form.html", f.fill(map[string]string{
		"inGroup": m.Group, "ownPolicy": ownHolding(m.Policy, "member", ""), "ownRelays": ownHolding(m.RelaySet, "member", ""),
	}))
}

func postAssignMember(v *visit) error {
	m, f, err := v.assignMemberForm()
	if err != nil {
		return err
	}
	changed, err := v.client.ChangeMember(v.ctx(), m.GUID, api.MemberChange{
		"group": f.value("inGroup"), "policy": f.value("ownPolicy"), "relaySet": f.value("ownRelays"),
	})
	if err == nil {
		return v.done(memberPath(m.GUID), "done.memberChanged", "name", changed.FullName)
	}
	if err = f.refused(err); err != nil {
		return err
	}
	return v.again("form.html", f)
}
