package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// Contact is what an identity publishes of itself (MS-GRVSPCM 2.2.2.2.4), in an
// attribute of DomainEnrollment and Enrollment:
//
//	<g:fragment xmlns:g="urn:groove.net">
//	  <g:Contact SeqNum="" URL="" Version="">
//	    <g:vCard Data=""/>
//	    <g:ClientDevices>
//	      <g:Device PlatformVersion="" URL="">
//	        <g:PresenceDevices><g:Device URL=""/>...</g:PresenceDevices>
//	      </g:Device>
//	    </g:ClientDevices>
//	    <g:RelayDevices><g:Device URL=""/>...</g:RelayDevices>
//	    <g:CSecurity .../>
//	  </g:Contact>
//	</g:fragment>
type Contact struct {
	SeqNum  int32
	URL     string // identity URL
	Version string
	VCard   []byte // UTF-8, RFC 2426

	DeviceURL       string
	PlatformVersion string
	PresenceDevices []string // URLs
	RelayDevices    []string // URLs

	Security CSecurity
}

// Encode returns the fragment, with the prolog (reading B5).
func (c *Contact) Encode() []byte {
	e := soap.NewElement("g:Contact",
		soap.Attr{Name: "SeqNum", Value: soap.FormatInt(c.SeqNum)},
		soap.Attr{Name: "URL", Value: c.URL},
		soap.Attr{Name: "Version", Value: c.Version})
	e.AddChild(soap.NewElement("g:vCard", soap.Attr{Name: "Data", Value: soap.EncodeBase64(c.VCard)}))

	device := soap.NewElement("g:Device",
		soap.Attr{Name: "PlatformVersion", Value: c.PlatformVersion},
		soap.Attr{Name: "URL", Value: c.DeviceURL})
	device.AddChild(deviceList("g:PresenceDevices", c.PresenceDevices))
	devices := soap.NewElement("g:ClientDevices")
	devices.AddChild(device)
	e.AddChild(devices)

	e.AddChild(deviceList("g:RelayDevices", c.RelayDevices))
	e.AddChild(c.Security.Element())
	return soap.Canonical(soap.NewFragmentElement(e))
}

func deviceList(name string, urls []string) *etree.Element {
	list := soap.NewElement(name)
	for _, url := range urls {
		list.AddChild(soap.NewElement("g:Device", soap.Attr{Name: "URL", Value: url}))
	}
	return list
}

// DecodeContact reads the fragment, with or without prolog.
func DecodeContact(fragment []byte) (*Contact, error) {
	e, err := soap.ParseFragmentPayload(fragment, MaxContact, "Contact")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	c := &Contact{SeqNum: a.Int("SeqNum"), URL: a.Name("URL"), Version: a.Text("Version")}
	if err := a.Err(); err != nil {
		return nil, err
	}
	vCard, err := soap.RequiredChild(e, "vCard")
	if err != nil {
		return nil, err
	}
	a = soap.AttributesOf(vCard)
	c.VCard = a.Base64("Data")
	if err := a.Err(); err != nil {
		return nil, err
	}
	if err := c.decodeDevices(e); err != nil {
		return nil, err
	}
	security, err := DecodeCSecurity(e)
	if err != nil {
		return nil, err
	}
	c.Security = *security
	return c, nil
}

// decodeDevices reads ClientDevices and RelayDevices. The schema has
// PlatformVersion and URL at ClientDevices, the table at its Device; they are
// sent there and read at either. The lists of servers may be absent: a member
// need not have any.
func (c *Contact) decodeDevices(contact *etree.Element) error {
	devices, err := soap.RequiredChild(contact, "ClientDevices")
	if err != nil {
		return err
	}
	device, err := soap.RequiredChild(devices, "Device")
	if err != nil {
		return err
	}
	a := soap.AttributesOf(device)
	if !a.Has("URL") && !a.Has("PlatformVersion") {
		a = soap.AttributesOf(devices)
	}
	c.DeviceURL, c.PlatformVersion = a.Text("URL"), a.Text("PlatformVersion")
	if err := a.Err(); err != nil {
		return err
	}
	if c.PresenceDevices, err = decodeDeviceList(device, "PresenceDevices"); err != nil {
		return err
	}
	c.RelayDevices, err = decodeDeviceList(contact, "RelayDevices")
	return err
}

func decodeDeviceList(parent *etree.Element, name string) ([]string, error) {
	list, err := soap.Child(parent, name)
	if list == nil || err != nil {
		return nil, err
	}
	var urls []string
	for _, device := range soap.Children(list, "Device") {
		a := soap.AttributesOf(device)
		urls = append(urls, a.Text("URL"))
		if err := a.Err(); err != nil {
			return nil, err
		}
	}
	return urls, nil
}
