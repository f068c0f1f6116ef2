package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"furrow/appliance/blob"
	"furrow/gms/soap/spcm"
)

const (
	backupAccount = "backupaccount"
	backupURL     = "grooveIdentity://backup@"
)

// backedUp is a fixture with an active member who has an account.
type backedUp struct {
	*fixture
	domain Domain
	member Member
}

func newBackedUp(t *testing.T) *backedUp {
	t.Helper()
	f := newFixture(t)
	domain := f.domain(t, "Contoso")
	return &backedUp{f, domain, f.active(t, domain, "Anna", backupAccount, backupURL)}
}

// fragment is one of a backup's, with data that tells the two.
func (f *backedUp) fragment(guid string, index, count int32) Fragment {
	return Fragment{
		Domain: f.domain.GUID, Account: backupAccount, Device: "BOX",
		AccountStore: spcm.AccountStore{FragmentCount: count, BackupGUID: guid, Index: index, BackupSize: 100, BackupVersion: 1},
		Data:         fmt.Appendf(nil, "%s:%d/%d;", guid, index, count),
	}
}

func (f *backedUp) store(t testing.TB, guid string, from, to, count int32) {
	t.Helper()
	for i := from; i <= to; i++ {
		b, err := f.StoreFragment(context.Background(), f.fragment(guid, i, count))
		must(t, err)
		if b.Stored != i || b.Complete() != (i == count) || b.Device != "BOX" {
			t.Fatalf("after fragment %d of %d: %+v", i, count, b)
		}
	}
}

// wantBackup checks the last complete backup: the whole of guid.
func (f *backedUp) wantBackup(t testing.TB, guid string, count int32) {
	t.Helper()
	var want bytes.Buffer
	for i := int32(1); i <= count; i++ {
		want.Write(f.fragment(guid, i, count).Data)
	}
	r, err := f.OpenBackup(f.domain.GUID, backupAccount)
	must(t, err)
	got, err := io.ReadAll(r)
	must(t, errors.Join(err, r.Close()))
	if !bytes.Equal(got, want.Bytes()) || r.Size != int64(want.Len()) || r.GUID != guid {
		t.Errorf("backup %+v is %q, want %q", r.Backup, got, &want)
	}
	if b, err := f.LastBackup(f.domain.GUID, backupAccount); err != nil || b != r.Backup {
		t.Errorf("last backup is %+v, %v; want %+v", b, err, r.Backup)
	}
}

func (f *backedUp) wantNone(t *testing.T) {
	t.Helper()
	if _, err := f.OpenBackup(f.domain.GUID, backupAccount); !errors.Is(err, ErrNoBackup) {
		t.Errorf("a backup: %v", err)
	}
}

// blobs returns how many fragments are kept on disk.
func (f *backedUp) blobs() int { return len(f.backups.Names()) }

func TestBackupTakesThePlaceOfTheLastWhenComplete(t *testing.T) {
	f := newBackedUp(t)
	f.wantNone(t)
	f.store(t, "one", 1, 2, 3)
	f.wantNone(t)
	f.store(t, "one", 3, 3, 3)
	f.wantBackup(t, "one", 3)
	f.store(t, "two", 1, 1, 2)
	f.wantBackup(t, "one", 3)

	old, err := f.OpenBackup(f.domain.GUID, backupAccount)
	must(t, err)
	f.store(t, "two", 2, 2, 2)
	f.wantBackup(t, "two", 2)
	if f.blobs() != 2 {
		t.Errorf("%d fragments on disk, want 2", f.blobs())
	}
	// Who has begun to read the old one, reads it to its end.
	fragments, err := old.Fragments()
	must(t, errors.Join(err, old.Close()))
	if len(fragments) != 3 || !bytes.Equal(fragments[2], f.fragment("one", 3, 3).Data) {
		t.Errorf("fragments %q", fragments)
	}

	// A client may use its GUID again, and begin again; one without a GUID is
	// a backup of one fragment.
	f.store(t, "two", 1, 1, 2)
	f.wantBackup(t, "two", 2)
	f.store(t, "two", 1, 2, 2)
	f.wantBackup(t, "two", 2)
	f.store(t, "", 1, 1, 1)
	f.store(t, "", 1, 1, 1)
	f.wantBackup(t, "", 1)
	if f.blobs() != 1 {
		t.Errorf("%d fragments on disk, want 1", f.blobs())
	}
	f.reopen(t)
	must(t, f.CollectBackups(t.Context()))
	f.wantBackup(t, "", 1)
}

// Two devices of one person back up at once; a third makes the slowest begin
// again.
func TestBackupsOfSeveralDevices(t *testing.T) {
	f := newBackedUp(t)
	f.store(t, "one", 1, 1, 3)
	f.now = f.now.Add(time.Minute)
	f.store(t, "two", 1, 1, 3)
	f.now = f.now.Add(time.Minute)
	f.store(t, "one", 2, 2, 3)
	f.now = f.now.Add(time.Minute)
	f.store(t, "three", 1, 1, 3)
	if f.blobs() != 3 {
		t.Errorf("%d fragments on disk, want 3 of two backups", f.blobs())
	}
	ctx := t.Context()
	if _, err := f.StoreFragment(ctx, f.fragment("two", 2, 3)); !errors.Is(err, ErrFragment) {
		t.Errorf("the slowest goes on: %v", err)
	}
	f.store(t, "one", 3, 3, 3)
	f.wantBackup(t, "one", 3)
	f.store(t, "three", 2, 3, 3)
	f.wantBackup(t, "three", 3)

	// What was given up goes with the next complete one, or at the next start.
	f.store(t, "four", 1, 2, 3)
	f.now = f.now.Add(unfinishedLifetime + time.Second)
	f.store(t, "five", 1, 1, 1)
	f.wantBackup(t, "five", 1)
	if f.blobs() != 1 {
		t.Errorf("%d fragments on disk, want 1", f.blobs())
	}
	f.store(t, "six", 1, 2, 3)
	f.now = f.now.Add(unfinishedLifetime + time.Second)
	f.reopen(t)
	must(t, f.CollectBackups(ctx))
	f.wantBackup(t, "five", 1)
	if f.blobs() != 1 {
		t.Errorf("%d fragments on disk after a start, want 1", f.blobs())
	}
}

func TestFragmentsThatDoNotFit(t *testing.T) {
	f := newBackedUp(t)
	f.store(t, "good", 1, 1, 1)
	f.store(t, "begun", 1, 2, 4)
	before, blobs := f.Directory.store.Snapshot().Sequence(), f.blobs()
	for name, edit := range map[string]func(*Fragment){
		"number 0":           func(m *Fragment) { m.Index = 0 },
		"negative number":    func(m *Fragment) { m.Index = -1 },
		"the same again":     func(m *Fragment) { m.Index = 2 },
		"one left out":       func(m *Fragment) { m.Index = 4 },
		"number beyond":      func(m *Fragment) { m.Index = 5 },
		"not begun":          func(m *Fragment) { m.BackupGUID = "other" },
		"already complete":   func(m *Fragment) { m.BackupGUID, m.FragmentCount = "good", 2; m.Index = 2 },
		"no GUID":            func(m *Fragment) { m.BackupGUID = "" },
		"GUID without end":   func(m *Fragment) { m.BackupGUID = strings.Repeat("g", maxClientGUID+1) },
		"another count":      func(m *Fragment) { m.FragmentCount = 5 },
		"another size":       func(m *Fragment) { m.BackupSize = 101 },
		"another version":    func(m *Fragment) { m.BackupVersion = 2 },
		"size without end":   func(m *Fragment) { m.BackupSize = spcm.MaxBackup + 1 },
		"negative size":      func(m *Fragment) { m.BackupSize = -1 },
		"of none":            func(m *Fragment) { m.FragmentCount = 0 },
		"of very many":       func(m *Fragment) { m.FragmentCount = spcm.MaxBackupFragments + 1 },
		"empty":              func(m *Fragment) { m.Data = nil },
		"larger than any":    func(m *Fragment) { m.Data = make([]byte, spcm.MaxBackupFragment+1) },
		"of another account": func(m *Fragment) { m.Account = "stranger" },
		"of another domain":  func(m *Fragment) { m.Domain = "other" },
	} {
		fragment := f.fragment("begun", 3, 4)
		edit(&fragment)
		want := ErrFragment
		if fragment.Account == "stranger" || fragment.Domain == "other" {
			want = ErrMemberNotFound
		}
		if _, err := f.StoreFragment(t.Context(), fragment); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
	if after := f.Directory.store.Snapshot().Sequence(); after != before || f.blobs() != blobs {
		t.Errorf("refused fragments made %d changes and %d blobs", after-before, f.blobs()-blobs)
	}
	f.wantBackup(t, "good", 1)
	f.store(t, "begun", 3, 4, 4)
	f.wantBackup(t, "begun", 4)

	// Only members in good standing have backups taken.
	_, err := f.DisableMember(t.Context(), f.member.GUID)
	must(t, err)
	if _, err := f.StoreFragment(t.Context(), f.fragment("more", 1, 1)); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("of a disabled member: %v", err)
	}
	f.wantBackup(t, "begun", 4)
}

func TestBackupLimit(t *testing.T) {
	f := newBackedUp(t)
	const count = spcm.MaxBackup/spcm.MaxBackupFragment + 1
	data := make([]byte, spcm.MaxBackupFragment)
	for i := int32(1); i <= count; i++ {
		fragment := f.fragment("large", i, count)
		fragment.Data = data
		_, err := f.StoreFragment(t.Context(), fragment)
		if exceeds := int(i)*len(data) > spcm.MaxBackup; exceeds != errors.Is(err, ErrFragment) || exceeds != (err != nil) {
			t.Fatalf("fragment %d: %v", i, err)
		}
	}
	f.wantNone(t)
}

// The same fragment at once, over several connections: it is stored once.
func TestSameFragmentAtOnce(t *testing.T) {
	f := newBackedUp(t)
	f.store(t, "one", 1, 1, 2)
	var mu sync.Mutex
	var stored int
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := f.StoreFragment(context.Background(), f.fragment("one", 2, 2))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				stored++
			} else if !errors.Is(err, ErrFragment) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if stored != 1 || f.blobs() != 2 {
		t.Errorf("stored %d times, %d blobs", stored, f.blobs())
	}
	f.wantBackup(t, "one", 2)
}

// What a crash leaves between blob and row is collected, and a backup under way
// goes on.
func TestBackupsAfterACrash(t *testing.T) {
	f := newBackedUp(t)
	f.store(t, "good", 1, 2, 2)
	f.store(t, "begun", 1, 2, 3)
	rows := f.backupsOf(f.Directory.store.Snapshot(), f.domain.GUID, backupAccount)
	begun := rows[slices.IndexFunc(rows, func(b Backup) bool { return b.GUID == "begun" })]
	must(t, f.backups.Put(begun.blobName(3), []byte("not acknowledged")))
	must(t, f.backups.Put(newGUID()+".1", []byte("not acknowledged")))
	f.reopen(t)
	must(t, f.CollectBackups(t.Context()))
	if f.blobs() != 4 {
		t.Errorf("%d fragments on disk, want 4", f.blobs())
	}
	f.wantBackup(t, "good", 2)
	f.store(t, "begun", 3, 3, 3)
	f.wantBackup(t, "begun", 3)
}

// The backups of a domain end with it.
func TestBackupsOfADeletedDomain(t *testing.T) {
	f := newBackedUp(t)
	f.store(t, "good", 1, 2, 2)
	_, err := f.DeleteDomain(t.Context(), f.domain.GUID, true)
	must(t, err)
	f.wantBackup(t, "good", 2)
	if _, err := f.StoreFragment(t.Context(), f.fragment("more", 1, 1)); !errors.Is(err, ErrMemberNotFound) {
		t.Errorf("in a deleted domain: %v", err)
	}
	f.now = f.now.Add(deletedDomainLife + time.Hour)
	_, err = f.PurgeDeletedDomains(t.Context())
	must(t, err)
	f.wantNone(t)
	if f.blobs() != 0 {
		t.Errorf("%d fragments on disk", f.blobs())
	}
}

// A disk that is full or loses what it had is told, and the last backup stays.
func TestBackupsOnABadDisk(t *testing.T) {
	f := newBackedUp(t)
	f.store(t, "good", 1, 2, 2)
	whole := f.backups
	var err error
	f.backups, err = blob.Open(blob.Options{Dir: filepath.Join(f.dir, "backups"), ReserveBytes: 1 << 62})
	must(t, err)
	if _, err := f.StoreFragment(t.Context(), f.fragment("more", 1, 1)); !errors.Is(err, blob.ErrFull) {
		t.Errorf("on a full disk: %v", err)
	}
	f.wantBackup(t, "good", 2)
	f.backups = whole

	last, err := f.LastBackup(f.domain.GUID, backupAccount)
	must(t, err)
	path := filepath.Join(f.dir, "backups", last.blobName(2))
	data, err := os.ReadFile(path)
	must(t, err)
	data[0] ^= 1
	must(t, os.WriteFile(path, data, 0o600))
	r, err := f.OpenBackup(f.domain.GUID, backupAccount)
	must(t, err)
	if _, err := io.ReadAll(r); !errors.Is(err, blob.ErrDamaged) {
		t.Errorf("reading a damaged backup: %v", err)
	}
	must(t, r.Close())
	must(t, f.backups.Delete(last.blobName(2)))
	if _, err := f.OpenBackup(f.domain.GUID, backupAccount); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("opening a backup without its end: %v", err)
	}
}
