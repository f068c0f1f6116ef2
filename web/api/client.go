package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"

	"furrow/appliance/host"
)

// maxAnswer bounds what a client reads of one answer: the list of a domain of 10,000 members has about 10 MB.
const maxAnswer = 256 << 20

// Client speaks to the box that serves a data directory on this machine.
type Client struct {
	http    http.Client
	dataDir string
}

// NewClient returns a client of the box that serves dataDir. It does not connect yet.
func NewClient(dataDir string) *Client {
	socket := filepath.Join(dataDir, SocketName)
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return host.DialUnix(ctx, socket)
	}}
	return &Client{http: http.Client{Transport: transport}, dataDir: dataDir}
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status returns how the box is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodGet, "/v1/status", nil)
}

// AcceptRecovery makes a state that was restored from damaged files the state to go on with.
func (c *Client) AcceptRecovery(ctx context.Context) (Status, error) {
	return call[Status](ctx, c, http.MethodPost, "/v1/recovery/accept", nil)
}

// Domains returns all domains.
func (c *Client) Domains(ctx context.Context) ([]Domain, error) {
	return call[[]Domain](ctx, c, http.MethodGet, "/v1/domains", nil)
}

// Domain returns the domain with this name or GUID.
func (c *Client) Domain(ctx context.Context, nameOrGUID string) (Domain, error) {
	return call[Domain](ctx, c, http.MethodGet, "/v1/domains/"+url.PathEscape(nameOrGUID), nil)
}

// CreateDomain makes a domain with its keys and certificates.
func (c *Client) CreateDomain(ctx context.Context, domain NewDomain) (Domain, error) {
	return call[Domain](ctx, c, http.MethodPost, "/v1/domains", domain)
}

// AllDomains returns all domains, the hidden and the deleted ones too.
func (c *Client) AllDomains(ctx context.Context) ([]Domain, error) {
	return call[[]Domain](ctx, c, http.MethodGet, "/v1/domains?all=true", nil)
}

// DeleteDomain deletes a domain, and its members if withMembers; it is refused while there are any otherwise.
func (c *Client) DeleteDomain(ctx context.Context, nameOrGUID string, withMembers bool) (Domain, error) {
	path := "/v1/domains/" + url.PathEscape(nameOrGUID)
	if withMembers {
		path += "?with-members=true"
	}
	return call[Domain](ctx, c, http.MethodDelete, path, nil)
}

// Members returns the members of a domain, given by name or GUID, or of all domains when it is empty.
func (c *Client) Members(ctx context.Context, domain string) ([]Member, error) {
	return call[[]Member](ctx, c, http.MethodGet, in("/v1/members", domain), nil)
}

// GroupMembers returns the members of a group, given by path or GUID, but not those of groups in it.
func (c *Client) GroupMembers(ctx context.Context, domain, group string) ([]Member, error) {
	query := url.Values{"domain": {domain}, "group": {group}}
	return call[[]Member](ctx, c, http.MethodGet, "/v1/members?"+query.Encode(), nil)
}

// Member returns one member.
func (c *Client) Member(ctx context.Context, guid string) (Member, error) {
	return call[Member](ctx, c, http.MethodGet, "/v1/members/"+url.PathEscape(guid), nil)
}

// CreateMember adds a pending member with a new configuration code.
func (c *Client) CreateMember(ctx context.Context, member NewMember) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, "/v1/members", member)
}

// CreateInvitedMember is CreateMember, and puts a mail with the code into the outbox: both or nothing.
func (c *Client) CreateInvitedMember(ctx context.Context, member NewMember) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, "/v1/members?send=true", member)
}

// DisableMember locks a member out until it is enabled again.
func (c *Client) DisableMember(ctx context.Context, guid string) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, "/v1/members/"+url.PathEscape(guid)+"/disable", nil)
}

// EnableMember ends DisableMember.
func (c *Client) EnableMember(ctx context.Context, guid string) (Member, error) {
	return call[Member](ctx, c, http.MethodPost, "/v1/members/"+url.PathEscape(guid)+"/enable", nil)
}

// DeleteMember removes a member for good; its client is told to remove the identity.
func (c *Client) DeleteMember(ctx context.Context, guid string) (Member, error) {
	return call[Member](ctx, c, http.MethodDelete, "/v1/members/"+url.PathEscape(guid), nil)
}

// call sends one request. A refusal comes back as *Error; a box that is not there as an error that says so.
func call[Answer any](ctx context.Context, c *Client, method, path string, question any) (answer Answer, err error) {
	return decodeAnswer[Answer](c.send(ctx, method, path, question))
}

// decodeAnswer reads the answer of a request, unless it was refused.
func decodeAnswer[Answer any](resp *http.Response, refused error) (answer Answer, err error) {
	if refused != nil {
		return answer, refused
	}
	err = decode(resp.Body, &answer)
	return answer, err
}

// decode reads an answer and closes its body.
func decode(body io.ReadCloser, answer any) (err error) {
	defer func() { err = errors.Join(err, body.Close()) }()
	if err := json.NewDecoder(io.LimitReader(body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// send sends one request and returns the response, whose body is the answer and must be closed.
func (c *Client) send(ctx context.Context, method, path string, question any) (_ *http.Response, err error) {
	var body io.Reader = http.NoBody
	if question != nil {
		data, err := json.Marshal(question)
		if err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://furrow"+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.do(req)
}

// do is send for a request that is made already.
func (c *Client) do(req *http.Request) (_ *http.Response, err error) {
	resp, err := c.http.Do(req)
	if err != nil {
		// url.Error repeats method and invented address, which tell a person nothing.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return nil, fmt.Errorf("no running furrow serves %s: %w", c.dataDir, err)
	}
	if resp.StatusCode < http.StatusBadRequest {
		return resp, nil
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	refusal := new(Error)
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(refusal); err != nil || refusal.Message == "" {
		return nil, fmt.Errorf("the running furrow answered %s", resp.Status)
	}
	return nil, refusal
}
