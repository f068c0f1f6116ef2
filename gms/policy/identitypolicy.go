package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/beevik/etree"
)

// PeerAuthentication says what clients do about contacts that no trusted
// domain has signed and the member has not verified.
type PeerAuthentication int

// The levels of MS-GRVSPCM 2.2.2.2.10.7.
const (
	PeersUnrestricted PeerAuthentication = iota
	PeersWarn
	PeersRestrict
)

// Listing says whether members' vCards are published in a directory.
type Listing int

// The values of MS-GRVSPCM 2.2.2.2.10.7.
const (
	ListingByMember Listing = iota // as the member likes
	ListingAlways
	ListingNever
)

const (
	// The directories of MS-GRVSPCM 2.2.2.2.10.7.
	publicDirectory = "$GrooveNet"
	domainDirectory = "$ManagementDomain"

	// vCardLocked is the only value of ChangeFlags.
	vCardLocked = 0x02

	maxBlockedFileTypes = 512
	maxFileType         = 64 // bytes
	maxForests          = 64
)

// IdentityPolicy holds the rules for managed identities (MS-GRVSPCM
// 2.2.2.2.10.7).
type IdentityPolicy struct {
	ManagedDevicesOnly bool               `json:"managedDevicesOnly" help:"Identities can only be used on devices that this domain manages."`
	ManageDevices      bool               `json:"manageDevices" help:"A device is managed by this domain from the moment a member's account is set up on it."`
	DeviceManagement   bool               `json:"deviceManagement" help:"Clients are told that this domain is the one to manage their devices."`
	PeerAuthentication PeerAuthentication `json:"peerAuthentication" help:"Communication with contacts that are not authenticated: free, with a warning (warn), or not possible (refuse)." choices:"0=free,1=warn,2=refuse"`
	BlockedFileTypes   []string           `json:"blockedFileTypes,omitempty" help:"File name extensions that cannot be put into workspaces, such as exe."`
	RestrictedForests  []string           `json:"restrictedForests,omitempty" help:"Directory forests that a member must have logged in to. None: no restriction."`
	LockVCard          bool               `json:"lockVCard" help:"Members cannot change what their vCard says."`
	PublicDirectory    Listing            `json:"publicDirectory" help:"Publishing vCards in the public directory: as the member likes (member), always or never." choices:"0=member,1=always,2=never"`
	DomainDirectory    Listing            `json:"domainDirectory" help:"Publishing vCards in this domain's directory: as the member likes (member), always or never." choices:"0=member,1=always,2=never"`
	BackupInterval     time.Duration      `json:"backupInterval" help:"How often a client backs the account up to the server. 0: never." unit:"hours"`
	DefaultTemplate    string             `json:"defaultTemplate" help:"Component resource URL of the template for new workspaces. Empty: the client's own."`
	MinimumTemplate    string             `json:"minimumTemplate" help:"Component resource URL of the oldest template for workspaces that is allowed. Empty: any."`
	PKI                *PKI               `json:"pki,omitempty" help:"Rule for certificates of an outside authority. Left out: no rule."`
}

// DefaultIdentityPolicy is for an office whose members work with each other
// and sometimes with guests: members find each other in the directory, devices
// are managed so that the device policies hold on them, accounts are backed up
// daily, and contacts from outside are allowed with a warning.
func DefaultIdentityPolicy() IdentityPolicy {
	return IdentityPolicy{
		ManageDevices:      true,
		DeviceManagement:   true,
		PeerAuthentication: PeersWarn,
		PublicDirectory:    ListingNever,
		DomainDirectory:    ListingAlways,
		BackupInterval:     24 * time.Hour,
	}
}

// Type returns [TypeIdentityPolicy].
func (IdentityPolicy) Type() Type { return TypeIdentityPolicy }

// Validate returns nil or a *[FieldError].
func (p IdentityPolicy) Validate() error {
	var c checker
	oneOf(&c, "peerAuthentication", p.PeerAuthentication, PeersUnrestricted, PeersWarn, PeersRestrict)
	c.atMost("blockedFileTypes", len(p.BlockedFileTypes), maxBlockedFileTypes)
	c.words("blockedFileTypes", p.BlockedFileTypes, maxFileType)
	c.atMost("restrictedForests", len(p.RestrictedForests), maxForests)
	c.words("restrictedForests", p.RestrictedForests, maxName)
	oneOf(&c, "publicDirectory", p.PublicDirectory, ListingByMember, ListingAlways, ListingNever)
	oneOf(&c, "domainDirectory", p.DomainDirectory, ListingByMember, ListingAlways, ListingNever)
	c.period("backupInterval", p.BackupInterval, time.Millisecond, maxPeriod)
	c.text("defaultTemplate", p.DefaultTemplate, maxURL)
	c.text("minimumTemplate", p.MinimumTemplate, maxURL)
	c.nested("pki", p.PKI.validate())
	return c.result()
}

func (p *IdentityPolicy) flags() []option {
	return []option{{0x1, &p.ManagedDevicesOnly}, {0x2, &p.ManageDevices}}
}

func (p IdentityPolicy) encode(o *Object) *etree.Element {
	policy := element("Policy",
		number("Flags", joinFlags(p.flags())),
		number("PeerAuthenticationLevel", int(p.PeerAuthentication)))
	if len(p.BlockedFileTypes) > 0 {
		set(policy, text("BlockedFileTypes", strings.Join(p.BlockedFileTypes, ",")))
	}
	if len(p.RestrictedForests) > 0 {
		set(policy, text("RestrictedForestNames", strings.Join(p.RestrictedForests, " ")))
	}
	contact := add(policy, "Contact")
	if p.LockVCard {
		add(contact, "VCard", number("ChangeFlags", vCardLocked))
	}
	listings := add(add(contact, "Policies"), "DirectoryListings")
	add(listings, "DirectoryListing", text("Name", publicDirectory), number("Value", int(p.PublicDirectory)))
	add(listings, "DirectoryListing", text("Name", domainDirectory), number("Value", int(p.DomainDirectory)))
	if p.BackupInterval != 0 {
		add(policy, "Backup", millis("Interval", p.BackupInterval))
	}
	if p.DefaultTemplate != "" || p.MinimumTemplate != "" {
		telespaces := add(policy, "Telespaces")
		if p.DefaultTemplate != "" {
			set(telespaces, text("DefaultTemplateComponentResourceURL", p.DefaultTemplate))
		}
		if p.MinimumTemplate != "" {
			set(telespaces, text("MinimumTemplateComponentResourceURL", p.MinimumTemplate))
		}
	}
	p.PKI.addTo(policy)
	if p.DeviceManagement {
		o.Domain.addTo(add(policy, "DeviceManagement"))
	}
	return policy
}

func (d *decoder) identityPolicy(policy *etree.Element, domain Domain) IdentityPolicy {
	p := IdentityPolicy{
		PeerAuthentication: PeerAuthentication(d.number(policy, "PeerAuthenticationLevel")),
		BlockedFileTypes:   words(d.text(policy, "BlockedFileTypes")),
		RestrictedForests:  words(d.text(policy, "RestrictedForestNames")),
		PKI:                d.pki(policy),
	}
	d.flags(policy, p.flags())
	if contact := d.child(policy, "Contact"); contact != nil {
		d.identityContact(contact, &p)
	}
	if e := d.child(policy, "Backup"); e != nil {
		p.BackupInterval = d.period(e, "Interval")
	}
	if e := d.child(policy, "Telespaces"); e != nil {
		p.DefaultTemplate = d.text(e, "DefaultTemplateComponentResourceURL")
		p.MinimumTemplate = d.text(e, "MinimumTemplateComponentResourceURL")
	}
	if e := d.child(policy, "DeviceManagement"); e != nil && d.child(e, "ManagementDomain") != nil {
		p.DeviceManagement = true
		if !d.domain(e).equal(domain) { // MS-GRVSPCM 2.2.2.2.10.7
			d.fail(e, "names another domain than the header")
		}
	}
	return p
}

func (d *decoder) identityContact(contact *etree.Element, p *IdentityPolicy) {
	if e := d.child(contact, "VCard"); e != nil {
		d.only(e, "ChangeFlags", vCardLocked)
		p.LockVCard = true
	}
	e := d.child(contact, "Policies")
	if e == nil {
		return
	}
	if e = d.child(e, "DirectoryListings"); e == nil {
		return
	}
	for _, listing := range d.children(e, "DirectoryListing") {
		value := Listing(d.number(listing, "Value"))
		switch name := d.text(listing, "Name"); name {
		case publicDirectory:
			p.PublicDirectory = value
		case domainDirectory:
			p.DomainDirectory = value
		default:
			d.fail(listing, "unknown directory %.64q", name)
		}
	}
}

// words divides a list at spaces and commas: the text names one of them for
// each list, and an administrator elsewhere may have typed both.
func words(s string) []string { return slices.Collect(strings.FieldsFuncSeq(s, dividesWords)) }
