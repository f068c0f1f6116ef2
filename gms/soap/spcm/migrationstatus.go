package spcm

import "furrow/gms/soap"

// DomainMigrationStatus reports how a member's migration to another domain or
// server went (MS-GRVSPCM 2.2.3.23.1). The answer is a return code.
//
//	<MemberMigrationStatus MigratedDomainName="" MigrationStatus="0"/>
type DomainMigrationStatus struct {
	DomainName string // name of the domain migrated to
	Status     int32  // 0 for success, all else for failure
}

// Encode returns the payload.
func (m *DomainMigrationStatus) Encode() []byte {
	return soap.Canonical(soap.NewElement("MemberMigrationStatus",
		soap.Attr{Name: "MigratedDomainName", Value: m.DomainName},
		soap.Attr{Name: "MigrationStatus", Value: soap.FormatInt(m.Status)}))
}

// DecodeDomainMigrationStatus reads the payload.
func DecodeDomainMigrationStatus(payload []byte) (*DomainMigrationStatus, error) {
	e, err := soap.ParsePayload(payload, shortRequest, "MemberMigrationStatus")
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	m := &DomainMigrationStatus{DomainName: a.Text("MigratedDomainName"), Status: a.Int("MigrationStatus")}
	return m, a.Err()
}
