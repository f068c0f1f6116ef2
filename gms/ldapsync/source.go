package ldapsync

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"furrow/appliance/setting"
	"furrow/appliance/state"
)

const (
	// maxSources bounds the sources: hosters have one for each customer.
	maxSources = 100
	// maxServers bounds the servers of a source, which are copies of each other.
	maxServers = 8
	// maxSetting bounds each setting, in octets; PEM certificates are the longest.
	maxSetting = 64 << 10
	// maxIntervalMinutes is four weeks: who wants it rarer syncs by hand.
	maxIntervalMinutes = 4 * 7 * 24 * 60
	// maxPage bounds the entries asked for at once; Active Directory gives no more than 1000.
	maxPage = 1000

	defaultDisablePercent = 20
	defaultPage           = 500
)

// Scope is how far below the base is searched.
type Scope string

// The scopes of RFC 4511 4.5.1.2.
const (
	ScopeBase Scope = "base"
	ScopeOne  Scope = "one"
	ScopeSub  Scope = "sub"
)

// Source is a directory server and what of it becomes members of a domain.
type Source struct {
	// Name identifies the source: 1 to 32 of a-z, 0-9 and -.
	Name string `json:"name"`
	// Servers are URLs, ldaps://host or ldap://host with an optional port. The first one that answers is used.
	Servers []string `json:"servers"`
	// Plain lets the password and the people travel in the clear. Without it ldap:// is turned to TLS by StartTLS
	// before anything is said.
	Plain bool `json:"plain,omitempty"`
	// Authority is PEM certificates to trust instead of those of the system.
	Authority string `json:"authority,omitempty"`
	// BindDN and Password are those of the account that reads; empty to read anonymously.
	BindDN   string `json:"bindDN,omitempty"`
	Password string `json:"-"`
	// Base, Filter and Scope say which entries are people. Empty Filter and Scope are the defaults of Schema.
	Base   string `json:"base"`
	Filter string `json:"filter"`
	Scope  Scope  `json:"scope"`
	// Schema sets the defaults of Filter, Key and Attributes.
	Schema Schema `json:"schema"`
	// Key is the attribute that identifies an entry for ever.
	Key string `json:"key"`
	// Attributes names, for a field of members, the attributes that it is taken from, the first that has a value. It
	// stands before the defaults of Schema, field by field; a field with no attributes is not taken from the directory.
	Attributes map[string][]string `json:"attributes,omitempty"`
	// DisabledWhen is a filter for entries whose members are to be disabled. For ActiveDirectory that an account is
	// disabled is seen without it.
	DisabledWhen string `json:"disabledWhen,omitempty"`
	// Domain is the GUID of the domain whose members they become.
	Domain string `json:"domainGUID"`
	// Group is the GUID of the group that new members are put into, and merged ones that are in none; empty for none.
	// Whom an administrator moves elsewhere stays there.
	Group string `json:"groupGUID,omitempty"`
	// MaxDisablePercent is how many of the members that come from the source a sync may disable, see
	// disablesTooMany; 0 is 20.
	MaxDisablePercent int `json:"maxDisablePercent"`
	// IntervalMinutes is the time between scheduled syncs; 0 is none.
	IntervalMinutes int `json:"intervalMinutes"`
	// PageSize is how many entries are asked for at once; 0 is 500.
	PageSize int `json:"pageSize"`
	// Changed is when these settings changed last.
	Changed time.Time `json:"changed,omitzero"`
}

func (s *Source) interval() time.Duration { return time.Duration(s.IntervalMinutes) * time.Minute }

// sourceRow is a Source with the password sealed.
type sourceRow struct {
	Source
	SealedPassword []byte `json:"sealedPassword,omitempty"`
	// Stamp is that of the last change.
	Stamp int64 `json:"stamp"`
}

var (
	// ErrInvalid is wrapped by refusals of settings, whose text is for a person.
	ErrInvalid = errors.New("invalid")
	// ErrUnknown says that there is no source or report with that name.
	ErrUnknown = errors.New("not found")
	// ErrBusy says that a sync is running.
	ErrBusy = errors.New("a sync is running")
)

func invalid(field, format string, args ...any) error {
	return setting.Refuse(ErrInvalid, field, format, args...)
}

func passwordPurpose(source string) string { return "ldap password/" + source }

// complete sets what was left to defaults and checks everything.
func (s *Source) complete() error {
	s.Schema = cmp.Or(s.Schema, ActiveDirectory)
	defaults, ok := schemas()[s.Schema]
	if !ok {
		return invalid("schema", "%q is none of ad, openldap", s.Schema)
	}
	s.Filter, s.Key = cmp.Or(s.Filter, defaults.filter), cmp.Or(s.Key, defaults.key)
	s.Scope = cmp.Or(s.Scope, ScopeSub)
	s.MaxDisablePercent = cmp.Or(s.MaxDisablePercent, defaultDisablePercent)
	s.PageSize = cmp.Or(s.PageSize, defaultPage)

	if !regexp.MustCompile(`^[a-z0-9-]{1,32}$`).MatchString(s.Name) {
		return invalid("name", "must be 1 to 32 of a-z, 0-9 and -")
	}
	for _, text := range []string{s.Authority, s.BindDN, s.Password, s.Base, s.Filter, s.DisabledWhen} {
		if len(text) > maxSetting {
			return invalid("setting", "is longer than %d octets", maxSetting)
		}
	}
	for _, number := range []struct {
		name              string
		value, low, above int
	}{
		{"maxDisablePercent", s.MaxDisablePercent, 1, 101},
		{"intervalMinutes", s.IntervalMinutes, 0, maxIntervalMinutes + 1},
		{"pageSize", s.PageSize, 1, maxPage + 1},
	} {
		if number.value < number.low || number.value >= number.above {
			return invalid(number.name, "must be %d to %d", number.low, number.above-1)
		}
	}
	return cmp.Or(s.checkServers(), s.checkSearch(), s.checkAttributes())
}

func (s *Source) checkServers() error {
	if len(s.Servers) == 0 || len(s.Servers) > maxServers {
		return invalid("servers", "must be 1 to %d", maxServers)
	}
	for _, server := range s.Servers {
		u, err := url.Parse(server)
		if err != nil || u.Hostname() == "" || u.Scheme != "ldap" && u.Scheme != "ldaps" || strings.Trim(u.Path, "/") != "" ||
			u.User != nil || u.RawQuery != "" || len(server) > maxSetting {
			return invalid("servers", "%.200q is not ldaps://host or ldap://host", server)
		}
	}
	if s.Authority != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(s.Authority)) {
		return invalid("authority", "holds no certificate in PEM")
	}
	if s.Password != "" && s.BindDN == "" {
		return invalid("bindDN", "is missing")
	}
	return nil
}

func (s *Source) checkSearch() error {
	if s.Base == "" {
		return invalid("base", "is missing")
	}
	if _, err := ldap.ParseDN(s.Base); err != nil {
		return invalid("base", "is not a distinguished name: %v", err)
	}
	if s.Scope != ScopeBase && s.Scope != ScopeOne && s.Scope != ScopeSub {
		return invalid("scope", "%q is none of base, one, sub", s.Scope)
	}
	if _, err := ldap.CompileFilter(s.Filter); err != nil {
		return invalid("filter", "is not understood: %v", err)
	}
	if s.DisabledWhen == "" {
		return nil
	}
	if _, err := ldap.CompileFilter(s.DisabledWhen); err != nil {
		return invalid("disabledWhen", "is not understood: %v", err)
	}
	return nil
}

// Sources returns all sources, without their passwords, in order of their names.
func (y *Syncer) Sources() []Source {
	sources := []Source{}
	for row := range y.Tables.sources.All(y.Store.Snapshot()) {
		sources = append(sources, row.Source)
	}
	return sources
}

// Source returns a source without its password, or ErrUnknown.
func (y *Syncer) Source(name string) (Source, error) {
	row, err := y.sourceAt(y.Store.Snapshot(), name)
	return row.Source, err
}

func (y *Syncer) sourceAt(r state.Reader, name string) (sourceRow, error) {
	row, ok := y.Tables.sources.Get(r, name)
	if !ok {
		return sourceRow{}, fmt.Errorf("LDAP source %.100q: %w", name, ErrUnknown)
	}
	return row, nil
}

// Set makes or changes a source. An empty Password keeps the one that is there if servers, their protection and BindDN
// stay: it is never sent to another server than it was given for. Domain may be a name and Group a path of names. The domain of a source that has made members stays.
func (y *Syncer) Set(ctx context.Context, s Source) (Source, error) {
	if err := s.complete(); err != nil {
		return Source{}, err
	}
	d, err := y.Directory.FindDomain(s.Domain)
	if err != nil {
		return Source{}, err
	}
	row := sourceRow{Source: s}
	row.Domain, row.Changed = d.GUID, y.Now().UTC()
	if s.Group != "" {
		g, err := y.Directory.FindGroup(d.GUID, s.Group)
		if err != nil {
			return Source{}, err
		}
		row.Group = g.GUID
	}
	if s.Password != "" {
		if row.SealedPassword, err = y.Vault.Seal(passwordPurpose(s.Name), []byte(s.Password)); err != nil {
			return Source{}, fmt.Errorf("LDAP source %s: %w", s.Name, err)
		}
	}
	err = y.Store.Update(ctx, func(tx *state.Tx) error {
		old, there := y.Tables.sources.Get(tx, s.Name)
		switch {
		case !there && y.Tables.sources.Len(tx) >= maxSources:
			return invalid("name", "would be one of more than %d sources", maxSources)
		case there && old.Domain != row.Domain && y.hasLinks(tx, s.Name):
			return invalid("domain", "cannot change for a source that has members; remove the source first")
		}
		if s.BindDN != "" && s.Password == "" {
			if !there || !old.sameAccount(&s) {
				return invalid("password", "is missing: servers, their protection or the account are new")
			}
			row.SealedPassword = old.SealedPassword
		}
		row.Stamp = tx.NextStamp(y.Now()).UnixMilli()
		return y.Tables.sources.Put(tx, row)
	})
	if err != nil {
		return Source{}, fmt.Errorf("LDAP source %s: %w", s.Name, err)
	}
	y.Log.Info("LDAP source set", "source", s.Name, "domain", row.Domain)
	y.nudge()
	return row.Source, nil
}

// sameAccount reports whether the password of s would be sent to no one who does not get that of r.
func (r *sourceRow) sameAccount(s *Source) bool {
	return slices.Equal(r.Servers, s.Servers) && r.Plain == s.Plain && r.Authority == s.Authority && r.BindDN == s.BindDN
}

func (y *Syncer) hasLinks(r state.Reader, source string) bool {
	for range y.Tables.links.Range(r, below(source), beyond(source)) {
		return true
	}
	return false
}

// Remove ends a source. Its members stay as they are, as if made by hand; its reports go.
func (y *Syncer) Remove(ctx context.Context, name string) (Source, error) {
	var row sourceRow
	err := y.Store.Update(ctx, func(tx *state.Tx) (err error) {
		if row, err = y.sourceAt(tx, name); err != nil {
			return err
		}
		y.Tables.sources.Delete(tx, name)
		for l := range y.Tables.links.Range(tx, below(name), beyond(name)) {
			y.Tables.links.Delete(tx, below(name)+l.Key)
		}
		for r := range y.Tables.reports.Range(tx, below(name), beyond(name)) {
			y.Tables.reports.Delete(tx, below(name)+r.ID)
		}
		return nil
	})
	if err != nil {
		return Source{}, err
	}
	y.Log.Info("LDAP source removed", "source", name)
	y.nudge()
	return row.Source, nil
}

// account is a source with its password, and the stamp of its settings.
func (y *Syncer) account(name string) (Source, int64, error) {
	row, err := y.sourceAt(y.Store.Snapshot(), name)
	if err != nil {
		return Source{}, 0, err
	}
	if row.SealedPassword != nil {
		password, err := y.Vault.Open(passwordPurpose(name), row.SealedPassword)
		if err != nil {
			return Source{}, 0, fmt.Errorf("opening the password of LDAP source %s: %w", name, err)
		}
		row.Password = string(password)
	}
	return row.Source, row.Stamp, nil
}

// nudge lets Run look at the sources.
func (y *Syncer) nudge() {
	select {
	case y.wake <- struct{}{}:
	default: // it is about to look
	}
}
