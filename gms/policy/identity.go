package policy

import (
	"fmt"
	"time"

	"github.com/beevik/etree"

	"furrow/gms/soap"
)

const (
	identityValid    = 1
	identityDisabled = 3

	// affiliationFlags is the only value allowed (MS-GRVSPCM 2.2.2.2.10.6).
	affiliationFlags = 0x4000000

	// originName is the Name of every Origin (MS-GRVSPCM 2.2.2.2.10.6).
	originName = "urn:groove.net:ManagementDomain"

	maxRelays      = 64
	maxVCard       = 16 << 10 // bytes; fifteen values of 1024
	maxAffiliation = 2 * 3 * (maxName + 8)
)

// Identity shows a member to the client that uses it (MS-GRVSPCM 2.2.2.2.10.6).
type Identity struct {
	FullName string
	Disabled bool
	// MigrateTo is the URL of the server that the member is to move to, empty
	// for a member who stays.
	MigrateTo string
	VCard     []byte // see Card
	// Relays are the member's relays, in the order of their set. They are
	// named as presence servers too (3.2.5.1.4).
	Relays []Relay
	// PreAuthToken is what the member's devices show to each of the relays.
	// Without relays it is not sent.
	PreAuthToken string
	// Enrollment is nil for a member who has not enrolled.
	Enrollment *Enrollment
}

// Relay is a relay server as its members' clients know it.
type Relay struct {
	URL         string // grooveDNS://hostname
	Certificate []byte // the SSTP certificate, in DER
}

// Enrollment is what an identity object adds for a member who has finished the
// enrollment.
type Enrollment struct {
	Affiliation string // see Affiliation
	// Expires is the end of the contact's certificate, in milliseconds. It is
	// zero where the domain uses an enterprise PKI instead: then the contact
	// is not signed.
	Expires time.Time
}

// Type returns [TypeIdentity].
func (Identity) Type() Type { return TypeIdentity }

// Validate returns nil or a *[FieldError].
func (i Identity) Validate() error {
	var c checker
	c.required("fullName", i.FullName, maxName)
	c.text("migrateTo", i.MigrateTo, maxURL)
	if len(i.VCard) == 0 || len(i.VCard) > maxVCard {
		c.fail("vCard", "does not have 1 to %d bytes", maxVCard)
	}
	c.atMost("relays", len(i.Relays), maxRelays)
	for n, r := range i.Relays {
		field := fmt.Sprintf("relays[%d]", n)
		c.required(field+".url", r.URL, maxURL)
		c.certificate(field+".certificate", r.Certificate)
	}
	c.text("preAuthToken", i.PreAuthToken, maxGUID)
	if e := i.Enrollment; e != nil {
		c.required("enrollment.affiliation", e.Affiliation, maxAffiliation)
		if ms := e.Expires.UnixMilli(); !e.Expires.IsZero() && (ms <= 0 || ms > maxMillis) {
			c.fail("enrollment.expires", "is not a time after 1970")
		}
	}
	return c.result()
}

// hasCertificate reports whether the domain signs the member's contact
// (MS-GRVSPCM 3.2.5.1.4).
func (i Identity) hasCertificate() bool { return i.Enrollment != nil && !i.Enrollment.Expires.IsZero() }

func (i Identity) encode(o *Object) *etree.Element {
	flags := identityValid
	if i.Disabled {
		flags = identityDisabled
	}
	template := element("IdentityTemplate", number("Flags", flags))
	if i.MigrateTo != "" {
		add(template, "ManagementDomainMigration", text("ServerURL", i.MigrateTo))
	}
	contact := add(template, "Contact")
	add(contact, "vCard", binary("Data", i.VCard))
	i.addDevices(contact, "RelayDevices", "RelayDevice")
	i.addDevices(contact, "PresenceDevices", "PresenceDevice")
	if i.Enrollment == nil {
		return template
	}
	if i.hasCertificate() {
		add(add(contact, "Certificate"), "Certificate",
			text("ExpirationDate", soap.FormatMillis(i.Enrollment.Expires.UnixMilli())),
			text("SignerAddress", o.Domain.ServerURL))
	}
	add(contact, "CustomFields",
		text("_95_95Affiliation", i.Enrollment.Affiliation),
		number("_95_95_95Affiliation_95Flags", affiliationFlags))
	o.Domain.addOriginTo(add(template, "Origin", text("Name", originName)))
	return template
}

func (i Identity) addDevices(contact *etree.Element, list, entry string) {
	devices := add(contact, list)
	for _, r := range i.Relays {
		add(devices, entry,
			text("AuthorizationToken", i.PreAuthToken),
			binary("Certificate", r.Certificate),
			text("URL", r.URL))
	}
}

func (d *decoder) identity(template *etree.Element, o *Object, fullName string) Identity {
	i := Identity{FullName: fullName}
	switch n := d.number(template, "Flags"); n {
	case identityValid:
	case identityDisabled:
		i.Disabled = true
	default:
		d.fail(template, "unknown flags %d", n)
	}
	if e := d.child(template, "ManagementDomainMigration"); e != nil {
		i.MigrateTo = d.text(e, "ServerURL")
		if i.MigrateTo == "" {
			d.fail(e, "ServerURL missing")
		}
	}
	contact := d.required(template, "Contact")
	i.VCard = d.bytes(d.required(contact, "vCard", "VCard"), "Data")
	d.devices(contact, &i)
	i.Enrollment = d.enrollment(template, contact, o)
	return i
}

// devices reads the relays and demands that the presence servers are the same
// (MS-GRVSPCM 3.2.5.1.4).
func (d *decoder) devices(contact *etree.Element, i *Identity) {
	relays := d.children(d.required(contact, "RelayDevices"), "RelayDevice")
	presence := d.children(d.required(contact, "PresenceDevices"), "PresenceDevice")
	if len(relays) != len(presence) {
		d.fail(contact, "%d relays and %d presence servers", len(relays), len(presence))
		return
	}
	for n, e := range relays {
		for _, name := range []string{"AuthorizationToken", "Certificate", "URL"} {
			if d.text(e, name) != d.text(presence[n], name) {
				d.fail(e, "%s differs from that of the presence server", name)
			}
		}
		token := d.text(e, "AuthorizationToken")
		if n > 0 && token != i.PreAuthToken {
			d.fail(e, "AuthorizationToken differs from that of the first relay")
		}
		i.PreAuthToken = token
		i.Relays = append(i.Relays, Relay{URL: d.text(e, "URL"), Certificate: d.bytes(e, "Certificate")})
	}
}

// enrollment reads what is there for enrolled members only, all of it or
// nothing.
func (d *decoder) enrollment(template, contact *etree.Element, o *Object) *Enrollment {
	origin, fields := d.child(template, "Origin"), d.child(contact, "CustomFields")
	certificate := d.contactCertificate(contact)
	if origin == nil && fields == nil && certificate == nil {
		return nil
	}
	if origin == nil || fields == nil {
		d.fail(template, "only part of what an enrollment adds")
		return nil
	}
	d.exactly(origin, "Name", originName)
	if !d.originDomain(origin).equal(o.Domain) {
		d.fail(origin, "names another domain than the header")
	}
	d.affiliationFlags(fields)
	e := &Enrollment{Affiliation: d.text(fields, "_95_95Affiliation")}
	if certificate != nil {
		d.exactly(certificate, "SignerAddress", o.Domain.ServerURL)
		e.Expires = d.instant(certificate, "ExpirationDate")
	}
	return e
}

// affiliationFlags takes both spellings and both notations (reading E9).
func (d *decoder) affiliationFlags(fields *etree.Element) {
	switch d.text(fields, "_95_95_95Affiliation_95Flags", "_95_95Affiliation_95Flags") {
	case "67108864", "0x4000000":
	default:
		d.fail(fields, "other affiliation flags than %#x", affiliationFlags)
	}
}
