package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// Fixed attributes of a ManagementDomain (MS-GRVSPCM 2.2.2.2.9).
const (
	reportingInterval = "60"
	reportingPolicy   = "Management"
)

// ManagementDomain describes a domain (MS-GRVSPCM 2.2.2.2.9):
//
//	<g:ManagementDomain Certificate="DER" DisplayName="" Name="GUID"
//	    ReportingInterval="60" ReportingPolicy="Management" ServerURL=""/>
type ManagementDomain struct {
	GUID        string // attribute Name
	DisplayName string
	ServerURL   string // such as "http://contoso.com/gms.dll"
	Certificate []byte // DER
}

// Element returns the g:ManagementDomain element.
func (d *ManagementDomain) Element() *etree.Element {
	return soap.NewElement("g:ManagementDomain",
		soap.Attr{Name: "Certificate", Value: soap.EncodeBase64(d.Certificate)},
		soap.Attr{Name: "DisplayName", Value: d.DisplayName},
		soap.Attr{Name: "Name", Value: d.GUID},
		soap.Attr{Name: "ReportingInterval", Value: reportingInterval},
		soap.Attr{Name: "ReportingPolicy", Value: reportingPolicy},
		soap.Attr{Name: "ServerURL", Value: d.ServerURL})
}

// DecodeManagementDomain reads the ManagementDomain child of parent.
func DecodeManagementDomain(parent *etree.Element) (*ManagementDomain, error) {
	e, err := soap.RequiredChild(parent, "ManagementDomain")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	d := &ManagementDomain{
		GUID:        a.Name("Name"),
		DisplayName: a.Text("DisplayName"),
		ServerURL:   a.Name("ServerURL"),
		Certificate: a.Base64("Certificate"),
	}
	a.OneOf("ReportingInterval", reportingInterval)
	a.OneOf("ReportingPolicy", reportingPolicy)
	return d, a.Err()
}
