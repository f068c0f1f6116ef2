package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// AuditEvents calls each with the events that a filter selects, as they come. Logs that cannot be read are an error at
// the end.
func (c *Client) AuditEvents(ctx context.Context, f AuditFilter, each func(AuditEvent) error) (err error) {
	q := url.Values{
		"domain": {f.Domain}, "member": {f.Member}, "device": {f.Device}, "type": {f.Type}, "text": {f.Text},
		"newest": {strconv.FormatBool(f.Newest)}, "limit": {strconv.Itoa(f.Limit)},
	}
	for name, t := range map[string]time.Time{"from": f.From, "to": f.To} {
		if !t.IsZero() {
			q.Set(name, t.Format(time.RFC3339))
		}
	}
	body, err := c.stream(ctx, "/v1/audit/events?"+q.Encode())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	var unreadable error
	for lines := json.NewDecoder(body); ; {
		line := auditLine{AuditEvent: new(AuditEvent)}
		switch err := lines.Decode(&line); {
		case errors.Is(err, io.EOF):
			return unreadable
		case err != nil:
			return fmt.Errorf("reading the answer: %w", err)
		case line.Error != nil:
			unreadable = line.Error
			continue
		}
		if err := each(*line.AuditEvent); err != nil {
			return err
		}
	}
}

// AuditDevices returns the devices of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) AuditDevices(ctx context.Context, domain string) ([]AuditDevice, error) {
	return call[[]AuditDevice](ctx, c, http.MethodGet, "/v1/audit/devices?"+url.Values{"domain": {domain}}.Encode(), nil)
}

// AuditFiles returns the files of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) AuditFiles(ctx context.Context, domain string) ([]AuditFile, error) {
	return call[[]AuditFile](ctx, c, http.MethodGet, "/v1/audit/files?"+url.Values{"domain": {domain}}.Encode(), nil)
}

// AuditFile returns the content of a file. Reading a damaged one ends with an error.
func (c *Client) AuditFile(ctx context.Context, domain, hash string) (io.ReadCloser, error) {
	return c.stream(ctx, "/v1/audit/files/"+url.PathEscape(domain)+"/"+url.PathEscape(hash))
}

// AuditSettings returns how long audit logs and files are kept.
func (c *Client) AuditSettings(ctx context.Context) (AuditSettings, error) {
	return call[AuditSettings](ctx, c, http.MethodGet, "/v1/audit/settings", nil)
}

// SetAuditSettings changes AuditSettings.
func (c *Client) SetAuditSettings(ctx context.Context, s AuditSettings) (AuditSettings, error) {
	return call[AuditSettings](ctx, c, http.MethodPut, "/v1/audit/settings", s)
}

// stream asks for an answer that is read as it comes.
func (c *Client) stream(ctx context.Context, path string) (io.ReadCloser, error) {
	resp, err := c.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}
