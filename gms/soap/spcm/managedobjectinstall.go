package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// ManagedObjectInstall reports that a client has installed a managed object
// (MS-GRVSPCM 2.2.3.38.1). The answer is a return code.
//
//	<ManagedObjectInstalled Domain="" ID="" IdentityURL="" IssuedTime="" Name=""
//	    ServerURL="" Type="" UserNAME="" VCard=""/>
//
// The tables put it into g:fragment, the schema does not (reading B9): it is
// sent bare and accepted either way.
type ManagedObjectInstall struct {
	Domain      string // GUID
	ID          string // GUID of the object
	IdentityURL string
	Type        string // such as "IdentityTemplate"; the values are nowhere listed (reading B15)
	UserName    string // host name for a device account, else the identity's full name

	// Optional; zero if absent.
	ServerURL  string
	Name       string
	IssuedTime int64 // milliseconds since 1970
	VCard      []byte
}

// TypeIdentityTemplate is the Type that is sent for identity objects (reading
// B15). A server goes by the ID.
const TypeIdentityTemplate = "IdentityTemplate"

// Encode returns the payload. Optional attributes that are zero are left out.
func (m *ManagedObjectInstall) Encode() []byte {
	e := soap.NewElement("ManagedObjectInstalled",
		soap.Attr{Name: "Domain", Value: m.Domain},
		soap.Attr{Name: "ID", Value: m.ID},
		soap.Attr{Name: "IdentityURL", Value: m.IdentityURL},
		soap.Attr{Name: "Type", Value: m.Type},
		soap.Attr{Name: "UserNAME", Value: m.UserName})
	if m.ServerURL != "" {
		e.CreateAttr("ServerURL", m.ServerURL)
	}
	if m.Name != "" {
		e.CreateAttr("Name", m.Name)
	}
	if m.IssuedTime != 0 {
		e.CreateAttr("IssuedTime", soap.FormatMillis(m.IssuedTime))
	}
	if m.VCard != nil {
		e.CreateAttr("VCard", soap.EncodeBase64(m.VCard))
	}
	return soap.Canonical(e)
}

// DecodeManagedObjectInstall reads the payload.
func DecodeManagedObjectInstall(payload []byte) (*ManagedObjectInstall, error) {
	e, err := parseInstalled(payload)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &ManagedObjectInstall{
		Domain:      a.Name("Domain"),
		ID:          a.Name("ID"),
		IdentityURL: a.Text("IdentityURL"),
		Type:        a.Text("Type"),
		UserName:    a.Text("UserNAME", "UserName"),
	}
	if a.Has("ServerURL") {
		m.ServerURL = a.Text("ServerURL")
	}
	if a.Has("Name") {
		m.Name = a.Text("Name")
	}
	if a.Has("IssuedTime") {
		m.IssuedTime = a.Millis("IssuedTime")
	}
	if a.Has("VCard") {
		m.VCard = a.Base64("VCard")
	}
	return m, a.Err()
}

func parseInstalled(payload []byte) (*etree.Element, error) {
	const name = "ManagedObjectInstalled"
	root, err := soap.ParsePayload(payload, contactRequest, name, "fragment")
	if err != nil || root.Tag == name {
		return root, err
	}
	return soap.RequiredChild(root, name)
}
