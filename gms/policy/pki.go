package policy

import (
	"fmt"
	"time"

	"github.com/beevik/etree"
)

const (
	// pkiFlags and pkiFeature are the only values allowed (MS-GRVSPCM
	// 2.2.2.2.14).
	pkiFlags   = 0x01
	pkiFeature = 0x02

	maxCertificateTypes = 32
	maxCertificates     = 64 // of one type
)

// PKI says which certificates of an outside authority clients demand
// (MS-GRVSPCM 2.2.2.2.14). Only one feature has a published number, so a policy
// holds at most one.
type PKI struct {
	Feature *PKIFeature `json:"feature,omitempty" help:"What is demanded. Left out: nothing."`
}

// PKIFeature is the demand of a [PKI] policy.
type PKIFeature struct {
	Required            bool                 `json:"required" help:"Members must have such a certificate."`
	CheckRevocation     bool                 `json:"checkRevocation" help:"Clients check whether a certificate was revoked."`
	RevocationFreshness time.Duration        `json:"revocationFreshness" help:"How old the news about revoked certificates may be." unit:"hours"`
	KeyUsageFlags       int                  `json:"keyUsageFlags" help:"Key usage of the certificates. Clients ignore it." min:"-2147483648" max:"2147483647"`
	CertificateTypes    []PKICertificateType `json:"certificateTypes,omitempty" help:"The kinds of certificates that are accepted."`
}

// PKICertificateType is a kind of certificates and its issuers.
type PKICertificateType struct {
	ID           int      `json:"id" help:"Number of the kind of certificate."`
	Certificates [][]byte `json:"certificates,omitempty" help:"Certificates of the authorities that are accepted, in DER."`
}

// validate accepts a nil policy.
func (p *PKI) validate() error {
	if p == nil || p.Feature == nil {
		return nil
	}
	var c checker
	f := p.Feature
	c.period("feature.revocationFreshness", f.RevocationFreshness, time.Second, secondsLimit)
	c.between("feature.keyUsageFlags", f.KeyUsageFlags, minInt, maxInt)
	c.atMost("feature.certificateTypes", len(f.CertificateTypes), maxCertificateTypes)
	for i, t := range f.CertificateTypes {
		field := fmt.Sprintf("feature.certificateTypes[%d]", i)
		c.between(field+".id", t.ID, minInt, maxInt)
		c.atMost(field+".certificates", len(t.Certificates), maxCertificates)
		for n, der := range t.Certificates {
			c.certificate(fmt.Sprintf("%s.certificates[%d]", field, n), der)
		}
	}
	return c.result()
}

func (f *PKIFeature) flags() []option {
	return []option{{0x01, &f.Required}, {0x02, &f.CheckRevocation}}
}

// addTo adds g:PKI to a policy element, nothing for a nil policy.
func (p *PKI) addTo(policy *etree.Element) {
	if p == nil {
		return
	}
	pki := add(policy, "PKI", number("Flags", pkiFlags))
	if p.Feature == nil {
		return
	}
	feature := add(pki, "Feature",
		number("Flags", joinFlags(p.Feature.flags())),
		number("ID", pkiFeature),
		number("KeyUsageFlags", p.Feature.KeyUsageFlags),
		seconds("RevocationFreshness", p.Feature.RevocationFreshness))
	for _, t := range p.Feature.CertificateTypes {
		e := add(feature, "CertificateType", number("ID", t.ID))
		if len(t.Certificates) == 0 {
			continue
		}
		list := add(e, "Certificates")
		for _, der := range t.Certificates {
			add(list, "Item", binary("Value", der))
		}
	}
}

// pki reads the g:PKI of a policy element, nil if there is none.
func (d *decoder) pki(policy *etree.Element) *PKI {
	pki := d.child(policy, "PKI")
	if pki == nil {
		return nil
	}
	d.only(pki, "Flags", pkiFlags)
	feature := d.child(pki, "Feature")
	if feature == nil {
		return &PKI{}
	}
	d.only(feature, "ID", pkiFeature)
	f := &PKIFeature{
		RevocationFreshness: d.seconds(feature, "RevocationFreshness"),
		KeyUsageFlags:       d.number(feature, "KeyUsageFlags"),
	}
	d.flags(feature, f.flags())
	for _, e := range d.children(feature, "CertificateType") {
		t := PKICertificateType{ID: d.number(e, "ID")}
		if list := d.child(e, "Certificates"); list != nil {
			for _, item := range d.children(list, "Item") {
				t.Certificates = append(t.Certificates, d.bytes(item, "Value"))
			}
		}
		f.CertificateTypes = append(f.CertificateTypes, t)
	}
	return &PKI{Feature: f}
}
