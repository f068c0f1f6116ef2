package policy

import "fmt"

// Type is a kind of managed object. Its number is the Object Type of the data
// model (MS-GRVSPCM 3.2.1), which the text leaves open; it is stored, so it
// never changes.
type Type int

// The kinds of managed objects, in the order of MS-GRVSPCM 2.2.2.2.10.
const (
	TypeAccountServices Type = iota + 1
	TypeComponentUpdate
	TypeDataRecovery
	TypeDevicePolicy
	TypeDomainTrust
	TypeIdentity
	TypeIdentityPolicy
	TypePassphrase
)

const (
	replaceByTime = "$IssuedTime"
	replaceAlways = "$Always"

	// objectVersion is the Version of every object (MS-GRVSPCM 2.2.2.2.10.1).
	objectVersion = "0,0,0,0"

	// fingerprint is that of every object's signature (MS-GRVSPCM 3.2.5.1.4).
	fingerprint = "0"

	// componentBase and the factory's name make a ComponentResourceURL.
	componentBase = "http://components.groove.net/Groove/Components/Root.osd" +
		"?Package=net.groove.Groove.SystemComponents.GrooveAccountMgr_DLL&Version=0&Factory="
)

// kind is what the tables of MS-GRVSPCM 3.2.5.1.4 step 1 fix for a type.
type kind struct {
	factory     string
	element     string // the one child of Body
	name        string // Header/@Name, for two types only its beginning
	displayName string // "": the member's full name
	description string
	replacement string
}

var kinds = [...]kind{
	TypeAccountServices: {
		factory: "AccountServicesPolicy", element: "Policy",
		name:        "grooveAccountServicesPolicy2:",
		displayName: "Account Services Policy", description: "Account Services Policy",
		replacement: replaceByTime,
	},
	TypeComponentUpdate: {
		factory: "ComponentUpdatePolicy", element: "ComponentUpdatePolicy",
		name:        "grooveDeviceBehavior://ComponentUpdatePolicy",
		displayName: "Groove Update Policy", description: "Groove Update Policy",
		replacement: replaceByTime,
	},
	TypeDataRecovery: {
		factory: "DataRecoveryPolicy", element: "Policy",
		name:        "grooveAccountPolicy2://DataRecovery",
		displayName: "Groove Data Recovery Policy", description: "Groove Data Recovery Policy",
		replacement: replaceByTime,
	},
	TypeDevicePolicy: {
		factory: "DevicePolicy", element: "Policy",
		name:        "grooveDevicePolicy:",
		displayName: "Device Policy", description: "Device Policy",
		replacement: replaceByTime,
	},
	TypeDomainTrust: {
		factory: "DomainTrustPolicy", element: "Policy",
		name:        "grooveDomainTrustPolicy://",
		displayName: "Domain Trust Policy", description: "Domain Trust Policy",
		replacement: replaceByTime,
	},
	TypeIdentity: {
		factory: "IdentityTemplate", element: "IdentityTemplate",
		name:        "grooveIdentity://",
		description: "Groove Identity",
		replacement: replaceAlways,
	},
	TypeIdentityPolicy: {
		factory: "IdentityPolicy", element: "Policy",
		name:        "grooveIdentityPolicy2:",
		displayName: "Identity Policy", description: "Identity Policy",
		replacement: replaceByTime,
	},
	TypePassphrase: {
		factory: "PassphrasePolicy", element: "Policy",
		name:        "groovePassphrasePolicy2:",
		displayName: "Passphrase Policy", description: "Passphrase Policy",
		replacement: replaceByTime,
	},
}

// Types returns all types in ascending order.
func Types() []Type {
	var types []Type
	for t := TypeAccountServices; t <= TypePassphrase; t++ {
		types = append(types, t)
	}
	return types
}

// Valid reports whether t is one of the eight types.
func (t Type) Valid() bool { return t >= TypeAccountServices && t <= TypePassphrase }

// kind returns the row of t, an empty one for a type that is not valid.
func (t Type) kind() kind {
	if !t.Valid() {
		return kind{}
	}
	return kinds[t]
}

// String returns the name of the type's factory, such as PassphrasePolicy or
// IdentityTemplate.
func (t Type) String() string {
	if !t.Valid() {
		return fmt.Sprintf("Type(%d)", int(t))
	}
	return t.kind().factory
}

// ComponentResourceURL returns what Body/@ComponentResourceURL holds.
func (t Type) ComponentResourceURL() string { return componentBase + t.kind().factory }

// ObjectName returns the name of an object of this type, in its header and in
// the lists of responses (MS-GRVSPCM 3.2.5.1.4 step 1). Most types have one
// name; an identity's holds the object GUID, which is the member's (3.2.5.1.3),
// a domain trust policy's the GUIDs of domain and object.
func (t Type) ObjectName(domainGUID, objectGUID string) string {
	name := t.kind().name
	switch t {
	case TypeDomainTrust:
		return name + domainGUID + "/" + objectGUID
	case TypeIdentity:
		return name + objectGUID
	}
	return name
}

// typeOf finds the type of a ComponentResourceURL.
func typeOf(componentResourceURL string) (Type, bool) {
	for _, t := range Types() {
		if t.ComponentResourceURL() == componentResourceURL {
			return t, true
		}
	}
	return 0, false
}
