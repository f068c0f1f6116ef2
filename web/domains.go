package web

import (
	"cmp"
	"net/url"
	"slices"

	"furrow/web/api"
)

// domainList is what domains.html shows.
type domainList struct {
	List    *list
	Domains []api.Domain
}

func getDomains(v *visit) error {
	domains, err := v.client.Domains(v.ctx())
	if err != nil {
		return err
	}
	l := v.list(column{name: "name", sortable: true}, column{name: "organization", sortable: true},
		column{name: "members", sortable: true, right: true}, column{name: "created", sortable: true})
	domains = slices.DeleteFunc(domains, func(d api.Domain) bool {
		return !l.finds(d.Name) && !l.finds(d.Organization)
	})
	inOrder(l, domains, func(by string, a, b api.Domain) int {
		switch by {
		case "organization":
			return compareText(a.Organization, b.Organization)
		case "members":
			return cmp.Compare(a.Members, b.Members)
		case "created":
			return a.Created.Compare(b.Created)
		}
		return compareText(a.Name, b.Name)
	})
	return v.render("domains.html", domainList{l, of(l, domains)})
}

func (v *visit) newDomainForm() *form {
	v.under(v.T("domains.title"), "/domains")
	f := v.form("domains.create", input{name: "domainName", required: true, wide: true},
		input{name: "organization", required: true, autocomplete: "organization", wide: true})
	f.Back = "/domains"
	return f
}

func getNewDomain(v *visit) error { return v.render("form.html", v.newDomainForm()) }

func postNewDomain(v *visit) error {
	f := v.newDomainForm()
	if f.complete() {
		d, err := v.client.CreateDomain(v.ctx(), api.NewDomain{Name: f.value("domainName"), Organization: f.value("organization")})
		if err == nil {
			return v.done(domainPath(d), "done.domainCreated", "name", d.Name)
		}
		if err = f.refused(renamed(err, "name", "domainName")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

func domainPath(d api.Domain) string { return "/domains/" + url.PathEscape(d.GUID) }

// domainPage is what domain.html shows.
type domainPage struct {
	api.Domain
	Form *form // its name
}

func (v *visit) domain() (domainPage, error) {
	d, err := v.client.Domain(v.ctx(), v.r.PathValue("domain"))
	if err != nil {
		return domainPage{}, err
	}
	v.under(v.T("domains.title"), "/domains")
	v.title = d.Name
	return domainPage{d, v.form("domains.rename", input{name: "domainName", required: true, wide: true})}, nil
}

func getDomain(v *visit) error {
	d, err := v.domain()
	if err != nil {
		return err
	}
	d.Form.fill(map[string]string{"domainName": d.Name})
	return v.render("domain.html", d)
}

func postDomain(v *visit) error {
	d, err := v.domain()
	if err != nil {
		return err
	}
	if d.Form.complete() {
		changed, err := v.client.RenameDomain(v.ctx(), d.GUID, d.Form.value("domainName"))
		if err == nil {
			return v.done(domainPath(changed), "done.domainRenamed", "name", changed.Name)
		}
		if err = d.Form.refused(renamed(err, "name", "domainName")); err != nil {
			return err
		}
	}
	return v.again("domain.html", d)
}

func (v *visit) deleteDomainQuestion(d domainPage) confirmation {
	v.under(d.Name, domainPath(d.Domain))
	v.title = v.T("domains.delete")
	c := confirmation{
		Text: v.T("domains.delete.text", "name", d.Name), Button: v.T("domains.delete"), Back: domainPath(d.Domain),
		Form: v.form("domains.delete", input{name: "typedName", required: true, autocomplete: "off", wide: true}),
	}
	if d.Members > 0 {
		c.Items = []string{v.T("domains.delete.members", "n", d.Members)}
	}
	return c
}

func getDeleteDomain(v *visit) error {
	d, err := v.domain()
	if err != nil {
		return err
	}
	return v.confirm(v.deleteDomainQuestion(d))
}

func postDeleteDomain(v *visit) error {
	d, err := v.domain()
	if err != nil {
		return err
	}
	question := v.deleteDomainQuestion(d)
	if question.Form.value("typedName") != d.Name {
		question.Form.wrong("typedName", v.T("domains.delete.other"))
		return v.again("confirm.html", question)
	}
	if _, err := v.client.DeleteDomain(v.ctx(), d.GUID, true); err != nil {
		return err
	}
	return v.done("/domains", "done.domainDeleted", "name", d.Name)
}
