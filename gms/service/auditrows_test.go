package service

import (
	"context"
	"slices"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/auditlog"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// auditRows are the rows of the services that clients report with.
func auditRows() []row {
	return slices.Concat(
		accountSecuredRows(spcm.ServiceAuditLogUploadQuery), accountSecuredRows(spcm.ServiceFileUploadQuery),
		accountSecuredRows(spcm.ServiceStatisticsPackage), accountSecuredRows(spcm.ServiceFailures),
		accountSecuredRows(spcm.ServiceDomainMigrationStatus),
		headerSecuredRows(spcm.ServiceAuditLogUpload), headerSecuredRows(spcm.ServiceFileUpload),
		auditLogUploadRows(), fileUploadRows(), statisticsPackageRows(), failuresRows(), domainMigrationStatusRows(),
	)
}

// auditPayloadOf returns a payload that one of these services takes.
func auditPayloadOf(t testing.TB, service string) []byte {
	t.Helper()
	switch service {
	case spcm.ServiceAuditLogUploadQuery:
		return (&spcm.AuditLogUploadQuery{}).Encode()
	case spcm.ServiceFileUploadQuery:
		return (&spcm.FileUploadQuery{}).Encode()
	case spcm.ServiceStatisticsPackage:
		return (&spcm.StatisticsPackage{Stats: []spcm.Stat{{Type: spcm.StatToolTime, String: "tool"}}}).Encode()
	case spcm.ServiceFailures:
		return (&spcm.Failures{Subtypes: []spcm.FailureSubtype{spcm.FailurePolicies}}).Encode()
	case spcm.ServiceDomainMigrationStatus:
		return (&spcm.DomainMigrationStatus{DomainName: "Fabrikam"}).Encode()
	}
	t.Fatalf("no payload for %s", service)
	return nil
}

// uploadOf is a first fragment of two of an upload.
func uploadOf(guid string) spcm.UploadFragment {
	return spcm.UploadFragment{BackupGUID: guid, Index: 1, Count: 2, Size: 3, TotalSize: 6, Data: []byte("abc")}
}

// frame returns the fragment of an upload's message.
func (a *account) frame(t testing.TB, service string, f spcm.UploadFragment) *soap.Fragment {
	t.Helper()
	if service == spcm.ServiceAuditLogUpload {
		return (&spcm.AuditLogUpload{Fragment: f}).Frame(&a.event)
	}
	return a.file(t, f, keys.Sum(1, []byte("file"))).Frame(&a.event)
}

// file returns a fragment of a file whose token announces a hash.
func (a *account) file(t testing.TB, f spcm.UploadFragment, hash keys.Digest) *spcm.FileUpload {
	t.Helper()
	token, err := auditlog.SealToken(a.domain.EncryptionKey(), hash)
	must(t, err)
	return &spcm.FileUpload{Fragment: f, Token: token, URL: "grooveFile://plan", Title: "plan.dwg"}
}

func (a *account) secured(f *soap.Fragment) []byte { return f.SecureHeader(a.key, soap.MACOverDigest) }

func (a *account) upload(t testing.TB, service string, f spcm.UploadFragment) []byte {
	t.Helper()
	return envelope(service, a.secured(a.frame(t, service, f)))
}

// headerSecuredRows are the rows of MS-GRVSPCM 3.2.5.1.2 for a service whose
// content is the header, with the first two of its own table.
func headerSecuredRows(service string) []row {
	at := func(section, name string, fault soap.Code, edit func(t *testing.T, a *account, fragment func() []byte) []byte) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			return envelope(service, edit(t, a, func() []byte { return a.secured(a.frame(t, service, uploadOf("backup"))) }))
		}, fault}
	}
	rows := []row{
		at("3.2.5.1.2.1", "domain unknown", 209, func(_ *testing.T, a *account, f func() []byte) []byte {
			a.event.DomainGUID = "other"
			return f()
		}),
		at("3.2.5.1.2.1", "account unknown", 200, func(_ *testing.T, a *account, f func() []byte) []byte {
			a.event.GUID = clientGUID("other")
			return f()
		}),
		at("3.2.5.1.2.2", "another key", 205, func(t *testing.T, a *account, f func() []byte) []byte {
			var err error
			a.key, err = keys.GenerateSharedKey(keys.AccountKeySize)
			must(t, err)
			return f()
		}),
		at("3.2.5.1.2.2", "altered content", 205, func(t *testing.T, _ *account, f func() []byte) []byte {
			return with(t, f(), "_EA2", "AAAA")
		}),
		at("3.2.5.1.2.2", "altered index", 205, func(t *testing.T, _ *account, f func() []byte) []byte {
			return with(t, f(), "BackupIndexCount", "2")
		}),
		at("3.2.5.1.2.2", "MAC empty", 205, func(t *testing.T, _ *account, f func() []byte) []byte { return with(t, f(), "MAC", "") }),
		at("3.2.5.1.2.1", "another child", 204, func(t *testing.T, _ *account, f func() []byte) []byte {
			return replaced(t, f(), "<g:SE>", "<Other/><g:SE>")
		}),
	}
	for _, attr := range []string{
		"DomainGUID", "GUID", "GrooveVersion", "IdentityURL", "IsDeviceAccount", "UserDeviceGuid",
		"UserDeviceName", "_EventID", "created", "MAC",
	} {
		rows = append(rows, at("3.2.5.1.2.1", attr+" missing", 204,
			func(t *testing.T, _ *account, f func() []byte) []byte { return without(t, f(), attr) }))
	}
	for _, attr := range []string{"BackupGUID", "BackupIndexCount", "BackupFragmentCount", "BackupSize", "BackupVersion", "_EA2"} {
		rows = append(rows, row{"2.2.3", attr + " missing", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			f := a.frame(t, service, uploadOf("backup"))
			f.Wrapper().RemoveAttr(attr)
			return envelope(service, a.secured(f))
		}, 204})
	}
	return rows
}

// fragmentRow sends a fragment after others were taken.
func fragmentRow(service, section, name string, fault soap.Code, taken []int32, next spcm.UploadFragment) row {
	return row{section, name, service, func(t *testing.T, b *box) []byte {
		_, a := b.active(t, "alice", aliceKey())
		for _, index := range taken {
			f := uploadOf("backup")
			f.Index, f.Count, f.TotalSize = index, 4, 12
			b.succeed(t, service, a.upload(t, service, f))
		}
		return a.upload(t, service, next)
	}, fault}
}

// sequenceRows are the row for BackupIndexCount, and what else a fragment must
// have in common with the ones before.
func sequenceRows(service, section string, refused soap.Code, limit int32) []row {
	fragment := func(edit func(f *spcm.UploadFragment)) spcm.UploadFragment {
		f := uploadOf("backup")
		f.Count, f.TotalSize = 4, 12
		edit(&f)
		return f
	}
	at := func(index int32) spcm.UploadFragment {
		return fragment(func(f *spcm.UploadFragment) { f.Index = index })
	}
	after := []int32{1, 2}
	return []row{
		fragmentRow(service, section, "without the first", 216, nil, at(2)),
		fragmentRow(service, section, "one left out", 216, after, at(4)),
		fragmentRow(service, section, "one repeated with another event", 216, after, fragment(func(f *spcm.UploadFragment) {
			f.Index, f.Data = 2, []byte("xyz")
		})),
		fragmentRow(service, section, "the first again", 216, after, fragment(func(f *spcm.UploadFragment) { f.Data = []byte("xyz") })),
		fragmentRow(service, section, "of another upload", 216, after, fragment(func(f *spcm.UploadFragment) { f.BackupGUID, f.Index = "b", 3 })),
		fragmentRow(service, section, "another count", 216, after, fragment(func(f *spcm.UploadFragment) { f.Index, f.Count = 3, 5 })),
		fragmentRow(service, section, "another total", 216, after, fragment(func(f *spcm.UploadFragment) { f.Index, f.TotalSize = 3, 13 })),
		fragmentRow(service, section, "more than announced", refused, after, fragment(func(f *spcm.UploadFragment) {
			f.Index, f.Data = 3, make([]byte, 7)
		})),
		fragmentRow(service, section, "larger than is taken", refused, nil, fragment(func(f *spcm.UploadFragment) { f.TotalSize = limit + 1 })),
		{section, "from another device", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			b.succeed(t, service, a.upload(t, service, at(1)))
			a.event.UserDeviceGUID = clientGUID("other")
			return a.upload(t, service, at(2))
		}, 216},
		{section, "from another account", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			b.succeed(t, service, a.upload(t, service, at(1)))
			other := b.created(t, "bob", bobKey(), true)
			return other.upload(t, service, at(2))
		}, 216},
		{section, "device GUID empty", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			a.event.UserDeviceGUID = ""
			return a.upload(t, service, at(1))
		}, 204},
	}
}

func auditLogUploadRows() []row {
	return sequenceRows(spcm.ServiceAuditLogUpload, "3.2.5.7.2", 216, auditlog.MaxSize)
}

func fileUploadRows() []row {
	const service, section = spcm.ServiceFileUpload, "3.2.5.7.4"
	rows := sequenceRows(service, section, 215, 256<<20)
	return append(rows,
		row{"2.2.3.30.1", "token of another form", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			m := a.file(t, uploadOf("backup"), keys.Digest{})
			m.Token = []byte("<TK/>")
			return envelope(service, a.secured(m.Frame(&a.event)))
		}, 204},
		row{"2.2.3.30.1", "link missing", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			f := a.frame(t, service, uploadOf("backup"))
			f.Wrapper().RemoveChild(f.Wrapper().SelectElement("AuditElemUploadXlink"))
			return envelope(service, a.secured(f))
		}, 204})
}

func statisticsPackageRows() []row {
	const service, section = spcm.ServiceStatisticsPackage, "3.2.5.3.5"
	made := func(name string, shift int32) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			a.event.Created = int32(b.clock().Unix()) + shift
			return a.request(t, service, auditPayloadOf(t, service))
		}, 204}
	}
	const month = 32 * 24 * 3600
	return []row{made("made too long ago", -month), made("made in the far future", month)}
}

func failuresRows() []row {
	const service = spcm.ServiceFailures
	payload := func(name, payload string) row {
		return row{"2.2.3.27.1", name, service, func(t *testing.T, b *box) []byte {
			return b.created(t, "laptop", aliceKey(), true).request(t, service, []byte(payload))
		}, 204}
	}
	return []row{
		payload("none", "<Failures/>"),
		payload("type of another", `<Failures><Failure Subtype="2" Type="6000"/></Failures>`),
		payload("subtype of another", `<Failures><Failure Subtype="1" Type="6001"/></Failures>`),
	}
}

func domainMigrationStatusRows() []row {
	const service, section = spcm.ServiceDomainMigrationStatus, "3.2.5.2.4"
	request := func(t *testing.T, a *account) []byte { return a.request(t, service, auditPayloadOf(t, service)) }
	// migrating sends the report of a member who is migrating.
	migrating := func(name string, fault soap.Code, set func(t *testing.T, b *box, member string, a *account)) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			m, a := b.active(t, "alice", aliceKey())
			_, err := b.directory.MigrateToServer(t.Context(), m.GUID, "http://groove.fabrikam.com/gms.dll")
			must(t, err)
			set(t, b, m.GUID, a)
			return request(t, a)
		}, fault}
	}
	return []row{
		{section, "member not migrating", service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			return request(t, a)
		}, 204},
		migrating("no member with this identity", 200, func(_ *testing.T, _ *box, _ string, a *account) {
			a.event.IdentityURL = identityURL("other")
		}),
		migrating("member disabled", 200, func(t *testing.T, b *box, member string, _ *account) {
			_, err := b.directory.DisableMember(context.Background(), member)
			must(t, err)
		}),
		migrating("member deleted", 200, func(t *testing.T, b *box, member string, _ *account) {
			_, err := b.directory.DeleteMember(context.Background(), member)
			must(t, err)
		}),
	}
}
