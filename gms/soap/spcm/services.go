package spcm

import "furrow/gms/soap"

// Names of services.
const (
	ServiceKeyActivation        = "KeyActivation"
	ServiceCreateAccount        = "CreateAccount"
	ServiceManagedObjectInstall = "ManagedObjectInstall"
	ServiceDomainEnrollment     = "DomainEnrollment"
	ServiceEnrollment           = "Enrollment"
	ServiceManagedObjectStatus  = "ManagedObjectStatus"
	ServiceAccountHeartbeat     = "AccountHeartbeat"

	ServiceAccountStore                 = "AccountStore"
	ServiceAutoAccountCodeConfiguration = "AutoAccountCodeConfiguration"
	ServiceAutoActivation               = "AutoActivation"
	ServiceIdentityPublish              = "IdentityPublish"
	ServiceContactSearch                = "ContactSearch"
	ServiceContactFetch                 = "ContactFetch"

	ServicePassphraseResetRequest = "PassphraseResetRequest"
	ServicePassphraseResetStatus  = "PassphraseResetStatus"
	ServiceAutomaticPasswordReset = "AutomaticPasswordReset"
	ServiceAuditLogUpload         = "AuditLogUpload"
	ServiceAuditLogUploadQuery    = "AuditLogUploadQuery"
	ServiceFileUpload             = "FileUpload"
	ServiceFileUploadQuery        = "FileUploadQuery"
	ServiceStatisticsPackage      = "StatisticsPackage"
	ServiceFailures               = "Failures"
	ServiceDomainMigrationStatus  = "DomainMigrationStatus"
)

// Security says what secures a request.
type Security uint8

const (
	// CodeKey: the key derived from an account configuration code, named by
	// KeyID (MS-GRVSPCM 3.2.5.1.1).
	CodeKey Security = iota + 1
	// AccountKey: the key of the account in the Event (MS-GRVSPCM 3.2.5.1.2).
	AccountKey
	// AccountSignature: a signature by the key in the request itself; the
	// request brings the account's key (MS-GRVSPCM 3.2.5.2.2).
	AccountSignature
	// HTTPAuthentication: nothing but the connection (MS-GRVSPCM
	// 3.2.5.2.1.2); there is no fragment in the request.
	HTTPAuthentication
	// AccountHeader: the key of the account in the Event, whose attributes are
	// the content; nothing is encrypted (reading B7).
	AccountHeader
)

// Wrapper returns the name of the element around g:SE in requests.
func (s Security) Wrapper() string {
	if s == CodeKey {
		return soap.WrapperPayload
	}
	return soap.WrapperEvent
}

// Service describes one service of the management server.
type Service struct {
	Name     string
	Request  soap.RequestShape
	Response soap.ResponseShape
	Security Security
	Limit    int // greatest size in bytes of a request's body
}

// Sizes of request bodies. The envelope and the fragment take some 2,500 bytes
// of each, and what a payload holds is enlarged by a third in every layer of
// base64: content, fragment, and the attribute it may come in.
const (
	// shortRequest: a payload of a few attributes.
	shortRequest = 16 << 10
	// keyRequest: two public keys of the largest accepted sizes, the signature
	// and the encrypted key; or encrypted master keys beside a mail's text.
	keyRequest = 32 << 10
	// listRequest: some hundred bytes to each managed object that a client
	// names, for several hundred of them.
	listRequest = 256 << 10
	// contactRequest: a contact of MaxContact in three layers of base64.
	contactRequest = 512 << 10
	// backupRequest: a fragment of MaxBackupFragment in two layers of base64.
	backupRequest = 640 << 10
	// uploadRequest: a fragment of MaxFragment in two layers of base64.
	uploadRequest = 2 << 20
)

// MaxContact bounds a serialized contact, in bytes. Real ones have a few
// kilobytes; into the vCard of some their clients put a small portrait.
const MaxContact = 128 << 10

// MaxResponseSize bounds the body of a response, in bytes: a few dozen
// managed objects of some ten kilobytes, in two layers of base64.
const MaxResponseSize = 4 << 20

// maxRestoreResponse bounds the body of the response that holds a backup, in
// bytes: MaxBackup in two layers of base64, and what is around it.
const maxRestoreResponse = MaxBackup/9*16 + 64<<10

// ResponseLimit is the greatest size in bytes of a response's body.
func (s Service) ResponseLimit() int {
	if s.Name == ServiceAutoAccountCodeConfiguration {
		return maxRestoreResponse
	}
	return MaxResponseSize
}

// Services returns the services (MS-GRVSPCM 2.2.2).
func Services() []Service {
	return []Service{
		{ServiceKeyActivation, soap.Request3, soap.Response2, CodeKey, shortRequest},
		{ServiceCreateAccount, soap.Request2, soap.Response1, AccountSignature, keyRequest},
		{ServiceManagedObjectInstall, soap.Request1, soap.Response1, AccountKey, contactRequest},
		{ServiceDomainEnrollment, soap.Request3, soap.Response2, CodeKey, contactRequest},
		{ServiceEnrollment, soap.Request1, soap.Response1, AccountKey, contactRequest},
		{ServiceManagedObjectStatus, soap.Request1, soap.Response3, AccountKey, listRequest},
		{ServiceAccountHeartbeat, soap.Request1, soap.Response1, AccountKey, shortRequest},
		{ServiceAccountStore, soap.Request1, soap.Response1, AccountKey, backupRequest},
		{ServiceAutoAccountCodeConfiguration, soap.Request3, soap.Response2, HTTPAuthentication, shortRequest},
		{ServiceAutoActivation, soap.Request1, soap.Response2, AccountKey, shortRequest},
		{ServiceIdentityPublish, soap.Request1, soap.Response1, AccountKey, contactRequest},
		{ServiceContactSearch, soap.Request1, soap.Response2, AccountKey, shortRequest},
		{ServiceContactFetch, soap.Request1, soap.Response2, AccountKey, listRequest},
		{ServicePassphraseResetRequest, soap.Request1, soap.Response1, AccountKey, keyRequest},
		{ServicePassphraseResetStatus, soap.Request1, soap.Response2, AccountKey, shortRequest},
		{ServiceAutomaticPasswordReset, soap.Request1, soap.Response2, AccountKey, keyRequest},
		{ServiceAuditLogUpload, soap.Request1, soap.Response2, AccountHeader, uploadRequest},
		{ServiceAuditLogUploadQuery, soap.Request1, soap.Response2, AccountKey, shortRequest},
		{ServiceFileUpload, soap.Request1, soap.Response2, AccountHeader, uploadRequest},
		{ServiceFileUploadQuery, soap.Request1, soap.Response2, AccountKey, shortRequest},
		{ServiceStatisticsPackage, soap.Request1, soap.Response1, AccountKey, listRequest},
		{ServiceFailures, soap.Request1, soap.Response1, AccountKey, shortRequest},
		{ServiceDomainMigrationStatus, soap.Request1, soap.Response1, AccountKey, shortRequest},
	}
}

// Beside returns the names of the elements that stand beside g:SE in requests.
func (s Service) Beside() []string {
	if s.Name == ServiceFileUpload {
		return []string{elementFileLink}
	}
	return nil
}

// LookupService returns the service with this name.
func LookupService(name string) (Service, bool) {
	for _, s := range Services() {
		if s.Name == name {
			return s, true
		}
	}
	return Service{}, false
}
