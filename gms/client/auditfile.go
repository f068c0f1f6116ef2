package client

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"io"
	"math"

	"furrow/appliance/keys"
	"furrow/gms/auditlog"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// ErrFileSize is returned for a file whose size the messages cannot tell.
var ErrFileSize = errors.New("file is empty or too large to upload")

// FileProgress is how far the upload of a file has come.
type FileProgress struct {
	GUID string `json:"guid"` // of the backup
	Sent int    `json:"sent"` // fragments
}

// AuditFile is a file to upload for auditing.
type AuditFile struct {
	Title   string // name of the file
	URL     string
	Size    int64 // bytes
	Content io.ReaderAt
	// Progress is called with the bytes that the server has.
	Progress func(sent int64)
}

// FileUploadQuery asks whether the server has a file (MS-GRVSPCM 3.3.5.7.3).
func (c *Client) FileUploadQuery(ctx context.Context, account *Account, hash keys.Digest) (spcm.FileStatus, error) {
	const service = spcm.ServiceFileUploadQuery
	answer, err := c.callWithAccount(ctx, service, account, (&spcm.FileUploadQuery{Hash: hash}).Encode(), soap.WrapperReturnPayload)
	if err != nil {
		return 0, err
	}
	domain, err := c.domainCertificate()
	if err != nil {
		return 0, err
	}
	r, err := spcm.DecodeFileUploadQueryResponse(answer, domain.SignatureKey())
	switch {
	case err != nil:
		return 0, fmt.Errorf("%s: reading the answer: %w", service, err)
	case r.Hash != hash:
		return 0, fmt.Errorf("%s: the answer is of another file", service)
	}
	return r.Status, nil
}

// UploadFile uploads a file unless the server has it, or is getting it from another (MS-GRVSPCM 3.3.5.7.3, 3.3.5.7.4),
// and returns its hash and the state in which the server had it. An upload that was interrupted goes on where it was,
// as the profile remembers.
func (c *Client) UploadFile(ctx context.Context, f AuditFile) (hash keys.Digest, before spcm.FileStatus, err error) {
	if f.Size < 1 || f.Size > math.MaxInt32 {
		return hash, 0, fmt.Errorf("%w: %d bytes", ErrFileSize, f.Size)
	}
	sum := sha1.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f.Content, 0, f.Size)); err != nil {
		return hash, 0, fmt.Errorf("reading %s: %w", f.Title, err)
	}
	sum.Sum(hash[:0])
	account := &c.profile.User
	err = c.insist(ctx, account, func() (err error) {
		before, err = c.FileUploadQuery(ctx, account, hash)
		return err
	})
	if err != nil || before != spcm.FileNotPresent {
		return hash, before, err
	}
	progress, begun := c.profile.AuditFiles[hash.String()]
	err = c.sendFile(ctx, account, f, hash, progress)
	if begun && hasCode(err, soap.CodeAuditLogUpload) {
		err = c.sendFile(ctx, account, f, hash, FileProgress{})
	}
	return hash, before, err
}

// sendFile sends the fragments that are left and remembers how far it has come.
func (c *Client) sendFile(ctx context.Context, account *Account, f AuditFile, hash keys.Digest, at FileProgress) error {
	const service = spcm.ServiceFileUpload
	domain, err := c.domainCertificate()
	if err != nil {
		return err
	}
	token, err := auditlog.SealToken(domain.EncryptionKey(), hash)
	if err != nil {
		return err
	}
	if at.GUID == "" {
		at = FileProgress{GUID: newID(guidLength)}
	}
	if c.profile.AuditFiles == nil {
		c.profile.AuditFiles = map[string]FileProgress{}
	}
	count := int((f.Size + uploadFragmentSize - 1) / uploadFragmentSize)
	for ; at.Sent < count; at.Sent++ {
		c.profile.AuditFiles[hash.String()] = at
		offset := int64(at.Sent) * uploadFragmentSize
		data := make([]byte, min(uploadFragmentSize, f.Size-offset))
		if _, err := f.Content.ReadAt(data, offset); err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading %s: %w", f.Title, err)
		}
		m := spcm.FileUpload{
			Fragment: spcm.UploadFragment{
				BackupGUID: at.GUID, Index: int32(at.Sent + 1), Count: int32(count),
				Size: int32(len(data)), TotalSize: int32(f.Size), Data: data,
			},
			Token: token, URL: f.URL, Title: f.Title,
		}
		answer, err := c.callWithHeader(ctx, service, account, m.Frame)
		if err != nil {
			return err
		}
		r, err := spcm.DecodeFileUploadResponse(answer, domain.SignatureKey())
		if err != nil {
			return fmt.Errorf("%s: reading the answer: %w", service, err)
		}
		if last := at.Sent == count-1; r.Complete != last || (last && r.Hash != hash) {
			delete(c.profile.AuditFiles, hash.String())
			return fmt.Errorf("%s: the server did not take the file", service)
		}
		f.Progress(offset + int64(len(data)))
	}
	delete(c.profile.AuditFiles, hash.String())
	return nil
}
