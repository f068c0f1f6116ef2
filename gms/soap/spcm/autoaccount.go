package spcm

import (
	"fmt"

	"furrow/gms/soap"
)

// AutoAccountCodeConfiguration asks for what the person who is authenticated by
// HTTP needs to set up an account (MS-GRVSPCM 2.2.3.9.1). Nothing but the HTTP
// connection secures it: 3.2.5.1.2 excludes it from the services secured with
// an account's key, although 3.3.5.1.2 also lists it among them, and its layout
// has no place for a MAC.
//
//	<PayloadWrapper GrooveVersion="" IsDomainMemberMigration="" UserDeviceName=""/>
type AutoAccountCodeConfiguration struct {
	GrooveVersion  string
	Migration      bool   // from another domain
	UserDeviceName string // host name
}

// Encode returns the payload.
func (m *AutoAccountCodeConfiguration) Encode() []byte {
	return soap.Canonical(soap.NewElement(soap.WrapperPayload,
		soap.Attr{Name: "GrooveVersion", Value: m.GrooveVersion},
		soap.Attr{Name: "IsDomainMemberMigration", Value: soap.FormatBool(m.Migration)},
		soap.Attr{Name: "UserDeviceName", Value: m.UserDeviceName}))
}

// DecodeAutoAccountCodeConfiguration reads the payload.
func DecodeAutoAccountCodeConfiguration(payload []byte) (*AutoAccountCodeConfiguration, error) {
	e, err := soap.ParsePayload(payload, shortRequest, soap.WrapperPayload)
	if err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	return &AutoAccountCodeConfiguration{
		GrooveVersion:  a.Text("GrooveVersion"),
		Migration:      a.Bool("IsDomainMemberMigration"),
		UserDeviceName: a.Text("UserDeviceName"),
	}, a.Err()
}

// AutoAccountCodeConfigurationResponse is the answer to
// [AutoAccountCodeConfiguration] (MS-GRVSPCM 2.2.3.10.1), one of two: what
// answers a [KeyActivation], for a person without an account, or else the
// fragments of the account's backup:
//
//	<ReturnPayload BackupFragmentCount="" BackupFragment_1="" BackupFragment_2="" .../>
type AutoAccountCodeConfigurationResponse struct {
	Activation *KeyActivationResponse // nil if there is a backup
	Backup     [][]byte               // at most MaxBackupFragments
}

// Encode returns the payload.
func (m *AutoAccountCodeConfigurationResponse) Encode() []byte {
	if m.Activation != nil {
		return m.Activation.Encode()
	}
	e := soap.NewElement("ReturnPayload", soap.Attr{Name: "BackupFragmentCount", Value: soap.FormatInt(int32(len(m.Backup)))})
	for i, fragment := range m.Backup {
		e.CreateAttr(backupFragmentAttr(i), soap.EncodeBase64(fragment))
	}
	return soap.Canonical(e)
}

func backupFragmentAttr(i int) string { return fmt.Sprintf("BackupFragment_%d", i+1) }

// DecodeAutoAccountCodeConfigurationResponse reads the payload.
func DecodeAutoAccountCodeConfigurationResponse(payload []byte) (*AutoAccountCodeConfigurationResponse, error) {
	e, err := soap.ParsePayload(payload, maxRestoreResponse)
	if err != nil {
		return nil, err
	}
	if !soap.Is(e, "ReturnPayload") {
		activation, err := DecodeKeyActivationResponse(payload)
		if err != nil {
			return nil, err
		}
		return &AutoAccountCodeConfigurationResponse{Activation: activation}, nil
	}
	a := soap.AttributesOf(e)
	count := a.Int("BackupFragmentCount")
	if count < 1 || count > MaxBackupFragments {
		a.Reject("BackupFragmentCount", fmt.Sprintf("is %d, want 1 to %d", count, MaxBackupFragments))
		return nil, a.Err()
	}
	m := &AutoAccountCodeConfigurationResponse{Backup: make([][]byte, count)}
	for i := range m.Backup {
		m.Backup[i] = a.Base64(backupFragmentAttr(i))
	}
	if err := a.Err(); err != nil {
		return nil, err
	}
	return m, nil
}
