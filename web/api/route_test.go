package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"furrow/web/access"
)

// TestWhoMayDoWhat walks every route for every role: those who may not are stopped before the action.
func TestWhoMayDoWhat(t *testing.T) {
	routes := Routes()
	if len(routes) < 60 {
		t.Fatalf("the table has %d routes only", len(routes))
	}
	for _, route := range routes {
		guarded := func(ctx context.Context) (status int, acted bool) {
			watched := route
			watched.serve = func(http.ResponseWriter, *http.Request) { acted = true }
			h := &handler{Config: Config{Log: slog.New(slog.DiscardHandler)}}
			recorder := httptest.NewRecorder()
			h.guard(&watched).ServeHTTP(recorder, httptest.NewRequestWithContext(ctx, route.Method, "/", nil))
			return recorder.Code, acted
		}
		name := route.Method + " " + route.Path
		if status, acted := guarded(t.Context()); acted != route.Open || (status == http.StatusUnauthorized) == acted {
			t.Errorf("%s by nobody: status %d, acted %v", name, status, acted)
		}
		for _, role := range access.TokenRoles() {
			want := route.Open || mayOf(role, &route)
			status, acted := guarded(access.WithActor(t.Context(), access.Actor{Name: "ann", Role: role}))
			if acted != want || (status == http.StatusForbidden) == want {
				t.Errorf("%s by %s: status %d, acted %v; want %v", name, role, status, acted, want)
			}
		}
		if status, acted := guarded(access.WithActor(t.Context(), access.Actor{Name: "ann", Role: "king"})); acted != route.Open || (status == http.StatusForbidden) == acted {
			t.Errorf("%s by an unknown role: status %d, acted %v", name, status, acted)
		}
	}
}

// mayOf says in other words than Role.May who may ask something.
func mayOf(role access.Role, route *Route) bool {
	if route.Own {
		return role != access.Metrics
	}
	switch reads := route.Method == "GET" || route.Reads; role {
	case access.Auditor:
		return reads && !route.Secret
	case access.Member:
		return route.Role == access.Member
	case access.Domain:
		return slices.Contains([]access.Role{access.Member, access.Domain}, route.Role)
	case access.Metrics:
		return route.Path == metricsPath
	default:
		return true
	}
}

func TestEveryRouteIsDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, route := range Routes() {
		name := route.Method + " " + route.Path
		if seen[name] || !strings.HasPrefix(route.Path, "/v1/") || route.Summary == "" || route.serve == nil ||
			slices.Contains(access.TokenRoles(), route.Role) == (route.Open || route.Own) || (route.Answer() == nil) == (route.content == "") ||
			(route.Method == "GET" && (route.Question() != nil || route.Reads)) {
			t.Errorf("%s: %+v", name, route)
		}
		seen[name] = true
	}
}

func TestInProcess(t *testing.T) {
	_, handler := serve(t)
	ann := NewClientOf(handler, access.Actor{Name: "ann", Role: access.Domain, Origin: access.Page})
	audit := NewClientOf(handler, access.Actor{Name: "zoe", Role: access.Auditor, Origin: access.Page})
	if _, err := ann.CreateDomain(t.Context(), NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	made, err := ann.CreateMember(t.Context(), NewMember{MemberDetails: MemberDetails{FullName: "Bo", Email: "bo@example.com"}, Domain: "Office"})
	if err != nil || made.ConfigurationCode == "" {
		t.Fatalf("%+v, %v", made, err)
	}
	if shown, err := audit.Member(t.Context(), made.GUID); err != nil || shown.FullName != "Bo" || shown.ConfigurationCode != "" {
		t.Errorf("the auditor sees %+v, %v", shown, err)
	}
	var refused *Error
	if _, err := audit.DisableMember(t.Context(), made.GUID); !errors.As(err, &refused) || refused.Code != "forbidden" {
		t.Errorf("the auditor disables: %v", err)
	}
	if _, err := ann.AcceptRecovery(t.Context()); !errors.As(err, &refused) || refused.Code != "forbidden" {
		t.Errorf("the domain administrator accepts: %v", err)
	}
}

// TestInProcessStreams shows that an answer comes as it is written, ends the handler when nobody reads on, and is not
// whole after a panic.
func TestInProcessStreams(t *testing.T) {
	ended := make(chan error, 1)
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		for err == nil {
			_, err = io.WriteString(w, "line\n")
		}
		ended <- errors.Join(err, r.Context().Err())
	})
	body, err := NewClientOf(endless, access.Actor{}).stream(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if line, err := io.ReadAll(io.LimitReader(body, 5)); err != nil || string(line) != "line\n" {
		t.Errorf("%q, %v", line, err)
	}
	if err := body.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, io.ErrClosedPipe) || !errors.Is(err, context.Canceled) {
		t.Errorf("the handler ended with %v", err)
	}
	half := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		panic(http.ErrAbortHandler)
	})
	body, err = NewClientOf(half, access.Actor{}).stream(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); err == nil || string(got) != "half" {
		t.Errorf("read %q, %v", got, err)
	}
	nothing := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("early") })
	if _, err := NewClientOf(nothing, access.Actor{}).Status(t.Context()); err == nil {
		t.Error("a panic is an answer")
	}
}
