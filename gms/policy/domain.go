package policy

import (
	"bytes"

	"github.com/beevik/etree"

	"furrow/gms/soap/spcm"
)

// Domain is a management domain as all its objects show it (MS-GRVSPCM
// 2.2.2.2.9). It converts to a [spcm.ManagementDomain], which responses show,
// and which knows the attributes.
type Domain spcm.ManagementDomain

// Validate returns nil or a *[FieldError].
func (d Domain) Validate() error {
	var c checker
	c.required("guid", d.GUID, maxGUID)
	c.required("displayName", d.DisplayName, maxName)
	c.required("serverURL", d.ServerURL, maxURL)
	c.certificate("certificate", d.Certificate)
	return c.result()
}

func (d Domain) equal(other Domain) bool {
	return d.GUID == other.GUID && d.DisplayName == other.DisplayName && d.ServerURL == other.ServerURL &&
		bytes.Equal(d.Certificate, other.Certificate)
}

// addTo adds g:ManagementDomain to parent and returns it.
func (d Domain) addTo(parent *etree.Element) *etree.Element {
	e := (*spcm.ManagementDomain)(&d).Element()
	parent.AddChild(e)
	return e
}

// addOriginTo adds g:ManagementDomain as the Origin of an identity object has
// it, without the reporting attributes (MS-GRVSPCM 2.2.2.2.10.6).
func (d Domain) addOriginTo(origin *etree.Element) {
	e := d.addTo(origin)
	e.RemoveAttr("ReportingInterval")
	e.RemoveAttr("ReportingPolicy")
}

// domain reads the g:ManagementDomain in parent.
func (d *decoder) domain(parent *etree.Element) Domain {
	domain, err := spcm.DecodeManagementDomain(parent)
	if err != nil {
		d.check(err)
		return Domain{}
	}
	return Domain(*domain)
}

// originDomain reads what [Domain.addOriginTo] adds.
func (d *decoder) originDomain(origin *etree.Element) Domain {
	e := d.required(origin, "ManagementDomain")
	return Domain{
		GUID:        d.text(e, "Name"),
		DisplayName: d.text(e, "DisplayName"),
		ServerURL:   d.text(e, "ServerURL"),
		Certificate: d.bytes(e, "Certificate"),
	}
}
