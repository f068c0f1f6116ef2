package service

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// fragmentOf returns what the Event says of a fragment.
func fragmentOf(guid string, index, count int32) *spcm.AccountStore {
	return &spcm.AccountStore{
		FragmentSize: 8, FragmentCount: count, BackupGUID: guid, Index: index, BackupSize: 8 * count, BackupVersion: 1,
	}
}

// storeRequest returns a request that stores a fragment with this data.
func (a *account) storeRequest(t testing.TB, m *spcm.AccountStore, data string) []byte {
	t.Helper()
	event := a.event.Element()
	m.AddTo(event)
	secured, err := soap.NewFragment(event).Secure(a.key, []byte(data), soap.MACOverDigest)
	must(t, err)
	return envelope(spcm.ServiceAccountStore, secured)
}

func (b *box) storeFragment(t testing.TB, a *account, m *spcm.AccountStore, data string) {
	t.Helper()
	b.succeed(t, spcm.ServiceAccountStore, a.storeRequest(t, m, data))
}

// backup returns the last complete backup of an account, nil if there is none.
func (b *box) backup(t testing.TB, a *account) []byte {
	t.Helper()
	r, err := b.directory.OpenBackup(a.event.DomainGUID, a.event.GUID)
	if errors.Is(err, directory.ErrNoBackup) {
		return nil
	}
	must(t, err)
	data, err := io.ReadAll(r)
	must(t, errors.Join(err, r.Close()))
	return data
}

func accountStoreRows() []row {
	const service, section = spcm.ServiceAccountStore, "3.2.5.4.1"
	// of a backup of four fragments, two of which are stored
	at := func(section, name string, fault soap.Code, edit func(t *testing.T, b *box, a *account, m *spcm.AccountStore) []byte) row {
		return row{section, name, service, func(t *testing.T, b *box) []byte {
			_, a := b.active(t, "alice", aliceKey())
			b.storeFragment(t, a, fragmentOf("begun", 1, 4), "data 1/4")
			b.storeFragment(t, a, fragmentOf("begun", 2, 4), "data 2/4")
			return edit(t, b, a, fragmentOf("begun", 3, 4))
		}, fault}
	}
	order := func(name string, edit func(m *spcm.AccountStore)) row {
		return at(section, name, 212, func(t *testing.T, _ *box, a *account, m *spcm.AccountStore) []byte {
			edit(m)
			return a.storeRequest(t, m, "data 3/4")
		})
	}
	rows := []row{
		order("BackupIndexCount 0", func(m *spcm.AccountStore) { m.Index = 0 }),
		order("BackupIndexCount negative", func(m *spcm.AccountStore) { m.Index = -1 }),
		order("BackupIndexCount the previous", func(m *spcm.AccountStore) { m.Index = 2 }),
		order("BackupIndexCount 2 greater", func(m *spcm.AccountStore) { m.Index = 4 }),
		order("BackupIndexCount beyond the count", func(m *spcm.AccountStore) { m.Index = 5 }),
		order("BackupIndexCount without the first", func(m *spcm.AccountStore) { m.BackupGUID = "other" }),
		order("BackupGUID empty", func(m *spcm.AccountStore) { m.BackupGUID = "" }),
		order("BackupFragmentCount of another", func(m *spcm.AccountStore) { m.FragmentCount = 3 }),
		order("BackupSize of another", func(m *spcm.AccountStore) { m.BackupSize++ }),
		order("BackupVersion of another", func(m *spcm.AccountStore) { m.BackupVersion++ }),
		order("BackupFragmentCount beyond any", func(m *spcm.AccountStore) { m.Index, m.FragmentCount = 1, spcm.MaxBackupFragments+1 }),
		order("BackupSize beyond any", func(m *spcm.AccountStore) { m.Index, m.BackupSize = 1, spcm.MaxBackup+1 }),
		at(section, "fragment empty", 212, func(t *testing.T, _ *box, a *account, m *spcm.AccountStore) []byte {
			return a.storeRequest(t, m, "")
		}),
		at(section, "account of another member's", 212, func(t *testing.T, b *box, _ *account, m *spcm.AccountStore) []byte {
			return b.created(t, "stranger", bobKey(), false).storeRequest(t, m, "data 3/4")
		}),
		{section, "member pending", service, func(t *testing.T, b *box) []byte {
			_, a := b.installed(t, "alice", aliceKey())
			return a.storeRequest(t, fragmentOf("one", 1, 1), "data 1/1")
		}, 212},
		{section, "member disabled", service, func(t *testing.T, b *box) []byte {
			m, a := b.active(t, "alice", aliceKey())
			disabled(t, b, m, a)
			return a.storeRequest(t, fragmentOf("one", 1, 1), "data 1/1")
		}, 212},
	}
	for _, attr := range []string{
		"BackupFragmenetSize", "BackupFragmentCount", "BackupIndexCount", "BackupSize", "BackupVersion", "PayloadAsStream",
	} {
		rows = append(rows, at("2.2.3.3.1", attr+" missing", 204, func(t *testing.T, _ *box, a *account, m *spcm.AccountStore) []byte {
			event := a.event.Element()
			m.AddTo(event)
			event.RemoveAttr(attr)
			secured, err := soap.NewFragment(event).Secure(a.key, []byte("data 3/4"), soap.MACOverDigest)
			must(t, err)
			return envelope(service, secured)
		}))
	}
	return rows
}

// TestAccountStore stores backups of one and of several fragments, of the
// largest size too, and replays: the last complete one is kept until there is a
// newer one.
func TestAccountStore(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	want := func(data string) {
		t.Helper()
		if got := b.backup(t, alice); string(got) != data {
			t.Errorf("backup is %.40q, want %.40q", got, data)
		}
	}
	b.storeFragment(t, alice, fragmentOf("", 1, 1), "small")
	want("small")

	b.storeFragment(t, alice, fragmentOf("two", 1, 2), "first,")
	want("small")
	last := alice.storeRequest(t, fragmentOf("two", 2, 2), "second")
	b.succeed(t, spcm.ServiceAccountStore, last)
	want("first,second")

	// The bytes again are answered as before; said in other bytes, the
	// fragment does not continue anything.
	before := b.sequence()
	b.succeed(t, spcm.ServiceAccountStore, last)
	if r := b.ask(t, spcm.ServiceAccountStore, alice.storeRequest(t, fragmentOf("two", 2, 2), "other")); r.Fault == nil || r.Fault.Code != soap.CodeAccountBackup {
		t.Errorf("the last fragment a second time: fault %v", r.Fault)
	}
	if after := b.sequence(); after != before {
		t.Errorf("%d changes", after-before)
	}
	want("first,second")

	largest := string(bytes.Repeat([]byte{0, 255, '<', '&'}, spcm.MaxBackupFragment/4))
	b.storeFragment(t, alice, fragmentOf("large", 1, 1), largest)
	want(largest)
	if r := b.ask(t, spcm.ServiceAccountStore, alice.storeRequest(t, fragmentOf("large", 1, 1), largest+"x")); r.Fault == nil {
		t.Error("a fragment larger than any is stored")
	}
}

// copyTree copies a folder as a killed process leaves it.
func copyTree(t testing.TB, from string) string {
	t.Helper()
	to := t.TempDir()
	must(t, os.CopyFS(to, os.DirFS(from)))
	must(t, os.Chmod(filepath.Join(to, "master.key"), 0o600)) // CopyFS makes it readable for all
	return to
}

// TestAccountStoreCrash looks at the disk at the moment when the row of each
// fragment is about to be flushed, and after the answer: a start from either
// has each acknowledged fragment, goes on with the backup, and keeps the last
// complete one until then.
func TestAccountStoreCrash(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	b.storeFragment(t, alice, fragmentOf("old", 1, 1), "old")
	data := []string{"a", "b", "c"}
	for i := range data {
		index := int32(i + 1)
		var killed []string
		b.disk.set(func() error {
			killed = append(killed, copyTree(t, b.dir))
			return nil
		})
		b.storeFragment(t, alice, fragmentOf("new", index, 3), data[i])
		b.disk.set(nil)
		killed = append(killed, copyTree(t, b.dir))
		if len(killed) < 2 {
			t.Fatal("the row was not flushed")
		}
		for n, dir := range killed {
			after := openBox(t, dir, 1)
			must(t, after.directory.CollectBackups(t.Context()))
			acknowledged := n == len(killed)-1
			complete := after.backup(t, alice)
			switch string(complete) {
			case "old":
				if acknowledged && index == 3 {
					t.Error("the acknowledged backup is gone")
				}
			case "abc":
				if index < 3 {
					t.Errorf("complete after fragment %d", index)
				}
			default:
				t.Errorf("after fragment %d the backup is %q", index, complete)
			}
			// The client goes on where it was told to be.
			next := index
			if acknowledged {
				next++
			}
			for ; next <= 3; next++ {
				r := after.ask(t, spcm.ServiceAccountStore, alice.storeRequest(t, fragmentOf("new", next, 3), data[next-1]))
				if r.Fault != nil && (acknowledged || r.Fault.Code != soap.CodeAccountBackup) {
					t.Errorf("fragment %d after a start: %v", next, r.Fault)
				}
			}
			if acknowledged {
				if got := after.backup(t, alice); string(got) != "abc" {
					t.Errorf("backup is %q, want abc", got)
				}
				if names := after.backups.Names(); len(names) != 3 {
					t.Errorf("%d fragments on disk, want 3", len(names))
				}
			}
		}
	}
}

// TestAccountStoreFullDisk has no room for the fragment: fault 203, no row, and
// the last backup stays.
func TestAccountStoreFullDisk(t *testing.T) {
	b := newBox(t)
	_, alice := b.active(t, "alice", aliceKey())
	b.storeFragment(t, alice, fragmentOf("old", 1, 1), "old")
	b = openBox(t, copyTree(t, b.dir), 1<<62)
	before := b.sequence()
	r := b.ask(t, spcm.ServiceAccountStore, alice.storeRequest(t, fragmentOf("new", 1, 1), "new"))
	if r.Fault == nil || r.Fault.Code != soap.CodeProcessing {
		t.Errorf("fault %v, want 203", r.Fault)
	}
	if after := b.sequence(); after != before || string(b.backup(t, alice)) != "old" {
		t.Errorf("%d changes, backup %q", after-before, b.backup(t, alice))
	}
}
