package policy

import (
	"fmt"
	"time"

	"github.com/beevik/etree"
)

const (
	// maxUploadDays bounds the upload interval of audit logs.
	maxUploadDays = 366

	// maxUploadInterval is what an xs:int of milliseconds can say.
	maxUploadInterval = maxInt * time.Millisecond

	maxAuditItems = 256
)

// DevicePolicy holds the rules for managed devices (MS-GRVSPCM 2.2.2.2.10.4).
// The schema lets most of its parts repeat and no sentence gives that a
// meaning, so each part is there once or not at all.
type DevicePolicy struct {
	KeepCommunicatorSettings bool         `json:"keepCommunicatorSettings" help:"Members cannot change how Groove works with Office Communicator."`
	NoPublicSearch           bool         `json:"noPublicSearch" help:"Members cannot search the public directory for contacts."`
	Bandwidth                *Bandwidth   `json:"bandwidth,omitempty" help:"Limit of the network bandwidth that Groove uses. Left out: no limit."`
	Audit                    *AuditClient `json:"audit,omitempty" help:"Which parts of auditing the device switches on. Left out: no rule."`
	WebServices              *WebServices `json:"webServices,omitempty" help:"Rule for Groove's web services. Clients ignore it."`
	PKI                      *PKI         `json:"pki,omitempty" help:"Rule for certificates of an outside authority. Left out: no rule."`
	AuditServer              *AuditServer `json:"auditServer,omitempty" help:"What is audited and where audit logs go. Left out: nothing is audited."`
}

// BandwidthUnit is the unit of a [Bandwidth].
type BandwidthUnit int

// The units of MS-GRVSPCM 2.2.2.2.10.4.
const (
	BitsPerSecond BandwidthUnit = iota
	KilobitsPerSecond
	MegabitsPerSecond
	Percent
)

// Bandwidth limits the use of the network.
type Bandwidth struct {
	Value       int           `json:"value" help:"The limit, in its unit." min:"0" max:"2147483647"`
	Unit        BandwidthUnit `json:"unit" help:"bps, kbps and Mbps are bits, kilobits and megabits per second." choices:"0=bps,1=kbps,2=Mbps,3=percent"`
	DisplayMask string        `json:"displayMask" help:"How clients show the limit, with %d for the value, such as %d Percent."`
}

// AuditClient switches the auditing of a device on.
type AuditClient struct {
	OutsideWorkspaces bool `json:"outsideWorkspaces" help:"Audit what happens outside workspaces, such as messages."`
	Workspaces        bool `json:"workspaces" help:"Audit what happens in workspaces."`
}

// WebServices is a rule that clients ignore.
type WebServices struct {
	Direct bool `json:"direct" help:"Direct access is enabled. Clients ignore it."`
}

// AuditServer says what is audited and where to.
type AuditServer struct {
	FileContent    bool          `json:"fileContent" help:"Audit the content of files."`
	Messages       bool          `json:"messages" help:"Audit instant messages and invitations."`
	Logins         bool          `json:"logins" help:"Audit login and logoff."`
	Contacts       bool          `json:"contacts" help:"Audit when contacts are added and deleted."`
	Dynamics       bool          `json:"dynamics" help:"Audit the synchronization of workspaces."`
	Mandatory      bool          `json:"mandatory" help:"Groove does not run until auditing works."`
	Workspaces     bool          `json:"workspaces" help:"Audit workspaces."`
	ServerURL      string        `json:"serverURL" help:"Where audit logs are uploaded to."`
	UploadDays     int           `json:"uploadDays" help:"Days between uploads." unit:"days" min:"0" max:"366"`
	UploadInterval time.Duration `json:"uploadInterval" help:"Time between uploads, for clients that know a finer one than days. 0: not sent." unit:"hours"`
	Items          []string      `json:"items,omitempty" help:"URLs of the audit components."`
}

// DefaultDevicePolicy audits nothing and limits nothing, except that the
// public directory is not searched: it does not exist any more.
func DefaultDevicePolicy() DevicePolicy { return DevicePolicy{NoPublicSearch: true} }

// Type returns [TypeDevicePolicy].
func (DevicePolicy) Type() Type { return TypeDevicePolicy }

// Validate returns nil or a *[FieldError].
func (p DevicePolicy) Validate() error {
	var c checker
	if b := p.Bandwidth; b != nil {
		c.between("bandwidth.value", b.Value, 0, maxInt)
		oneOf(&c, "bandwidth.unit", b.Unit, BitsPerSecond, KilobitsPerSecond, MegabitsPerSecond, Percent)
		c.text("bandwidth.displayMask", b.DisplayMask, maxName)
	}
	c.nested("pki", p.PKI.validate())
	if a := p.AuditServer; a != nil {
		c.text("auditServer.serverURL", a.ServerURL, maxURL)
		c.between("auditServer.uploadDays", a.UploadDays, 0, maxUploadDays)
		c.period("auditServer.uploadInterval", a.UploadInterval, time.Millisecond, maxUploadInterval)
		c.atMost("auditServer.items", len(a.Items), maxAuditItems)
		for i, item := range a.Items {
			c.required(fmt.Sprintf("auditServer.items[%d]", i), item, maxURL)
		}
	}
	return c.result()
}

func (p *DevicePolicy) flags() []option {
	return []option{{0x04, &p.KeepCommunicatorSettings}, {0x08, &p.NoPublicSearch}}
}

func (a *AuditClient) flags() []option {
	return []option{{0x01, &a.OutsideWorkspaces}, {0x02, &a.Workspaces}}
}

func (a *AuditServer) flags() []option {
	return []option{
		{0x01, &a.FileContent}, {0x02, &a.Messages}, {0x04, &a.Logins}, {0x08, &a.Contacts},
		{0x10, &a.Dynamics}, {0x20, &a.Mandatory}, {0x40, &a.Workspaces},
	}
}

func (p DevicePolicy) encode(*Object) *etree.Element {
	policy := element("Policy")
	// Zero is not among the values that Flags must have.
	if n := joinFlags(p.flags()); n != 0 {
		set(policy, number("Flags", n))
	}
	if b := p.Bandwidth; b != nil {
		add(policy, "Bandwidth",
			text("DisplayMask", b.DisplayMask), number("Unit", int(b.Unit)), number("Value", b.Value))
	}
	if p.Audit != nil {
		add(add(policy, "Audit"), "Client", number("Flags", joinFlags(p.Audit.flags())))
	}
	if p.WebServices != nil {
		add(policy, "WebServices", number("IsDirectEnabled", bit(p.WebServices.Direct)))
	}
	p.PKI.addTo(policy)
	if p.AuditServer != nil {
		policy.AddChild(p.AuditServer.encode())
	}
	return policy
}

func (a *AuditServer) encode() *etree.Element {
	server := element("AuditServer",
		number("Flags", joinFlags(a.flags())),
		text("ServerURL", a.ServerURL),
		number("UploadFrequency", a.UploadDays))
	if a.UploadInterval != 0 {
		set(server, millis("UploadFrequency2", a.UploadInterval))
	}
	if len(a.Items) > 0 {
		list := add(server, "AuditItems")
		for _, item := range a.Items {
			add(list, "AuditItem", text("ComponentURL", item))
		}
	}
	return server
}

func (d *decoder) devicePolicy(policy *etree.Element) DevicePolicy {
	var p DevicePolicy
	d.flags(policy, p.flags())
	if e := d.child(policy, "Bandwidth"); e != nil {
		p.Bandwidth = &Bandwidth{
			Value:       d.number(e, "Value"),
			Unit:        BandwidthUnit(d.number(e, "Unit")),
			DisplayMask: d.text(e, "DisplayMask"),
		}
	}
	if audit := d.child(policy, "Audit"); audit != nil {
		if e := d.child(audit, "Client"); e != nil {
			p.Audit = &AuditClient{}
			d.flags(e, p.Audit.flags())
		}
	}
	if e := d.child(policy, "WebServices"); e != nil {
		p.WebServices = &WebServices{Direct: d.number(e, "IsDirectEnabled") != 0}
	}
	p.PKI = d.pki(policy)
	if e := d.child(policy, "AuditServer"); e != nil {
		p.AuditServer = d.auditServer(e)
	}
	return p
}

func (d *decoder) auditServer(e *etree.Element) *AuditServer {
	a := &AuditServer{
		ServerURL:      d.text(e, "ServerURL"),
		UploadDays:     d.number(e, "UploadFrequency"),
		UploadInterval: d.period(e, "UploadFrequency2"),
	}
	d.flags(e, a.flags())
	if list := d.child(e, "AuditItems"); list != nil {
		for _, item := range d.children(list, "AuditItem") {
			a.Items = append(a.Items, d.text(item, "ComponentURL"))
		}
	}
	return a
}
