package service

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"furrow/gms/directory"
	"furrow/gms/policy"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// remoteUser stands in for HTTP authentication: it believes any Basic login
// with the password "right".
func (b *box) remoteUser(answer http.Header, r *http.Request) (string, bool, error) {
	login, password, ok := r.BasicAuth()
	switch {
	case password == "broken":
		return "", false, errors.New("the directory of users is down")
	case !ok || password != "right":
		answer.Add("WWW-Authenticate", `Basic realm="Furrow"`)
		return "", false, nil
	}
	return login, true, nil
}

// sendAs posts a body to the authenticated path with credentials, or to the
// other path without.
func (b *box) sendAs(t testing.TB, path, login, password string, body []byte) (int, http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+path, bytes.NewReader(body))
	must(t, err)
	if login+password != "" {
		r.SetBasicAuth(login, password)
	}
	response, err := http.DefaultClient.Do(r)
	must(t, err)
	answer, err := io.ReadAll(response.Body)
	must(t, errors.Join(err, response.Body.Close()))
	return response.StatusCode, response.Header, answer
}

// askAs posts a request as a person who is authenticated and reads the
// response, which may be a fault.
func (b *box) askAs(t testing.TB, login, service string, body []byte) *soap.Response {
	t.Helper()
	status, _, answer := b.sendAs(t, "/autoactivate/GMS.dll/", login, "right", body)
	if status != http.StatusOK {
		t.Fatalf("%s: HTTP status %d", service, status)
	}
	messages, _ := spcm.LookupService(service)
	response, err := soap.DecodeResponse(answer, messages.ResponseLimit(), service, messages.Response)
	must(t, err)
	return response
}

// withLogin gives a member a login name of the test row.
func (b *box) withLogin(t testing.TB, m directory.Member, login string) directory.Member {
	t.Helper()
	m, err := b.directory.UpdateMember(t.Context(), m.GUID, func(d *directory.MemberDetails) { d.RemoteUser = login })
	must(t, err)
	return m
}

func autoAccountRequest(migration bool) []byte {
	return autoAccountEnvelope((&spcm.AutoAccountCodeConfiguration{
		GrooveVersion: "14,0,0,4006", Migration: migration, UserDeviceName: "FABRIKAM",
	}).Encode())
}

func autoAccountEnvelope(payload []byte) []byte {
	return envelope(spcm.ServiceAutoAccountCodeConfiguration, payload)
}

func (a *account) autoActivationRequest(t testing.TB) []byte {
	t.Helper()
	return a.request(t, spcm.ServiceAutoActivation, (&spcm.AutoActivation{AccountGUID: a.event.GUID}).Encode())
}

// authenticatedRow is a validation row of a service whose client is
// authenticated as login.
type authenticatedRow struct {
	section, name, service string
	request                func(t *testing.T, b *box, login string) []byte
	fault                  soap.Code
	text                   string // in the fault, "" for the published description
}

func autoAccountRows() []authenticatedRow {
	const service, section = spcm.ServiceAutoAccountCodeConfiguration, "3.2.5.2.1.2"
	at := func(name string, fault soap.Code, text string, migration bool, member func(t *testing.T, b *box, login string)) authenticatedRow {
		return authenticatedRow{section, name, service, func(t *testing.T, b *box, login string) []byte {
			member(t, b, login)
			return autoAccountRequest(migration)
		}, fault, text}
	}
	active := func(t *testing.T, b *box, login string) (directory.Member, *account) {
		m, a := b.active(t, "alice", aliceKey())
		return b.withLogin(t, m, login), a
	}
	rows := []authenticatedRow{
		at("no such member", 401, "Remote user ", false, func(*testing.T, *box, string) {}),
		at("member deleted", 401, "Remote user ", false, func(t *testing.T, b *box, login string) {
			deleted(t, b, b.withLogin(t, b.member(t, "Alice"), login), nil)
		}),
		at("member disabled", 401, "", false, func(t *testing.T, b *box, login string) {
			disabled(t, b, b.withLogin(t, b.member(t, "Alice"), login), nil)
		}),
		at("member active, migration", 402, "", true, func(t *testing.T, b *box, login string) {
			_, a := active(t, b, login)
			b.storeFragment(t, a, fragmentOf("one", 1, 1), "backup")
		}),
		at("member active, no backup", 225, "Remote member is already configured, no backups available", false,
			func(t *testing.T, b *box, login string) { active(t, b, login) }),
		at("member active, backup not complete", 225, "Remote member is already configured, no backups available", false,
			func(t *testing.T, b *box, login string) {
				_, a := active(t, b, login)
				b.storeFragment(t, a, fragmentOf("two", 1, 2), "first")
			}),
		at("member active, backup damaged", 226, "", false, func(t *testing.T, b *box, login string) {
			_, a := active(t, b, login)
			b.storeFragment(t, a, fragmentOf("one", 1, 1), "backup")
			names, err := filepath.Glob(filepath.Join(b.dir, "backups", "*"))
			must(t, err)
			for _, name := range names {
				must(t, os.WriteFile(name, []byte("what is this"), 0o600))
			}
		}),
	}
	for _, attr := range []string{"GrooveVersion", "IsDomainMemberMigration", "UserDeviceName"} {
		rows = append(rows, authenticatedRow{"2.2.3.9.1", attr + " missing", service, func(t *testing.T, b *box, login string) []byte {
			b.withLogin(t, b.member(t, "Alice"), login)
			payload := (&spcm.AutoAccountCodeConfiguration{GrooveVersion: "14"}).Encode()
			return autoAccountEnvelope(without(t, payload, attr))
		}, 204, "A required parameter was missing or invalid. PayloadWrapper/@" + attr})
	}
	return rows
}

func autoActivationRows() []authenticatedRow {
	const service, section = spcm.ServiceAutoActivation, "3.2.5.2.1.3"
	at := func(name string, fault soap.Code, member func(t *testing.T, b *box, login string)) authenticatedRow {
		return authenticatedRow{section, name, service, func(t *testing.T, b *box, login string) []byte {
			member(t, b, login)
			return b.created(t, "laptop", bobKey(), true).autoActivationRequest(t)
		}, fault, ""}
	}
	return []authenticatedRow{
		{section, "account unknown", service, func(t *testing.T, b *box, login string) []byte {
			b.withLogin(t, b.member(t, "Alice"), login)
			return b.account(t, "laptop", bobKey(), true).autoActivationRequest(t)
		}, 200, ""},
		{section, "domain unknown", service, func(t *testing.T, b *box, login string) []byte {
			b.withLogin(t, b.member(t, "Alice"), login)
			a := b.created(t, "laptop", bobKey(), true)
			a.event.DomainGUID = "other"
			return a.autoActivationRequest(t)
		}, 209, ""},
		at("no such member", 401, func(*testing.T, *box, string) {}),
		at("member of another domain", 401, func(t *testing.T, b *box, login string) {
			other, err := b.directory.CreateDomain(t.Context(), "Fabrikam"+b.cast, "")
			must(t, err)
			_, err = b.directory.CreateMember(t.Context(), other.GUID,
				directory.MemberDetails{FullName: "Bob", Email: "bob@example.com", RemoteUser: login})
			must(t, err)
		}),
		at("member deleted", 401, func(t *testing.T, b *box, login string) {
			deleted(t, b, b.withLogin(t, b.member(t, "Alice"), login), nil)
		}),
		at("member disabled", 402, func(t *testing.T, b *box, login string) {
			disabled(t, b, b.withLogin(t, b.member(t, "Alice"), login), nil)
		}),
		at("member active", 402, func(t *testing.T, b *box, login string) {
			m, _ := b.active(t, "alice", aliceKey())
			b.withLogin(t, m, login)
		}),
		{"2.2.3.11.1", "AccountGUID missing", service, func(t *testing.T, b *box, login string) []byte {
			b.withLogin(t, b.member(t, "Alice"), login)
			return b.created(t, "laptop", bobKey(), true).request(t, service, []byte("<AutoActivationRequest/>"))
		}, 204, "A required parameter was missing or invalid. AutoActivationRequest/@AccountGUID"},
	}
}

// TestAuthenticatedRows is TestRows for the services that ask who sends.
func TestAuthenticatedRows(t *testing.T) {
	b := newBox(t)
	for i, r := range append(autoAccountRows(), autoActivationRows()...) {
		t.Run(r.service+" "+r.section+" "+r.name, func(t *testing.T) {
			b.cast = string(rune('a' + i))
			login := `CONTOSO\` + b.cast
			request := r.request(t, b, strings.ToLower(login))
			before := b.sequence()
			response := b.askAs(t, login, r.service, request)
			if response.Fault == nil || response.Fault.Code != r.fault {
				t.Fatalf("fault %v, want %d", response.Fault, r.fault)
			}
			text := r.text
			if text == "" {
				text = r.fault.String()
			}
			if !strings.HasPrefix(response.Fault.Text, text) {
				t.Errorf("fault says %q, want %q", response.Fault.Text, text)
			}
			if after := b.sequence(); after != before {
				t.Errorf("the refused request made %d changes", after-before)
			}
		})
	}
}

// TestUnauthenticated sends what only the right person may ask without telling
// who sends it.
func TestUnauthenticated(t *testing.T) {
	b := newBox(t)
	b.withLogin(t, b.member(t, "Alice"), "alice")
	laptop := b.created(t, "laptop", bobKey(), true)
	open := newBox(t) // asks nobody
	open.server.remoteUser = nil
	open.withLogin(t, open.member(t, "Alice"), "alice")
	openLaptop := open.created(t, "laptop", bobKey(), true)
	for _, tt := range []struct {
		name, path, login, password string
		box                         *box
		status                      int
		autoAccount, autoActivation soap.Code
	}{
		{"no credentials", pathAutomatic, "", "", b, 401, 221, 221},
		{"wrong password", pathAutomatic, "alice", "wrong", b, 401, 221, 221},
		{"nobody can tell", pathAutomatic, "alice", "broken", b, 200, 203, 203},
		{"empty login", pathAutomatic, "", "right", b, 200, 222, 222},
		{"path without authentication", pathServices, "alice", "right", b, 200, 227, 401},
		{"server without authentication", pathAutomatic, "alice", "right", open, 200, 227, 401},
	} {
		device := laptop
		if tt.box == open {
			device = openLaptop
		}
		for service, ask := range map[string]struct {
			body []byte
			want soap.Code
		}{
			spcm.ServiceAutoAccountCodeConfiguration: {autoAccountRequest(false), tt.autoAccount},
			spcm.ServiceAutoActivation:               {device.autoActivationRequest(t), tt.autoActivation},
		} {
			status, header, answer := tt.box.sendAs(t, tt.path, tt.login, tt.password, ask.body)
			r, err := soap.DecodeResponse(answer, len(answer), service, soap.Response2)
			must(t, err)
			if status != tt.status || r.Fault == nil || r.Fault.Code != ask.want {
				t.Errorf("%s, %s: HTTP status %d, fault %v; want %d, %d", tt.name, service, status, r.Fault, tt.status, ask.want)
			}
			if challenged := header.Get("WWW-Authenticate") != ""; challenged != (status == http.StatusUnauthorized) {
				t.Errorf("%s, %s: status %d, WWW-Authenticate %q", tt.name, service, status, header["Www-Authenticate"])
			}
		}
	}
	// Other services ask for no credentials, on either path.
	status, _, _ := b.sendAs(t, pathAutomatic, "", "", b.account(t, "phone", bobKey(), true).createRequest(t))
	if status != http.StatusOK {
		t.Errorf("CreateAccount: HTTP status %d", status)
	}
}

// TestAutoAccountCodeConfiguration sets up the account of a pending member, and
// restores it once the member is active.
func TestAutoAccountCodeConfiguration(t *testing.T) {
	b := newBox(t)
	member, alice := b.installed(t, "alice", aliceKey())
	b.withLogin(t, member, `CONTOSO\alice`)
	configure := func(migration bool) *spcm.AutoAccountCodeConfigurationResponse {
		t.Helper()
		before := b.sequence()
		r := b.askAs(t, `contoso\ALICE`, spcm.ServiceAutoAccountCodeConfiguration, autoAccountRequest(migration))
		if r.Fault != nil {
			t.Fatal(r.Fault)
		}
		response, err := spcm.DecodeAutoAccountCodeConfigurationResponse(r.Payload)
		must(t, err)
		if after := b.sequence(); after != before {
			t.Errorf("%d changes", after-before)
		}
		return response
	}
	for _, migration := range []bool{false, true} {
		got := configure(migration).Activation
		if got == nil || got.ActivationKey != b.code(t, member) || got.ServerURL != testServerURL || got.Domain.GUID != b.domain.GUID {
			t.Fatalf("activation is %+v", got)
		}
		b.checkObjects(t, got.Objects, []policy.Type{
			policy.TypeIdentity, policy.TypeIdentityPolicy, policy.TypeDomainTrust, policy.TypeDataRecovery})
	}
	code := b.code(t, member)
	b.succeed(t, spcm.ServiceDomainEnrollment,
		codeRequest(t, spcm.ServiceDomainEnrollment, code, alice.enrollmentOf(t, code).Encode()))
	b.storeFragment(t, alice, fragmentOf("two", 1, 2), "first,")
	b.storeFragment(t, alice, fragmentOf("two", 2, 2), "second")
	want := &spcm.AutoAccountCodeConfigurationResponse{Backup: [][]byte{[]byte("first,"), []byte("second")}}
	if got := configure(false); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want the two fragments", got)
	}
	if log := b.log.String(); !strings.Contains(log, `"restored":true`) || strings.Contains(log, code) {
		t.Error("the log does not tell of the restored account, or tells the code")
	}
}

// TestAutoActivation gives the person at a managed device their code.
func TestAutoActivation(t *testing.T) {
	b := newBox(t)
	member := b.withLogin(t, b.member(t, "Alice"), "alice@EXAMPLE.COM")
	laptop := b.created(t, "laptop", bobKey(), true)
	before := b.sequence()
	r := b.askAs(t, "Alice@example.com", spcm.ServiceAutoActivation, laptop.autoActivationRequest(t))
	response, err := spcm.DecodeAutoActivationResponse(laptop.open(t, r, soap.WrapperReturnPayload))
	must(t, err)
	if response.ActivationKey != b.code(t, member) {
		t.Error("the code is not the member's")
	}
	if after := b.sequence(); after != before {
		t.Errorf("%d changes", after-before)
	}
}
