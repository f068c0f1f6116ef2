package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"furrow/appliance/host"
	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/web/access"
	"furrow/web/boxtest"
	"furrow/web/metrics"
)

// serve runs the interface on the admin socket of a new data directory and returns a client of it.
func serve(t *testing.T) (*Client, http.Handler) {
	t.Helper()
	client, handler, _ := serveAccess(t)
	return client, handler
}

// serveAccess is serve for tests that act as an administrator does.
func serveAccess(t *testing.T) (*Client, http.Handler, *access.Control) {
	t.Helper()
	client, handler, box := serveBox(t)
	return client, handler, box.Access
}

// serveBox is serve for tests that act on the box's parts.
func serveBox(t *testing.T) (*Client, http.Handler, *boxtest.Parts) {
	t.Helper()
	box := boxtest.New(t, time.Now)
	handler := conforming(t, NewHandler(Config{
		Actions: box.Actions, Alerts: box.Alerts, Backup: box.Backup, Directory: box.Directory, Store: box.Store,
		Recovery: box.Recovery, Version: "test", Log: box.Log, Listeners: map[string]string{}, Access: box.Access,
		Audit: box.Audit, Statistics: box.Statistics, Mail: box.Mail, Invitations: box.Invitations, LDAP: box.LDAP,
		DataDir: box.Dir, Started: time.Now(), Now: time.Now,
		Checkup: box.Checkup, RecentLog: box.RecentLog, TLS: box.TLS, Machine: box.Machine,
		Metrics: metrics.NewHandler(box.Measured(), metrics.NewRequests()),
	}))
	listener, err := host.ListenUnix(filepath.Join(box.Dir, SocketName))
	if err != nil {
		t.Fatal(err)
	}
	root := access.Actor{Name: "root", Role: access.Server, Origin: access.CommandLine}
	server := &http.Server{Handler: handler, BaseContext: func(net.Listener) context.Context {
		return access.WithActor(context.Background(), root)
	}}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	client := NewClient(box.Dir)
	t.Cleanup(func() {
		client.Close()
		err := server.Close()
		if served := <-ended; !errors.Is(served, http.ErrServerClosed) {
			err = errors.Join(err, served)
		}
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return client, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, known := access.ActorOf(r.Context()); !known {
			r = r.WithContext(access.WithActor(r.Context(), root))
		}
		handler.ServeHTTP(w, r)
	}), box
}

func TestClientAndServer(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()

	domain, err := client.CreateDomain(ctx, NewDomain{Name: "Büro Köln / 1", Organization: "Contoso"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.ParseCertificate(domain.Certificate); err != nil {
		t.Errorf("certificate of the domain: %v", err)
	}
	if byName, err := client.Domain(ctx, "BÜRO KÖLN / 1"); err != nil || byName.GUID != domain.GUID {
		t.Errorf("by name: %+v, %v", byName, err)
	}
	if byGUID, err := client.Domain(ctx, domain.GUID); err != nil || byGUID.Name != domain.Name {
		t.Errorf("by GUID: %+v, %v", byGUID, err)
	}

	details := MemberDetails{
		FullName: "Ann Smith", Email: "ann@example.com", FirstName: "Ann", LastName: "Smith", Login: "ann",
		Organization: "Contoso", Title: "Surveyor", Street1: "Main Street 1", Street2: "Backyard", City: "Köln",
		State: "NRW", PostalCode: "50667", Country: "Germany", Phone: "+49 221 1", Cell: "+49 171 1", Fax: "+49 221 2",
	}
	member, err := client.CreateMember(ctx, NewMember{Domain: domain.Name, MemberDetails: details})
	if err != nil {
		t.Fatal(err)
	}
	if member.MemberDetails != details || member.Status != "pending" || member.ConfigurationCode == "" ||
		member.Domain != domain.Name || member.DomainGUID != domain.GUID {
		t.Errorf("created %+v", member)
	}
	if shown, err := client.Member(ctx, member.GUID); err != nil || shown != member {
		t.Errorf("shown %+v, %v", shown, err)
	}
	for _, step := range []struct {
		act  func(context.Context, string) (Member, error)
		want string
	}{
		{client.DisableMember, "disabled"},
		{client.EnableMember, "pending"},
		{client.DeleteMember, "deleted"},
	} {
		if changed, err := step.act(ctx, member.GUID); err != nil || changed.Status != step.want {
			t.Errorf("status %s, %v; want %s", changed.Status, err, step.want)
		}
	}
	if members, err := client.Members(ctx, domain.Name); err != nil || len(members) != 1 {
		t.Errorf("members of the domain: %+v, %v", members, err)
	}
	if members, err := client.Members(ctx, ""); err != nil || len(members) != 1 {
		t.Errorf("all members: %+v, %v", members, err)
	}
	if status, err := client.Status(ctx); err != nil || status.Domains != 1 || status.Members != 1 || status.Version != "test" || status.Recovery != nil {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestDeleteDomain(t *testing.T) {
	client, handler := serve(t)
	ctx := t.Context()
	for _, domain := range []NewDomain{{Name: "Office"}, {Name: "Self-test", Hidden: true}} {
		made, err := client.CreateDomain(ctx, domain)
		if err != nil || made.Hidden != domain.Hidden {
			t.Fatalf("created %+v, %v", made, err)
		}
		if _, err := client.CreateMember(ctx, NewMember{
			Domain: domain.Name, MemberDetails: MemberDetails{FullName: "Ann", Email: "ann@example.com"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	names := func(domains []Domain, err error) (names []string) {
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range domains {
			names = append(names, d.Name)
		}
		return names
	}
	want := func(what string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("domains", names(client.Domains(ctx)), "Office")
	want("all domains", names(client.AllDomains(ctx)), "Office", "Self-test")
	if sets, err := client.RelaySets(ctx, ""); err != nil || len(sets) != 1 {
		t.Errorf("relay sets %+v, %v", sets, err)
	}
	if status, err := client.Status(ctx); err != nil || status.Domains != 1 || status.Members != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
	for _, name := range []string{"Office", "Self-test"} {
		var refused *Error
		if _, err := client.DeleteDomain(ctx, name, false); !errors.As(err, &refused) || refused.Code != "conflict" {
			t.Errorf("deleting %s with its member: %v", name, err)
		}
		if deleted, err := client.DeleteDomain(ctx, name, true); err != nil || deleted.Deleted.IsZero() {
			t.Errorf("deleting %s: %+v, %v", name, deleted, err)
		}
	}
	want("domains after", names(client.Domains(ctx)))
	want("all domains after", names(client.AllDomains(ctx)), "Office")
	if members, err := client.Members(ctx, ""); err != nil || len(members) != 0 {
		t.Errorf("members %+v, %v", members, err)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/v1/domains?all=perhaps", nil))
	if recorder.Code != http.StatusBadRequest {
		t.Errorf("all=perhaps: status %d", recorder.Code)
	}
}

func TestRefusals(t *testing.T) {
	client, handler := serve(t)
	if _, err := client.CreateDomain(t.Context(), NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"name taken":        {"POST", "/v1/domains", `{"name":"office"}`, 409, `"code":"conflict"`},
		"empty name":        {"POST", "/v1/domains", `{"name":""}`, 400, `"field":"name"`},
		"unknown attribute": {"POST", "/v1/domains", `{"nmae":"x"}`, 400, `nmae`},
		"two values":        {"POST", "/v1/domains", `{"name":"x"}{"name":"y"}`, 400, `"code":"invalid"`},
		"no JSON":           {"POST", "/v1/domains", `name=x`, 400, `"code":"invalid"`},
		"too much":          {"POST", "/v1/domains", `{"name":"` + strings.Repeat("x", maxQuestion) + `"}`, 400, `"code":"invalid"`},
		"no domain":         {"POST", "/v1/members", `{"domain":"none","fullName":"A","email":"a@b.c"}`, 404, `"code":"notFound"`},
		"bad e-mail":        {"POST", "/v1/members", `{"domain":"office","fullName":"A","email":"a"}`, 400, `"field":"email"`},
		"no member":         {"GET", "/v1/members/x", "", 404, `"code":"notFound"`},
		"no resource":       {"GET", "/v2", "", 404, `"code":"notFound"`},
		"nothing to accept": {"POST", "/v1/recovery/accept", "", 409, `"code":"conflict"`},
	} {
		t.Run(name, func(t *testing.T) {
			recorder := httptest.NewRecorder()
			handler.ServeHTTP(recorder, httptest.NewRequest(test.method, test.path, strings.NewReader(test.body)))
			if recorder.Code != test.status || !strings.Contains(recorder.Body.String(), test.want) {
				t.Errorf("status %d, %s; want %d and %s", recorder.Code, recorder.Body, test.status, test.want)
			}
		})
	}
}

func TestUnknownErrorsStayInside(t *testing.T) {
	status, refusal := refuse(errors.New("secret detail"))
	if status != http.StatusInternalServerError || refusal.Code != "internal" || strings.Contains(refusal.Message, "secret") {
		t.Fatalf("status %d, %+v", status, refusal)
	}
	for _, kind := range []error{state.ErrRecovery, state.ErrFull, state.ErrFailed, io.ErrUnexpectedEOF} {
		if status, _ := refuse(kind); status < http.StatusInternalServerError {
			t.Errorf("%v is answered with %d, want a fault of the server", kind, status)
		}
	}
}
