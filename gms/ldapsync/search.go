package ldapsync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// SearchLDAP reads all people of a source from its directory server, page by page (RFC 2696). It is the Search of a
// Syncer unless that is given another one. Referrals are ignored: who is elsewhere is another source. A list that the
// server cut short for any reason is an error.
func SearchLDAP(ctx context.Context, s Source) ([]Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, searchTimeout)
	defer cancel()
	entries, err := searchLDAP(ctx, &s)
	if cause := ctx.Err(); err != nil && cause != nil {
		err = fmt.Errorf("%w: %w", cause, err)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the directory server: %w", err)
	}
	return entries, nil
}

func searchLDAP(ctx context.Context, s *Source) ([]Entry, error) {
	conn, end, err := connect(ctx, s)
	if err != nil {
		return nil, err
	}
	defer end()
	conn.SetTimeout(requestTimeout)

	attributes := s.asked()
	disabled := map[string]bool{}
	if s.DisabledWhen != "" {
		filter := "(&" + s.Filter + s.DisabledWhen + ")"
		err := pages(conn, s, filter, []string{s.Key}, func(e *ldap.Entry) { disabled[s.entry(e, nil).Key] = true })
		if err != nil {
			return nil, fmt.Errorf("entries that are disabled: %w", err)
		}
	}
	var entries []Entry
	err = pages(conn, s, s.Filter, attributes, func(found *ldap.Entry) {
		e := s.entry(found, attributes)
		e.Disabled = disabled[e.Key] && e.Key != "" || s.Schema == ActiveDirectory && e.accountDisabled()
		entries = append(entries, e)
	})
	return entries, err
}

// asked are the attributes that are asked for.
func (s *Source) asked() []string {
	attributes := []string{s.Key}
	if s.Schema == ActiveDirectory {
		attributes = append(attributes, userAccountControl)
	}
	for _, from := range s.mapping() {
		attributes = append(attributes, from...)
	}
	slices.Sort(attributes)
	return slices.Compact(attributes)
}

func (s Scope) code() int {
	switch s {
	case ScopeBase:
		return ldap.ScopeBaseObject
	case ScopeOne:
		return ldap.ScopeSingleLevel
	}
	return ldap.ScopeWholeSubtree
}

// pages calls visit for all entries that a filter finds, or fails.
func pages(conn *ldap.Conn, s *Source, filter string, attributes []string, visit func(*ldap.Entry)) error {
	paging := ldap.NewControlPaging(uint32(s.PageSize))
	request := ldap.NewSearchRequest(
		s.Base, s.Scope.code(), ldap.NeverDerefAliases, 0, 0, false, filter, attributes, []ldap.Control{paging})
	for seen := 0; ; {
		result, err := conn.Search(request)
		if err != nil {
			return explain(err)
		}
		if seen += len(result.Entries); seen > maxEntries {
			return fmt.Errorf("there are more than %d; the filter is too wide", maxEntries)
		}
		for _, e := range result.Entries {
			visit(e)
		}
		// A server that knows no pages sends everything at once, and no control.
		next, ok := ldap.FindControl(result.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok || len(next.Cookie) == 0 {
			return nil
		}
		paging.SetCookie(next.Cookie)
	}
}

// explain says what an administrator can do about what servers answer.
func explain(err error) error {
	for code, words := range map[uint16]string{
		ldap.LDAPResultSizeLimitExceeded:  "the server gives this account only a part of the list; raise its size limit",
		ldap.LDAPResultTimeLimitExceeded:  "the server stops searching before it has found all; raise its time limit or narrow the filter",
		ldap.LDAPResultAdminLimitExceeded: "the server gives only a part of the list; raise its limits",
		ldap.LDAPResultNoSuchObject:       "there is no such base, or the account may not see it",
		ldap.LDAPResultReferral:           "the base is on another server",
		ldap.LDAPResultOperationsError:    "the server wants an account",
	} {
		if ldap.IsErrorWithCode(err, code) {
			return fmt.Errorf("%s: %w", words, err)
		}
	}
	return err
}

// entry takes of what the server sent only what was asked for, whatever it sent.
func (s *Source) entry(found *ldap.Entry, attributes []string) Entry {
	e := Entry{DN: found.DN[:min(len(found.DN), maxValue)], Attributes: map[string][]string{}}
	wanted := maps.Collect(func(yield func(string, bool) bool) {
		for _, name := range attributes {
			if !yield(strings.ToLower(name), true) {
				return
			}
		}
	})
	for _, attribute := range found.Attributes {
		name := strings.ToLower(attribute.Name)
		if name == strings.ToLower(s.Key) && len(attribute.ByteValues) == 1 {
			e.Key = keyOf(attribute.ByteValues[0])
		}
		if !wanted[name] {
			continue
		}
		for _, value := range attribute.Values[:min(len(attribute.Values), maxValues)] {
			// One octet more than is allowed is enough to see that it is too long.
			e.Attributes[name] = append(e.Attributes[name], strings.Clone(value[:min(len(value), maxValue+1)]))
		}
	}
	return e
}
