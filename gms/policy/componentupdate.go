package policy

import (
	"fmt"

	"github.com/beevik/etree"
)

// ComponentRule says where a client may get components from (MS-GRVSPCM
// 3.2.5.1.4 step 2).
type ComponentRule string

// The rules of MS-GRVSPCM 2.2.2.2.10.2.
const (
	ComponentsAllow ComponentRule = "Allow" // also over the Internet
	ComponentsDeny  ComponentRule = "Deny"  // not at all
	ComponentsLocal ComponentRule = "Local" // from the local system only
)

// ComponentItemType says what a [ComponentItem] is about.
type ComponentItemType string

// The types of items of MS-GRVSPCM 2.2.2.2.10.2.
const (
	ComponentSigner ComponentItemType = "Signer"
	ComponentUse    ComponentItemType = "Use"
)

const (
	maxComponentItems    = 256
	maxComponentPackages = 1024 // of one item; MaxSize bounds them all
)

// ComponentUpdate says which components, such as tools in workspaces, a device
// may install and update (MS-GRVSPCM 2.2.2.2.10.2).
type ComponentUpdate struct {
	Default       ComponentRule   `json:"default" help:"What holds for components that no item names: Allow (also over the Internet), Local (from the local system only) or Deny." choices:"Allow,Local,Deny"`
	SelfSigned    ComponentRule   `json:"selfSigned" help:"Whether components whose maker signed himself are taken: Allow or Deny." choices:"Allow,Deny"`
	PolicyVersion string          `json:"policyVersion" help:"Version of this policy, shown by clients."`
	Items         []ComponentItem `json:"items,omitempty" help:"Rules for single makers and packages."`
}

// ComponentItem is a rule for the components of one signer, or for their use.
type ComponentItem struct {
	DisplayName string             `json:"displayName" help:"Name of the maker, shown to the member."`
	Fingerprint string             `json:"fingerprint" help:"Fingerprint of the maker's certificate."`
	Rule        ComponentRule      `json:"rule" help:"Allow, Local or Deny."`
	Type        ComponentItemType  `json:"type" help:"Signer: about installing what the maker signed. Use: about using it."`
	Packages    []ComponentPackage `json:"packages,omitempty" help:"Rules for single packages of the maker."`
}

// ComponentPackage is a rule for versions of one package.
type ComponentPackage struct {
	Name       string        `json:"name" help:"Name of the package."`
	Version    string        `json:"version" help:"Version that the comparison is made with."`
	Comparison string        `json:"comparison" help:"Which versions are meant, compared with the one given: >, >=, <, <= or =."`
	Rule       ComponentRule `json:"rule" help:"Allow, Local or Deny."`
	Silent     bool          `json:"silent" help:"Say nothing about a missing tool where its use is denied."`
	DeleteData bool          `json:"deleteData" help:"Delete the tool's data on the device where its use is denied."`
}

// DefaultComponentUpdate lets devices use what is installed on them or comes
// from the office, but fetch no program code from the Internet: the maker's
// component servers are gone.
func DefaultComponentUpdate() ComponentUpdate {
	return ComponentUpdate{Default: ComponentsLocal, SelfSigned: ComponentsDeny, PolicyVersion: "0,0,0,0"}
}

// Type returns [TypeComponentUpdate].
func (ComponentUpdate) Type() Type { return TypeComponentUpdate }

// Validate returns nil or a *[FieldError].
func (p ComponentUpdate) Validate() error {
	var c checker
	c.componentRule("default", p.Default)
	oneOf(&c, "selfSigned", p.SelfSigned, ComponentsAllow, ComponentsDeny)
	c.text("policyVersion", p.PolicyVersion, maxName)
	c.atMost("items", len(p.Items), maxComponentItems)
	for i, item := range p.Items {
		c.nested(fmt.Sprintf("items[%d]", i), item.validate())
	}
	return c.result()
}

func (i ComponentItem) validate() error {
	var c checker
	c.text("displayName", i.DisplayName, maxName)
	c.text("fingerprint", i.Fingerprint, maxName)
	c.componentRule("rule", i.Rule)
	oneOf(&c, "type", i.Type, ComponentSigner, ComponentUse)
	c.atMost("packages", len(i.Packages), maxComponentPackages)
	for n, p := range i.Packages {
		c.nested(fmt.Sprintf("packages[%d]", n), p.validate())
	}
	return c.result()
}

func (p ComponentPackage) validate() error {
	var c checker
	c.required("name", p.Name, maxName)
	c.text("version", p.Version, maxName)
	oneOf(&c, "comparison", p.Comparison, ">", ">=", "<", "<=", "=")
	c.componentRule("rule", p.Rule)
	return c.result()
}

func (c *checker) componentRule(field string, rule ComponentRule) {
	oneOf(c, field, rule, ComponentsAllow, ComponentsDeny, ComponentsLocal)
}

func (p *ComponentPackage) flags() []option {
	return []option{{0x01, &p.Silent}, {0x02, &p.DeleteData}}
}

func (p ComponentUpdate) encode(*Object) *etree.Element {
	policy := element("ComponentUpdatePolicy",
		text("Default", string(p.Default)),
		text("Policyversion", p.PolicyVersion),
		text("SelfSigned", string(p.SelfSigned)))
	for _, item := range p.Items {
		e := add(policy, "PolicyItem",
			text("DisplayName", item.DisplayName),
			text("Fingerprint", item.Fingerprint),
			text("Policy", string(item.Rule)),
			text("Type", string(item.Type)))
		if len(item.Packages) == 0 {
			continue
		}
		list := add(e, packageList)
		for _, p := range item.Packages {
			add(list, "ComponentPackageNameItem",
				number("Flags", joinFlags(p.flags())),
				text("Name", p.Name),
				text("Policy", string(p.Rule)),
				text("Version", p.Version),
				text("VersionComparison", p.Comparison))
		}
	}
	return policy
}

// packageList is spelled without its second n in the schema, and with it in
// the seven rows of the table below it.
const (
	packageList       = "ComponentPackageNameList"
	packageListSchema = "ComponetPackageNameList"
)

func (d *decoder) componentUpdate(policy *etree.Element) ComponentUpdate {
	p := ComponentUpdate{
		Default:       ComponentRule(d.text(policy, "Default")),
		SelfSigned:    ComponentRule(d.text(policy, "SelfSigned")),
		PolicyVersion: d.text(policy, "Policyversion"),
	}
	for _, e := range d.children(policy, "PolicyItem") {
		item := ComponentItem{
			DisplayName: d.text(e, "DisplayName"),
			Fingerprint: d.text(e, "Fingerprint"),
			Rule:        ComponentRule(d.text(e, "Policy")),
			Type:        ComponentItemType(d.text(e, "Type")),
		}
		for _, list := range d.children(e, packageList, packageListSchema) {
			for _, e := range d.children(list, "ComponentPackageNameItem") {
				item.Packages = append(item.Packages, d.componentPackage(e))
			}
		}
		p.Items = append(p.Items, item)
	}
	return p
}

func (d *decoder) componentPackage(e *etree.Element) ComponentPackage {
	p := ComponentPackage{
		Name:       d.text(e, "Name"),
		Version:    d.text(e, "Version"),
		Comparison: d.text(e, "VersionComparison"),
		Rule:       ComponentRule(d.text(e, "Policy")),
	}
	d.flags(e, p.flags())
	return p
}
