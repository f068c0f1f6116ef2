package audit

import (
	"context"
	"crypto/rand"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"time"

	"furrow/appliance/blob"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/auditlog"
	"furrow/gms/soap/spcm"
)

// MaxFile bounds a file, in bytes. Workspaces hold drawings and videos; of what
// is larger the audit log still has the event.
const MaxFile = 256 << 20

// File is a file that a client has uploaded for auditing (MS-GRVSPCM 3.2.1).
type File struct {
	Sender
	Hash     string    `json:"hash"` // SHA-1 of the content, in hexadecimal digits
	Length   int64     `json:"length"`
	Title    string    `json:"title"` // name of the file
	URL      string    `json:"url"`
	Member   string    `json:"member,omitempty"` // GUID
	Received time.Time `json:"received"`
	Blob     string    `json:"blob"`
}

// UploadFile takes a fragment of a file (MS-GRVSPCM 3.2.5.7.4). It returns
// whether the upload is complete, and then the file's hash. The errors are
// those of UploadLog, and fault 204 for a token that is none.
func (a *Archive) UploadFile(ctx context.Context, from Sender, m *spcm.FileUpload) (complete bool, hash keys.Digest, err error) {
	announced, err := a.announced(from.Domain, m.Token)
	if err != nil {
		return false, hash, fmt.Errorf("taking an audit file: %w", err)
	}
	f := &m.Fragment
	first := a.begin(kindFile, from, f, announced)
	defer a.lock(first.key())()
	up, err := a.expect(first, f, MaxFile)
	switch {
	case err != nil:
	case !f.Last():
		err = a.keep(ctx, up, f.Data)
	default:
		hash, err = a.finishFile(ctx, up, m)
		if complete = err == nil; errors.Is(err, errUnsound) {
			hash, err = keys.Digest{}, a.abandon(ctx, up, err)
		}
	}
	if err != nil {
		return false, keys.Digest{}, fmt.Errorf("taking an audit file: %w", err)
	}
	return complete, hash, nil
}

// announced returns the hash in a token, "" if it does not show.
func (a *Archive) announced(domain string, token []byte) (string, error) {
	set, err := a.directory.DomainKeys(domain)
	if err != nil {
		return "", err
	}
	hash, ok, err := auditlog.OpenToken(set.Encryption, token)
	if err != nil || !ok {
		return "", err
	}
	return hash.String(), nil
}

// finishFile stores the whole file, unless it is there.
func (a *Archive) finishFile(ctx context.Context, up uploadRow, m *spcm.FileUpload) (keys.Digest, error) {
	name := rand.Text() + ".file"
	hash, err := a.writeFile(name, up, m.Fragment.Data)
	if err != nil {
		return hash, err
	}
	row := File{
		Sender: up.Sender, Hash: hash.String(), Length: int64(up.Total), Title: m.Title, URL: m.URL,
		Member: a.memberOf(up.Sender), Received: a.now().UTC(), Blob: name,
	}
	stored := false
	err = a.store.Update(ctx, func(tx *state.Tx) error {
		_, known := a.t.files.Get(tx, joinKey(row.Domain, row.Hash))
		if stored = !known; stored {
			if err := a.t.files.Put(tx, row); err != nil {
				return err
			}
		}
		a.forget(tx, up)
		return nil
	})
	if err != nil || !stored {
		a.drop(name)
	}
	if err != nil {
		return hash, storageError(err)
	}
	a.drop(up.fragments()...)
	if stored {
		a.log.Info("audit file stored", "domain", row.Domain, "device", row.Device, "hash", row.Hash, "length", row.Length)
	}
	return hash, nil
}

// writeFile makes a blob of the fragments and returns its hash, which must be
// the one that was announced.
func (a *Archive) writeFile(name string, up uploadRow, last []byte) (hash keys.Digest, err error) {
	w, err := a.blobs.Create()
	if err != nil {
		return hash, storageError(err)
	}
	defer func() { err = errors.Join(err, w.Abort()) }() // nothing after Commit
	sum := sha1.New()
	if err := a.assemble(io.MultiWriter(w, sum), up, last); err != nil {
		return hash, storageError(err)
	}
	sum.Sum(hash[:0])
	if up.Hash != "" && up.Hash != hash.String() {
		return hash, fmt.Errorf("%w: the file has not the hash of its token", errUnsound)
	}
	return hash, storageError(w.Commit(name))
}

// FileStatus returns the state of a file for an account that asks (MS-GRVSPCM
// 3.2.5.7.3): it is being processed while another account uploads it. An
// account's own unfinished upload is for itself to go on with.
func (a *Archive) FileStatus(domain, account string, hash keys.Digest) spcm.FileStatus {
	view := a.store.Snapshot()
	key := joinKey(domain, hash.String())
	if _, ok := a.t.files.Get(view, key); ok {
		return spcm.FilePresent
	}
	for up := range a.t.uploadsByHash.Find(view, key) {
		if up.Account != account {
			return spcm.FileProcessing
		}
	}
	return spcm.FileNotPresent
}

// Files returns the files of a domain, or of all domains if it is empty, in
// order of domains and hashes.
func (a *Archive) Files(domain string) []File {
	var files []File
	for f := range inDomain(a.t.files, a.store.Snapshot(), domain) {
		files = append(files, f)
	}
	return files
}

// OpenFile opens the content of a file, or fails with ErrFileNotFound.
func (a *Archive) OpenFile(domain, hash string) (File, *blob.Reader, error) {
	f, ok := a.t.files.Get(a.store.Snapshot(), joinKey(domain, hash))
	if !ok {
		return File{}, nil, fmt.Errorf("%w: %.64q", ErrFileNotFound, hash)
	}
	r, err := a.blobs.Open(f.Blob)
	return f, r, err
}
