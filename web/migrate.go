package web

import (
	"slices"

	"furrow/web/api"
)

// migrateForm asks where the member in the path is to move.
func (v *visit) migrateForm() (api.Member, *form, error) {
	m, err := v.ofMember()
	if err != nil {
		return m, nil, err
	}
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return m, nil, err
	}
	domains = slices.DeleteFunc(domains, func(d api.DomainName) bool { return d.GUID == m.DomainGUID })
	var inputs []input
	if len(domains) > 0 {
		other := option{Value: "", Label: v.T("members.otherServer")}
		inputs = append(inputs, input{name: "moveTo", kind: "select", wide: true, options: append(domainOptions(domains), other)})
	}
	f := v.form("members.migrate", append(inputs, input{name: "moveServer", wide: true, autocomplete: "off"})...)
	f.Back = memberPath(m.GUID)
	return m, f, nil
}

func getMigrate(v *visit) error {
	_, f, err := v.migrateForm()
	if err != nil {
		return err
	}
	return v.render("member-migrate.html", f)
}

func postMigrate(v *visit) error {
	m, f, err := v.migrateForm()
	if err != nil {
		return err
	}
	moved, err := v.client.MigrateMember(v.ctx(), m.GUID, api.NewMigration{Domain: f.value("moveTo"), ServerURL: f.value("moveServer")})
	if err == nil {
		return v.done(memberPath(m.GUID), "done.memberMoves", "name", moved.FullName)
	}
	if err = f.refused(renamed(renamed(err, "domain", "moveTo"), "serverURL", "moveServer")); err != nil {
		return err
	}
	return v.again("member-migrate.html", f)
}

func getStay(v *visit) error {
	m, err := v.ofMember()
	if err != nil {
		return err
	}
	return v.confirm(confirmation{Text: v.T("members.stay.text", "name", m.FullName), Button: v.T("members.stay"), Back: memberPath(m.GUID)})
}

func postStay(v *visit) error {
	m, err := v.client.CancelMigration(v.ctx(), v.r.PathValue("guid"))
	if err != nil {
		return err
	}
	return v.done(memberPath(m.GUID), "done.memberStays", "name", m.FullName)
}
