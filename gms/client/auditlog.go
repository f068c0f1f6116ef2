package client

import (
	"context"
	"fmt"
	"slices"

	"furrow/appliance/keys"
	"furrow/gms/auditlog"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

const (
	// uploadFragmentSize is the size in bytes of the fragments of uploads: half a minute for a modem.
	uploadFragmentSize = 256 << 10

	// maxLogEvents and maxLogText bound what is put into one log, in events and in bytes of their texts; more becomes
	// several logs.
	maxLogEvents = 10_000
	maxLogText   = 2 << 20
)

// AuditLogUploadQuery returns up to where the server has the device's audit log, [spcm.NoLogRange] if it has none
// (MS-GRVSPCM 3.3.5.7.1).
func (c *Client) AuditLogUploadQuery(ctx context.Context, account *Account) (int32, error) {
	const service = spcm.ServiceAuditLogUploadQuery
	answer, err := c.callWithAccount(ctx, service, account, (&spcm.AuditLogUploadQuery{}).Encode(), soap.WrapperReturnPayload)
	if err != nil {
		return 0, err
	}
	r, err := c.logRange(service, answer)
	return r.High, err
}

// logRange reads an answer, which must be signed by the domain and of this device.
func (c *Client) logRange(service string, answer []byte) (spcm.AuditLogRange, error) {
	domain, err := c.domainCertificate()
	if err != nil {
		return spcm.AuditLogRange{}, err
	}
	r, err := spcm.DecodeAuditLogRange(service, answer, domain.SignatureKey())
	switch {
	case err != nil:
		return spcm.AuditLogRange{}, fmt.Errorf("%s: reading the answer: %w", service, err)
	case r.DeviceHash != spcm.DeviceHash(c.profile.Device.GUID):
		return spcm.AuditLogRange{}, fmt.Errorf("%s: the answer is of another device", service)
	}
	return *r, nil
}

func (c *Client) domainCertificate() (*keys.Certificate, error) {
	certificate, err := keys.ParseCertificate(c.profile.Domain.Certificate)
	if err != nil {
		return nil, fmt.Errorf("certificate of the domain: %w", err)
	}
	return certificate, nil
}

// UploadAuditLog seals events as a session of the device's audit log and uploads it (MS-GRVSPCM 3.3.5.7.2). It returns
// the sequence up to which the server has the log then. The profile gets the device's key if it has none yet.
func (c *Client) UploadAuditLog(ctx context.Context, events []auditlog.Event) (sequence int32, err error) {
	account := &c.profile.User
	err = c.insist(ctx, account, func() (err error) {
		sequence, err = c.AuditLogUploadQuery(ctx, account)
		return err
	})
	if err != nil || len(events) == 0 {
		return sequence, err
	}
	domain, err := c.domainCertificate()
	if err != nil {
		return 0, err
	}
	if c.profile.AuditKey.IsZero() {
		if c.profile.AuditKey, err = auditlog.NewKey(); err != nil {
			return 0, fmt.Errorf("making the key of the audit log: %w", err)
		}
	}
	w := auditlog.NewWriter(c.profile.Device.GUID, c.profile.AuditKey, domain.EncryptionKey())
	begins := auditlog.Event{Time: c.now(), Type: "session.begin"}
	if err := w.Begin(begins.Encode()); err != nil {
		return 0, err
	}
	for len(events) > 0 {
		n := batch(events)
		for _, e := range events[:n] {
			if err := w.Add(e.Encode()); err != nil {
				return 0, err
			}
		}
		events = events[n:]
		if len(events) == 0 {
			if err := w.End(auditlog.Event{Time: c.now(), Type: "session.end"}.Encode()); err != nil {
				return 0, err
			}
		}
		if sequence, err = c.uploadLog(ctx, account, w, sequence+1); err != nil {
			return 0, err
		}
	}
	return sequence, nil
}

// batch returns how many of the events go into one log.
func batch(events []auditlog.Event) int {
	size := 0
	for i, e := range events {
		if size += len(e.Text) + len(e.Type); i > 0 && (i == maxLogEvents || size > maxLogText) {
			return i
		}
	}
	return len(events)
}

// uploadLog uploads what the writer has collected. After fault 216 it begins again, once, with a new backup GUID.
func (c *Client) uploadLog(ctx context.Context, account *Account, w *auditlog.Writer, sequence int32) (int32, error) {
	log, err := w.Seal(sequence, c.now())
	if err != nil {
		return 0, err
	}
	last, err := c.sendLog(ctx, account, log)
	if hasCode(err, soap.CodeAuditLogUpload) {
		last, err = c.sendLog(ctx, account, log)
	}
	switch {
	case err != nil:
		return 0, err
	case !last.Complete || last.High != sequence:
		return 0, fmt.Errorf("%s: the server did not take the log: it is at %d, the log at %d",
			spcm.ServiceAuditLogUpload, last.High, sequence)
	}
	return last.High, nil
}

// sendLog sends a log in fragments and returns the answer to the last.
func (c *Client) sendLog(ctx context.Context, account *Account, log []byte) (last spcm.AuditLogRange, err error) {
	const service = spcm.ServiceAuditLogUpload
	guid := newID(guidLength)
	fragments := slices.Collect(slices.Chunk(log, uploadFragmentSize))
	for i, data := range fragments {
		m := spcm.AuditLogUpload{Fragment: spcm.UploadFragment{
			BackupGUID: guid, Index: int32(i + 1), Count: int32(len(fragments)),
			Size: int32(len(data)), TotalSize: int32(len(log)), Data: data,
		}}
		answer, err := c.callWithHeader(ctx, service, account, m.Frame)
		if err != nil {
			return last, err
		}
		if last, err = c.logRange(service, answer); err != nil {
			return last, err
		}
	}
	return last, nil
}
