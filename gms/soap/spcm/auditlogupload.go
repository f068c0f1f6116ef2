package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// AuditLogUpload brings a fragment of a device's audit log (MS-GRVSPCM
// 2.2.3.5.1). It has no payload but attributes of the Event, in the clear; the
// log is encrypted in itself (package auditlog):
//
//	<Event BackupFragmentCount="" BackupFragmentSize="" BackupGUID=""
//	    BackupIndexCount="" BackupSize="" BackupVersion="3" ... _EA2="...">
//
// The answer is an [AuditLogRange].
type AuditLogUpload struct{ Fragment UploadFragment }

// Frame returns the fragment to secure around an Event.
func (m *AuditLogUpload) Frame(event *soap.Event) *soap.Fragment {
	e := event.Element()
	m.Fragment.add(e, "BackupFragmentSize")
	return soap.NewFragment(e)
}

// DecodeAuditLogUpload reads an Event.
func DecodeAuditLogUpload(event *etree.Element) (*AuditLogUpload, error) {
	a := soap.AttributesOf(event)
	a.Int("BackupVersion") // no value is published
	m := &AuditLogUpload{decodeUploadFragment(a)}
	return m, a.Err()
}
