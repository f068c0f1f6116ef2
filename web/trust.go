package web

import (
	"encoding/pem"
	"net/url"
	"slices"

	"furrow/web/api"
)

// trustPage is what trust.html shows.
type trustPage struct {
	List   *list
	Trusts []api.Trust
	Own    []ownCertificate
}

// ownCertificate is what another domain needs to trust one of this box.
type ownCertificate struct {
	api.DomainCertificate
	Path string // of the file
}

func getTrust(v *visit) error {
	l := v.list(column{name: "trusted", sortable: true}, column{name: "domain", sortable: true}, column{name: "fingerprint"})
	domains, domain, err := v.ofDomain(l)
	if err != nil {
		return err
	}
	trusts, err := v.client.Trusts(v.ctx(), domain)
	if err != nil {
		return err
	}
	trusts = slices.DeleteFunc(trusts, func(t api.Trust) bool { return !l.finds(t.Name) })
	inOrder(l, trusts, func(by string, a, b api.Trust) int {
		if by == "domain" {
			return compareText(a.Domain, b.Domain)
		}
		return compareText(a.Name, b.Name)
	})
	page := trustPage{List: l, Trusts: of(l, trusts)}
	for _, d := range domains {
		c, err := v.client.DomainCertificate(v.ctx(), d.GUID)
		if err != nil {
			return err
		}
		page.Own = append(page.Own, ownCertificate{c, "/domains/" + url.PathEscape(d.GUID) + "/certificate"})
	}
	return v.render("trust.html", page)
}

func getDomainCertificate(v *visit) error {
	c, err := v.client.DomainCertificate(v.ctx(), v.r.PathValue("domain"))
	if err != nil {
		return err
	}
	return v.download(c.Domain+".cer", "application/pkix-cert", c.Certificate)
}

// newTrustForm is the form of a trust to be, of one of these domains.
func (v *visit) newTrustForm(domains []api.DomainName) *form {
	v.under(v.T("trust.title"), "/trust")
	var inputs []input
	if len(domains) > 1 {
		inputs = append(inputs, input{name: "domain", kind: "select", required: true, wide: true, options: domainOptions(domains)})
	}
	f := v.form("trust.add", append(inputs,
		input{name: "certificate", kind: "file", required: true, wide: true, accept: ".cer,.crt,.pem,.der"},
		input{name: "fingerprint", required: true, wide: true, autocomplete: "off"},
		input{name: "trustName", wide: true, autocomplete: "off"},
		input{name: "inOrganization", kind: "checkbox", wide: true},
	)...)
	f.Back = "/trust"
	return f
}

func getNewTrust(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	return v.render("form.html", v.newTrustForm(domains))
}

func postNewTrust(v *visit) error {
	domains, err := v.client.DomainNames(v.ctx())
	if err != nil {
		return err
	}
	f := v.newTrustForm(domains)
	certificate, err := v.uploaded(f, "certificate")
	if err != nil {
		return err
	}
	if block, _ := pem.Decode(certificate); block != nil {
		certificate = block.Bytes
	}
	if f.complete() {
		t, err := v.client.AddTrust(v.ctx(), api.NewTrust{
			Domain: f.value("domain"), Name: f.value("trustName"), Certificate: certificate,
			Fingerprint: f.value("fingerprint"), InOrganization: f.value("inOrganization") != "",
		})
		if err == nil {
			return v.done("/trust", "done.trustAdded", "name", t.Name)
		}
		if err = f.refused(renamed(err, "name", "trustName")); err != nil {
			return err
		}
	}
	return v.again("form.html", f)
}

// trust is the one in the path.
func (v *visit) trust() (api.Trust, error) {
	trusts, err := v.client.Trusts(v.ctx(), "")
	if err != nil {
		return api.Trust{}, err
	}
	return one(trusts, func(t api.Trust) bool { return t.GUID == v.r.PathValue("guid") })
}

func getEndTrust(v *visit) error {
	t, err := v.trust()
	if err != nil {
		return err
	}
	v.under(v.T("trust.title"), "/trust")
	return v.confirm(confirmation{
		Text: v.T("trust.end.text", "name", t.Name, "domain", t.Domain), Button: v.T("trust.end"), Back: "/trust",
	})
}

func postEndTrust(v *visit) error {
	t, err := v.client.RemoveTrust(v.ctx(), v.r.PathValue("guid"))
	if err != nil {
		return err
	}
	return v.done("/trust", "done.trustEnded", "name", t.Name)
}
