package spcm

import (
	"strings"

	"furrow/gms/soap"
)

// ManagedObjectStatus asks which of a client's managed objects are out of date
// (MS-GRVSPCM 2.2.3.40.1). The element is named D and the domain's GUID:
//
//	<D7ymdzshk... ConsistencyDigest="" ConsistencyDomainGUID=""
//	    ConsistencyIdentityURL="" DomainMember="1" IdentityURL="" IsBeta="0"
//	    IsTrial="0" Name="" ProductID="" UserGUID="" UserName="">
//	  <ManagedObject ID="" IssuedTime="" Name=""/>...
//	</D7ymdzshk...>
type ManagedObjectStatus struct {
	DomainGUID   string
	Consistency  Consistency
	DomainMember bool // a member's account; false for a device's
	IdentityURL  string
	Name         string
	UserGUID     string
	UserName     string
	Objects      []InstalledObject

	// Optional; zero if absent.
	IsBeta, IsTrial bool
	ProductID       string
}

// Consistency is chosen by the client and returned by the server as it came.
type Consistency struct {
	Digest      string // base64
	DomainGUID  string
	IdentityURL string
}

// InstalledObject is a managed object that a client has.
type InstalledObject struct {
	ID         string // GUID
	IssuedTime int64  // milliseconds since 1970
	Name       string
}

func (c *Consistency) attrs() []soap.Attr {
	return []soap.Attr{
		{Name: "ConsistencyDigest", Value: c.Digest},
		{Name: "ConsistencyDomainGUID", Value: c.DomainGUID},
		{Name: "ConsistencyIdentityURL", Value: c.IdentityURL},
	}
}

func decodeConsistency(a *soap.Attributes) Consistency {
	a.Base64("ConsistencyDigest") // for its form: it goes back as it came
	return Consistency{
		Digest:      a.Text("ConsistencyDigest"),
		DomainGUID:  a.Text("ConsistencyDomainGUID"),
		IdentityURL: a.Text("ConsistencyIdentityURL"),
	}
}

// domainElementPrefix stands before the domain GUID in the element's name.
const domainElementPrefix = "D"

// Encode returns the payload. The domain GUID must be of letters and digits.
func (m *ManagedObjectStatus) Encode() []byte {
	attrs := append(m.Consistency.attrs(),
		soap.Attr{Name: "DomainMember", Value: soap.FormatBool(m.DomainMember)},
		soap.Attr{Name: "IdentityURL", Value: m.IdentityURL},
		soap.Attr{Name: "IsBeta", Value: soap.FormatBool(m.IsBeta)},
		soap.Attr{Name: "IsTrial", Value: soap.FormatBool(m.IsTrial)},
		soap.Attr{Name: "Name", Value: m.Name},
		soap.Attr{Name: "UserGUID", Value: m.UserGUID},
		soap.Attr{Name: "UserName", Value: m.UserName})
	e := soap.NewElement(domainElementPrefix+m.DomainGUID, attrs...)
	if m.ProductID != "" {
		e.CreateAttr("ProductID", m.ProductID)
	}
	for _, o := range m.Objects {
		e.AddChild(soap.NewElement("ManagedObject",
			soap.Attr{Name: "ID", Value: o.ID},
			soap.Attr{Name: "IssuedTime", Value: soap.FormatMillis(o.IssuedTime)},
			soap.Attr{Name: "Name", Value: o.Name}))
	}
	return soap.Canonical(e)
}

// DecodeManagedObjectStatus reads the payload. A client without objects is
// accepted, though the schema counts from one.
func DecodeManagedObjectStatus(payload []byte) (*ManagedObjectStatus, error) {
	e, err := soap.ParsePayload(payload, listRequest)
	if err != nil {
		return nil, err
	}
	domain, ok := strings.CutPrefix(e.Tag, domainElementPrefix)
	if !ok || domain == "" {
		return nil, soap.InvalidParameter("domainGUID", "element not named after a domain")
	}
	a := soap.AttributesOf(e)
	m := &ManagedObjectStatus{
		DomainGUID:   domain,
		Consistency:  decodeConsistency(a),
		DomainMember: a.Bool("DomainMember"),
		IdentityURL:  a.Text("IdentityURL"),
		Name:         a.Text("Name"),
		UserGUID:     a.Text("UserGUID"),
		UserName:     a.Text("UserName"),
	}
	if a.Has("IsBeta") {
		m.IsBeta = a.Bool("IsBeta")
	}
	if a.Has("IsTrial") {
		m.IsTrial = a.Bool("IsTrial")
	}
	if a.Has("ProductID") {
		m.ProductID = a.Text("ProductID")
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	elements := soap.Children(e, "ManagedObject")
	m.Objects = make([]InstalledObject, 0, len(elements))
	for _, object := range elements {
		a := soap.AttributesOf(object)
		m.Objects = append(m.Objects, InstalledObject{
			ID:         a.Name("ID"),
			IssuedTime: a.Millis("IssuedTime"),
			Name:       a.Text("Name"),
		})
		if err := a.Err(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// ManagedObjectStatusResponse is the answer to [ManagedObjectStatus] when there
// are objects to send (MS-GRVSPCM 2.2.3.41.1); otherwise the response has no
// payload (MS-GRVSPCM 4.1.2). Its fragment's wrapper is
// [soap.WrapperManagedObjects].
//
//	<ManagedObjects ConsistencyDigest="" ConsistencyDomainGUID=""
//	    ConsistencyIdentityURL="" IdentityURL="">
//	  <ManagedObject .../>...
//	</ManagedObjects>
type ManagedObjectStatusResponse struct {
	Consistency Consistency
	IdentityURL string
	Objects     []ManagedObject
}

// Encode returns the payload.
func (m *ManagedObjectStatusResponse) Encode() []byte {
	e := soap.NewElement("ManagedObjects",
		append(m.Consistency.attrs(), soap.Attr{Name: "IdentityURL", Value: m.IdentityURL})...)
	addManagedObjects(e, m.Objects)
	return soap.Canonical(e)
}

// DecodeManagedObjectStatusResponse reads the payload.
func DecodeManagedObjectStatusResponse(payload []byte) (*ManagedObjectStatusResponse, error) {
	e, err := soap.ParsePayload(payload, MaxResponseSize, "ManagedObjects")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &ManagedObjectStatusResponse{
		Consistency: decodeConsistency(a),
		IdentityURL: a.Text("IdentityURL"),
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	if m.Objects, err = decodeManagedObjects(e); err != nil {
		return nil, err
	}
	return m, nil
}
