package directory

import (
	"slices"
	"time"

	"furrow/appliance/state"
	"furrow/gms/policy"
)

// ManagedObject is a managed object as a client receives it (MS-GRVSPCM 3.2.1,
// 2.2.2.2.10).
type ManagedObject struct {
	GUID string
	Type policy.Type
	Name string
	// Group is the IPG or DPG GUID of a policy object; Member is the member of
	// an identity object.
	Group  string
	Member string
	Domain string
	// IssuedTime is in milliseconds since 1970.
	IssuedTime int64
	// Active is false for what a deleted member or device must give up.
	Active bool
	// Data is the signed object. It is shared and must not be changed.
	Data []byte
}

// objectVersion names the bytes of an object: what an object shows does not
// change without its IssuedTime, among states that are durable.
type objectVersion struct {
	guid   string
	issued int64
}

// draft is a managed object before it is signed.
type draft struct {
	ManagedObject
	body policy.Body
}

// issuer is what all objects of a domain show.
type issuer struct {
	row    domainRow
	domain policy.Domain
	stamp  int64 // newest of the domain and the server
}

// ManagementDomain returns what managed objects and activation responses say
// of a domain (MS-GRVSPCM 2.2.2.2.9).
func (d *Directory) ManagementDomain(guid string) (policy.Domain, error) {
	by, err := d.issuerAt(d.store.Snapshot(), guid)
	return by.domain, err
}

func (d *Directory) issuerAt(r state.Reader, guid string) (issuer, error) {
	row, err := d.domainAt(r, guid)
	if err != nil {
		return issuer{}, err
	}
	server, err := d.serverAt(r)
	if err != nil {
		return issuer{}, err
	}
	return issuer{
		row: row,
		domain: policy.Domain{
			GUID: row.GUID, DisplayName: row.Name, ServerURL: server.URL, Certificate: row.Certificate,
		},
		stamp: max(row.Stamp, server.Stamp),
	}, nil
}

// draft begins an object that shows the issuer and what changed at stamp.
func (by issuer) draft(guid string, stamp int64, body policy.Body) draft {
	return draft{
		ManagedObject: ManagedObject{
			GUID:       guid,
			Type:       body.Type(),
			Name:       body.Type().ObjectName(by.row.GUID, guid),
			Domain:     by.row.GUID,
			IssuedTime: max(by.stamp, stamp),
			Active:     true,
		},
		body: body,
	}
}

// of makes a policy object one of the template with this GUID.
func (o draft) of(template string) draft {
	o.Group = template
	return o
}

// IdentityObject returns the identity object of a member.
func (d *Directory) IdentityObject(member string) (ManagedObject, error) {
	view := d.store.Snapshot()
	row, err := d.memberAt(view, member)
	if err != nil {
		return ManagedObject{}, err
	}
	by, err := d.issuerAt(view, row.Domain)
	if err != nil {
		return ManagedObject{}, err
	}
	identity, err := d.identityDraft(view, by, row)
	if err != nil {
		return ManagedObject{}, err
	}
	return d.sign(by, identity)
}

// MemberObjects returns the managed objects that a member's client lacks or
// has in an older version: the identity object and the policy objects of the
// member's template (MS-GRVSPCM 3.2.5.3.3). held is what the client has,
// IssuedTime by object GUID. Before them come policy objects of the domain that it
// has and should not have any more, not active. For a deleted member the only object is its
// identity object, not active any more, whatever the client has.
func (d *Directory) MemberObjects(member string, held map[string]int64) ([]ManagedObject, error) {
	view := d.store.Snapshot()
	row, err := d.memberAt(view, member)
	if err != nil {
		return nil, err
	}
	by, err := d.issuerAt(view, row.Domain)
	if err != nil {
		return nil, err
	}
	identity, err := d.identityDraft(view, by, row)
	if err != nil {
		return nil, err
	}
	if row.Status == Deleted {
		return d.signAll(by, []draft{identity})
	}
	policies, err := d.identityPolicies(view, by, row)
	if err != nil {
		return nil, err
	}
	drafts := append([]draft{identity}, policies...)
	withdrawn := d.withdrawnFromMember(view, by, drafts, held)
	return d.signAll(by, append(withdrawn, lacking(drafts, held)...))
}

// DeviceObjects returns the managed objects of its template that a device
// lacks or has in an older version (MS-GRVSPCM 3.2.5.3.3), as MemberObjects
// does for a member. For a deleted device the only object is the device policy
// object, not active any more.
func (d *Directory) DeviceObjects(domain, device string, held map[string]int64) ([]ManagedObject, error) {
	view := d.store.Snapshot()
	row, err := d.deviceAt(view, domain, device)
	if err != nil {
		return nil, err
	}
	by, err := d.issuerAt(view, domain)
	if err != nil {
		return nil, err
	}
	template := templateOfDevice(&by.row.Domain, &row)
	policies, err := d.devicePolicies(view, by, template)
	if err != nil {
		return nil, err
	}
	if row.Status == DeviceDeleted {
		policies = policies[:1] // the device policy
		policies[0].Active = false
		return d.signAll(by, policies)
	}
	withdrawn := d.withdrawnFromDevice(view, by, policies, held)
	return d.signAll(by, append(withdrawn, lacking(policies, held)...))
}

// lacking returns the drafts that are not held, or held in an older version.
func lacking(drafts []draft, held map[string]int64) []draft {
	return slices.DeleteFunc(drafts, func(o draft) bool {
		issued, ok := held[o.GUID]
		return ok && issued >= o.IssuedTime
	})
}

func (d *Directory) signAll(by issuer, drafts []draft) ([]ManagedObject, error) {
	objects := make([]ManagedObject, 0, len(drafts))
	for _, o := range drafts {
		signed, err := d.sign(by, o)
		if err != nil {
			return nil, err
		}
		objects = append(objects, signed)
	}
	return objects, nil
}

// sign completes an object with its bytes.
func (d *Directory) sign(by issuer, o draft) (ManagedObject, error) {
	var err error
	o.Data, err = d.objects.get(objectVersion{o.GUID, o.IssuedTime}, func() ([]byte, error) {
		set, err := d.keySet(by.row)
		if err != nil {
			return nil, err
		}
		return policy.Build(policy.Object{
			GUID: o.GUID, Issued: time.UnixMilli(o.IssuedTime), Domain: by.domain, Body: o.body,
		}, set.Signature)
	})
	return o.ManagedObject, err
}
