package service

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/audit"
	"furrow/gms/auditlog"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// auditor is the Audit Service of a device.
type auditor struct {
	*account
	lockOn keys.SharedKey
	writer *auditlog.Writer
}

func (b *box) auditor(t testing.TB, a *account) *auditor {
	t.Helper()
	lockOn, err := auditlog.NewKey()
	must(t, err)
	w := auditlog.NewWriter(a.event.UserDeviceGUID, lockOn, a.domain.EncryptionKey())
	must(t, w.Begin([]byte("<Begin/>")))
	return &auditor{a, lockOn, w}
}

// log seals a log of one event.
func (a *auditor) log(t testing.TB, sequence int32, kind, text string) []byte {
	t.Helper()
	must(t, a.writer.Add(auditlog.Event{Time: time.Unix(int64(a.event.Created), 0), Type: kind, Text: text}.Encode()))
	log, err := a.writer.Seal(sequence, time.Unix(int64(a.event.Created), 0))
	must(t, err)
	return log
}

// uploadLog sends a log in fragments and returns the answer to the last.
func (b *box) uploadLog(t testing.TB, a *account, guid string, log []byte, size int) *spcm.AuditLogRange {
	t.Helper()
	var answer *spcm.AuditLogRange
	fragments := slices.Collect(slices.Chunk(log, size))
	for i, data := range fragments {
		if i > 0 && answer.Complete {
			t.Fatalf("complete after %d fragments of %d", i, len(fragments))
		}
		answer = b.logRange(t, a, spcm.ServiceAuditLogUpload, a.upload(t, spcm.ServiceAuditLogUpload, spcm.UploadFragment{
			BackupGUID: guid, Index: int32(i + 1), Count: int32(len(fragments)), Size: int32(len(data)),
			TotalSize: int32(len(log)), Data: data,
		}))
	}
	return answer
}

// logRange sends a request and reads the range that it is answered with.
func (b *box) logRange(t testing.TB, a *account, service string, request []byte) *spcm.AuditLogRange {
	t.Helper()
	answer, err := spcm.DecodeAuditLogRange(service, a.open(t, b.succeed(t, service, request), soap.WrapperReturnPayload),
		a.domain.SignatureKey())
	must(t, err)
	if answer.Low != -1 || answer.DeviceHash != spcm.DeviceHash(a.event.UserDeviceGUID) {
		t.Fatalf("range %+v", answer)
	}
	return answer
}

func (b *box) lastSequence(t testing.TB, a *account) int32 {
	t.Helper()
	answer := b.logRange(t, a, spcm.ServiceAuditLogUploadQuery,
		a.request(t, spcm.ServiceAuditLogUploadQuery, (&spcm.AuditLogUploadQuery{}).Encode()))
	if !answer.Complete {
		t.Error("query answered as not complete")
	}
	return answer.High
}

func (b *box) texts(t testing.TB, f audit.Filter) (texts []string) {
	t.Helper()
	for e, err := range b.audit.Events(f) {
		must(t, err)
		texts = append(texts, e.Text)
	}
	return texts
}

func TestAuditLogUpload(t *testing.T) {
	b := newBox(t)
	m, alice := b.active(t, "alice", aliceKey())
	a := b.auditor(t, alice)
	if got := b.lastSequence(t, alice); got != spcm.NoLogRange {
		t.Errorf("range of a new device is %d", got)
	}
	first := a.log(t, 0, "file.open", "Plan A")
	if got := b.uploadLog(t, alice, "g1", first, 700); !got.Complete || got.High != 0 {
		t.Errorf("answer %+v", got)
	}
	// The second log goes on with the session of the first.
	if got := b.uploadLog(t, alice, "g2", a.log(t, 1, "file.close", "Plan A closed"), 1<<20); !got.Complete || got.High != 1 {
		t.Errorf("answer %+v", got)
	}
	if got := b.lastSequence(t, alice); got != 1 {
		t.Errorf("range is %d", got)
	}
	// Nothing is left of the fragments: a blob to each log.
	if names := b.blobs.Names(); len(names) != 2 {
		t.Errorf("blobs %q", names)
	}
	logs := b.audit.Logs()
	if len(logs) != 2 || logs[0].Member != m.GUID || !logs[0].Verified || logs[0].Entries != 2 || logs[1].Entries != 1 ||
		logs[1].Undecrypted != 0 || logs[0].Device != alice.event.UserDeviceGUID {
		t.Errorf("logs %+v", logs)
	}
	if got := b.texts(t, audit.Filter{Member: m.GUID, Type: "FILE.close", Text: "plan"}); !slices.Equal(got, []string{"Plan A closed"}) {
		t.Errorf("events %q", got)
	}

	// The same again, as by a client that has missed the answer, in a message
	// of its own.
	before := b.sequence()
	again, err := a.writer.Seal(2, time.Unix(int64(a.event.Created), 0))
	must(t, err)
	b.uploadLog(t, alice, "g3", again, 1<<20)
	if after := b.sequence(); after != before+1 {
		t.Errorf("%d changes by an empty log", after-before)
	}
	before = b.sequence()
	alice.event.ID++
	if got := b.uploadLog(t, alice, "g4", again, 1<<20); !got.Complete || got.High != 2 {
		t.Errorf("answer %+v", got)
	}
	if after := b.sequence(); after != before || len(b.audit.Logs()) != 3 {
		t.Error("the same log was stored again")
	}
}

// TestUnsoundLogs uploads whole logs that are not sound: each is answered as not
// complete, with the range as it is, and changes nothing of what is kept.
func TestUnsoundLogs(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	a := b.auditor(t, alice)
	b.uploadLog(t, alice, "first", a.log(t, 5, "file.open", "Plan"), 900)
	other := b.auditor(t, alice) // with another lock-on key
	elsewhere := *alice
	elsewhere.event.UserDeviceGUID = clientGUID("elsewhere")
	good := a.log(t, 6, "file.open", "Next")
	for name, log := range map[string][]byte{
		"no XML":                    []byte("log"),
		"of another lock-on key":    other.log(t, 6, "file.open", "Forged"),
		"of another device":         b.auditor(t, &elsewhere).log(t, 6, "file.open", "Other"),
		"overlapping":               a.log(t, 5, "file.open", "Other"),
		"older":                     a.log(t, 4, "file.open", "Old"),
		"tampered":                  bytes.Replace(good, []byte(`_q="6"`), []byte(`_q="7"`), 1),
		"cut off":                   good[:len(good)-6],
		"lock-on key not decrypted": replaced(t, good, ` _lok="[^"]*"`, ` _lok="AAAA"`),
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{900, 1 << 20} { // in several fragments, and in one
				logs := b.audit.Logs()
				got := b.uploadLog(t, alice, name+string(rune('a'+size%7)), log, size)
				if got.Complete || got.High != 5 {
					t.Errorf("answer %+v", got)
				}
				if len(b.audit.Logs()) != len(logs) || len(b.blobs.Names()) != len(logs) {
					t.Errorf("%d logs and blobs %q, %d before", len(b.audit.Logs()), b.blobs.Names(), len(logs))
				}
			}
		})
	}
	// Fragments that do not make what was announced.
	short := spcm.UploadFragment{BackupGUID: "short", Index: 1, Count: 1, Size: 1, TotalSize: 10, Data: []byte("abc")}
	if got := b.logRange(t, alice, spcm.ServiceAuditLogUpload, alice.upload(t, spcm.ServiceAuditLogUpload, short)); got.Complete {
		t.Error("complete though short")
	}
	if got := b.uploadLog(t, alice, "good", good, 900); !got.Complete || got.High != 6 {
		t.Errorf("the good one: %+v", got)
	}
}

// TestUnverifiedLog keeps what cannot be verified of a device that is not
// locked on, and marks a gap.
func TestUnverifiedLog(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	a := b.auditor(t, alice)
	strange := replaced(t, a.log(t, 0, "file.open", "Plan"), ` _mac="[^"]*"`, ` _mac="AAAA"`)
	if got := b.uploadLog(t, alice, "a", strange, 1<<20); !got.Complete || got.High != 0 {
		t.Errorf("answer %+v", got)
	}
	if got := b.uploadLog(t, alice, "b", a.log(t, 3, "file.open", "Plan"), 1<<20); !got.Complete {
		t.Errorf("answer %+v", got)
	}
	logs, device := b.audit.Logs(), b.audit.Devices(b.domain.GUID)[0]
	if logs[0].Verified || logs[0].Undecrypted != 2 || !logs[1].Verified || logs[1].Undecrypted != 1 || logs[1].Missing != 2 {
		t.Errorf("logs %+v", logs)
	}
	if !device.Locked() || device.Missing != 2 || device.Sequence != 3 {
		t.Errorf("device %+v", device)
	}
}

func (b *box) uploadFile(t testing.TB, a *account, guid string, content []byte, announced keys.Digest, size int) *spcm.FileUploadResponse {
	t.Helper()
	var answer *spcm.FileUploadResponse
	fragments := slices.Collect(slices.Chunk(content, size))
	for i, data := range fragments {
		m := a.file(t, spcm.UploadFragment{
			BackupGUID: guid, Index: int32(i + 1), Count: int32(len(fragments)), Size: int32(len(data)),
			TotalSize: int32(len(content)), Data: data,
		}, announced)
		r := b.succeed(t, spcm.ServiceFileUpload, envelope(spcm.ServiceFileUpload, a.secured(m.Frame(&a.event))))
		var err error
		answer, err = spcm.DecodeFileUploadResponse(a.open(t, r, soap.WrapperReturnPayload), a.domain.SignatureKey())
		must(t, err)
	}
	return answer
}

func (b *box) fileStatus(t testing.TB, a *account, hash keys.Digest) spcm.FileStatus {
	t.Helper()
	r := b.succeed(t, spcm.ServiceFileUploadQuery,
		a.request(t, spcm.ServiceFileUploadQuery, (&spcm.FileUploadQuery{Hash: hash}).Encode()))
	answer, err := spcm.DecodeFileUploadQueryResponse(a.open(t, r, soap.WrapperReturnPayload), a.domain.SignatureKey())
	must(t, err)
	if !answer.Complete || answer.Hash != hash {
		t.Errorf("answer %+v", answer)
	}
	return answer.Status
}

func TestFileUpload(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	bob := b.created(t, "bob", bobKey(), false)
	content := bytes.Repeat([]byte("drawing "), 1000)
	hash := keys.Sum(1, content)
	if got := b.fileStatus(t, alice, hash); got != spcm.FileNotPresent {
		t.Errorf("status %d before", got)
	}
	begun := spcm.UploadFragment{BackupGUID: "b", Index: 1, Count: 2, Size: 8, TotalSize: 8000, Data: content[:4000]}
	b.succeed(t, spcm.ServiceFileUpload, envelope(spcm.ServiceFileUpload, bob.secured(bob.file(t, begun, hash).Frame(&bob.event))))
	if of, others := b.fileStatus(t, bob, hash), b.fileStatus(t, alice, hash); of != spcm.FileNotPresent || others != spcm.FileProcessing {
		t.Errorf("status while it is uploaded: %d for the uploader, %d for others", of, others)
	}
	if got := b.uploadFile(t, alice, "a", content, hash, 3000); !got.Complete || got.Hash != hash {
		t.Errorf("answer %+v", got)
	}
	if got := b.fileStatus(t, bob, hash); got != spcm.FilePresent {
		t.Errorf("status %d after", got)
	}
	// Another announces the hash and brings another file.
	if got := b.uploadFile(t, bob, "c", []byte("other"), hash, 3); got.Complete || got.Hash != (keys.Digest{}) {
		t.Errorf("answer %+v", got)
	}
	// The second upload of the same goes on where it was, and changes nothing.
	begun.Index, begun.Data = 2, content[4000:]
	b.succeed(t, spcm.ServiceFileUpload, envelope(spcm.ServiceFileUpload, bob.secured(bob.file(t, begun, hash).Frame(&bob.event))))
	files := b.audit.Files(b.domain.GUID)
	if len(files) != 1 || files[0].Hash != hash.String() || files[0].Length != 8000 || files[0].Title != "plan.dwg" ||
		files[0].Account != alice.event.GUID || len(b.blobs.Names()) != 1 {
		t.Errorf("files %+v, blobs %q", files, b.blobs.Names())
	}
	_, r, err := b.audit.OpenFile(b.domain.GUID, hash.String())
	must(t, err)
	var read bytes.Buffer
	_, err = read.ReadFrom(r)
	must(t, err)
	must(t, r.Close())
	if !bytes.Equal(read.Bytes(), content) {
		t.Error("the file came back otherwise")
	}
}

// TestFullDisk refuses what there is no room for with the services' own codes.
func TestFullDisk(t *testing.T) {
	b := newBoxWithReserve(t, 1<<62)
	_, alice := b.active(t, "alice", aliceKey())
	before := b.sequence()
	for service, want := range map[string]soap.Code{
		spcm.ServiceAuditLogUpload: soap.CodeAuditLogUpload, spcm.ServiceFileUpload: soap.CodeAuditFileUpload,
	} {
		if r := b.ask(t, service, alice.upload(t, service, uploadOf("backup"))); r.Fault == nil || r.Fault.Code != want {
			t.Errorf("%s: fault %v, want %d", service, r.Fault, want)
		}
	}
	log := b.auditor(t, alice).log(t, 0, "file.open", "Plan")
	r := b.ask(t, spcm.ServiceAuditLogUpload, alice.upload(t, spcm.ServiceAuditLogUpload, spcm.UploadFragment{
		BackupGUID: "whole", Index: 1, Count: 1, TotalSize: int32(len(log)), Data: log}))
	if r.Fault == nil || r.Fault.Code != soap.CodeAuditLogUpload {
		t.Errorf("whole log: fault %v", r.Fault)
	}
	if after := b.sequence(); after != before {
		t.Errorf("%d changes", after-before)
	}
}

func TestReports(t *testing.T) {
	b := newBox(t)
	m, alice := b.active(t, "alice", aliceKey())
	alice.event.Created = int32(b.clock().Unix())
	stats := &spcm.StatisticsPackage{Stats: []spcm.Stat{
		{AccountGUID: alice.event.GUID, IdentityURL: alice.event.IdentityURL, Type: spcm.StatToolTime, Long: 60, Long2: 2, String: "tool"},
	}}
	request := alice.request(t, spcm.ServiceStatisticsPackage, stats.Encode())
	b.succeed(t, spcm.ServiceStatisticsPackage, request)
	b.pass(soap.ReplayWindow + time.Second)
	b.succeed(t, spcm.ServiceStatisticsPackage, request) // a recording
	b.succeed(t, spcm.ServiceFailures, alice.request(t, spcm.ServiceFailures, auditPayloadOf(t, spcm.ServiceFailures)))
	if f := b.directory.Failures(b.domain.GUID); len(f) != 1 || f[0].Failures[0].Subtype != spcm.FailurePolicies || f[0].Failures[0].Count != 1 {
		t.Errorf("failures %+v", f)
	}
	if reports := b.statistics.Reports(); len(reports) != 1 || reports[0].Account != alice.event.GUID {
		t.Errorf("reports %+v", reports)
	}

	_, err := b.directory.MigrateToServer(t.Context(), m.GUID, "http://groove.fabrikam.com/gms.dll")
	must(t, err)
	report := func(status int32) directory.Member {
		b.succeed(t, spcm.ServiceDomainMigrationStatus, alice.request(t, spcm.ServiceDomainMigrationStatus,
			(&spcm.DomainMigrationStatus{DomainName: "Fabrikam", Status: status}).Encode()))
		return b.reread(t, m)
	}
	if m := report(3); m.Status != directory.Active || m.Migration.Failure != 3 {
		t.Errorf("after a failure: %+v", m)
	}
	if m := report(0); m.Status != directory.Migrated || m.Migration.DomainName != "Fabrikam" {
		t.Errorf("after success: %+v", m)
	}
}

// TestAuditReplay sends each request that changes something a second time, byte
// for byte: it is answered as the first time and changes nothing.
func TestAuditReplay(t *testing.T) {
	b := newBox(t)
	m, alice := b.active(t, "alice", aliceKey())
	alice.event.Created = int32(b.clock().Unix())
	_, err := b.directory.MigrateToServer(t.Context(), m.GUID, "http://groove.fabrikam.com/gms.dll")
	must(t, err)
	log := b.auditor(t, alice).log(t, 0, "file.open", "Plan")
	for _, body := range [][]byte{
		alice.upload(t, spcm.ServiceAuditLogUpload, uploadOf("log")),
		alice.upload(t, spcm.ServiceAuditLogUpload, spcm.UploadFragment{BackupGUID: "whole", Index: 1, Count: 1, TotalSize: int32(len(log)), Data: log}),
		alice.upload(t, spcm.ServiceFileUpload, uploadOf("file")),
		alice.request(t, spcm.ServiceStatisticsPackage, auditPayloadOf(t, spcm.ServiceStatisticsPackage)),
		alice.request(t, spcm.ServiceFailures, auditPayloadOf(t, spcm.ServiceFailures)),
		alice.request(t, spcm.ServiceDomainMigrationStatus, auditPayloadOf(t, spcm.ServiceDomainMigrationStatus)),
	} {
		before := b.sequence()
		_, _, first := b.send(t, pathServices, body)
		changed := b.sequence()
		if changed == before {
			t.Errorf("nothing changed: %s", first)
		}
		_, _, second := b.send(t, pathServices, body)
		if after := b.sequence(); after != changed || !bytes.Equal(first, second) {
			t.Errorf("%d changes the second time, answered\n%s\n%s", after-changed, first, second)
		}
	}
}
