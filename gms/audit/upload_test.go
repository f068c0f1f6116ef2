package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/auditlog"
	"furrow/gms/soap/spcm"
)

// TestUploadSurvivesRestart has the fragments of uploads come before and after
// a restart, which deletes what no row names.
func TestUploadSurvivesRestart(t *testing.T) {
	f := newFixture(t)
	log := fragments("log", f.sealed(t, 0, auditlog.Event{Type: "file.open", Text: "Plan"}), 500)
	file := fragments("file", bytes.Repeat([]byte("drawing"), 1000), 2000)
	f.upload(t, log[:2]...)
	f.uploadFile(t, file[:1]...)
	must(t, f.blobs.Put("orphan.1", []byte("left by a crash")))
	f.reopen(t)
	f.want(t, "2 uploads, 0 logs, 0 files, 3 blobs")
	if !f.upload(t, log[2:]...) || !f.uploadFile(t, file[1:]...) {
		t.Error("not complete")
	}
	f.want(t, "0 uploads, 1 logs, 1 files, 2 blobs")
	f.reopen(t)
	f.want(t, "0 uploads, 1 logs, 1 files, 2 blobs")
	hash := keys.Sum(1, bytes.Repeat([]byte("drawing"), 1000))
	if got := f.FileStatus(f.domain, "other", hash); got != spcm.FilePresent {
		t.Errorf("status %d", got)
	}
	if got := f.FileStatus("other", account, hash); got != spcm.FileNotPresent {
		t.Errorf("the file shows in another domain: %d", got)
	}
}

// TestDamagedFragment finds a fragment that the disk has changed: the upload is
// not complete, and its client can begin again.
func TestDamagedFragment(t *testing.T) {
	f := newFixture(t)
	log := f.sealed(t, 0, auditlog.Event{Type: "file.open"})
	parts := fragments("log", log, 500)
	f.upload(t, parts[:len(parts)-1]...)
	path := filepath.Join(f.dir, "audit", f.blobs.Names()[0])
	stored, err := os.ReadFile(path)
	must(t, err)
	stored[7] ^= 1
	must(t, os.WriteFile(path, stored, 0o600))
	if f.upload(t, parts[len(parts)-1]) {
		t.Error("complete though damaged")
	}
	f.want(t, "0 uploads, 0 logs, 0 files, 0 blobs")
	if !f.upload(t, fragments("again", log, 500)...) {
		t.Error("not complete the second time")
	}
}

// TestUnfinishedUploadsAreBounded begins more uploads than an account may have:
// the oldest goes.
func TestUnfinishedUploadsAreBounded(t *testing.T) {
	f := newFixture(t)
	for i := range 3 * maxUploads {
		f.now = f.now.Add(time.Second)
		f.uploadFile(t, fragments(fmt.Sprint("upload", i), make([]byte, 100), 60)[0])
	}
	f.want(t, fmt.Sprintf("%d uploads, 0 logs, 0 files, %d blobs", maxUploads, maxUploads))
	gone := fragments("upload0", make([]byte, 100), 60)[1]
	if _, _, err := f.UploadLog(t.Context(), f.sender(), &gone); !errors.Is(err, ErrFragment) {
		t.Errorf("going on with the oldest: %v", err)
	}
	if !f.uploadFile(t, fragments(fmt.Sprint("upload", 3*maxUploads-1), make([]byte, 100), 60)[1]) {
		t.Error("the newest is not complete")
	}
}

// TestSameFragmentAtOnce sends each fragment from many at once: one is taken.
func TestSameFragmentAtOnce(t *testing.T) {
	f := newFixture(t)
	for _, part := range fragments("log", f.sealed(t, 0, auditlog.Event{Type: "file.open"}), 500) {
		var taken atomic.Int32
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				_, _, err := f.UploadLog(context.Background(), f.sender(), &part)
				if err == nil {
					taken.Add(1)
				} else if !errors.Is(err, ErrFragment) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if taken.Load() != 1 {
			t.Errorf("fragment %d taken %d times", part.Index, taken.Load())
		}
	}
	f.want(t, "0 uploads, 1 logs, 0 files, 1 blobs")
}

// TestTwoAccountsOfADevice upload the same sequence at once: one is kept.
func TestTwoAccountsOfADevice(t *testing.T) {
	f := newFixture(t)
	var complete atomic.Int32
	var wg sync.WaitGroup
	for i := range 4 {
		log := f.sealed(t, 0, auditlog.Event{Type: "file.open", Text: fmt.Sprint(i)})
		from := f.sender()
		from.Account = fmt.Sprint("account", i)
		wg.Go(func() {
			ok, _, err := f.UploadLog(context.Background(), from, &fragments("log", log, 1<<20)[0])
			if err != nil {
				t.Error(err)
			}
			if ok {
				complete.Add(1)
			}
		})
	}
	wg.Wait()
	if complete.Load() != 1 {
		t.Errorf("%d were kept", complete.Load())
	}
	f.want(t, "0 uploads, 1 logs, 0 files, 1 blobs")
}

func TestPurge(t *testing.T) {
	f := newFixture(t)
	if got := f.Settings(); got != (Settings{LogDays: 365, FileDays: 365}) {
		t.Errorf("settings %+v", got)
	}
	for _, s := range []Settings{{-1, 1}, {1, maxDays + 1}} {
		if err := f.SetSettings(t.Context(), s); !errors.Is(err, ErrInvalid) {
			t.Errorf("settings %+v: %v", s, err)
		}
	}
	must(t, f.SetSettings(t.Context(), Settings{LogDays: 10, FileDays: 0}))
	f.upload(t, fragments("old", f.sealed(t, 0), 1<<20)...)
	f.uploadFile(t, fragments("file", []byte("drawing"), 1<<20)...)
	f.uploadFile(t, fragments("begun", []byte("drawing"), 3)[:2]...)
	f.now = f.now.Add(uploadLifetime - time.Second)
	must(t, f.Purge(t.Context()))
	f.want(t, "1 uploads, 1 logs, 1 files, 4 blobs")
	f.now = f.now.Add(time.Second)
	f.upload(t, fragments("new", f.sealed(t, 1), 1<<20)...)
	must(t, f.Purge(t.Context()))
	f.want(t, "0 uploads, 2 logs, 1 files, 3 blobs")
	f.now = f.now.Add(9 * day)
	must(t, f.Purge(t.Context()))
	f.want(t, "0 uploads, 1 logs, 1 files, 2 blobs")
	f.reopen(t)
	if got := f.Settings(); got != (Settings{LogDays: 10}) {
		t.Errorf("settings %+v after a restart", got)
	}
	must(t, f.SetSettings(t.Context(), Settings{LogDays: 1, FileDays: 1}))
	f.now = f.now.Add(100 * day)
	must(t, f.Purge(t.Context()))
	f.want(t, "0 uploads, 0 logs, 0 files, 0 blobs")
	// What was purged does not come again.
	if f.LastSequence(f.domain, device) != 1 || f.upload(t, fragments("again", f.sealed(t, 0), 1<<20)...) {
		t.Error("a purged log was taken again")
	}
}

func TestRunEnds(t *testing.T) {
	f := newFixture(t)
	f.uploadFile(t, fragments("begun", []byte("drawing"), 3)[0])
	f.now = f.now.Add(uploadLifetime)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(ctx)
	}()
	for f.contents() != "0 uploads, 0 logs, 0 files, 0 blobs" {
		time.Sleep(time.Millisecond)
	}
	cancel()
	<-done
}
