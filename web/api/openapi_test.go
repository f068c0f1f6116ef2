package api

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"furrow/web/access"
)

// document is the OpenAPI document as a program reads it.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	text, err := json.Marshal(openAPI(Routes(), "test"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return doc
}

// conforming returns handler with every question that it takes and every answer that it gives held against the OpenAPI
// document.
func conforming(t *testing.T, handler http.Handler) http.Handler {
	doc := document(t)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		question, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(question))
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		if _, path, known := strings.Cut(r.Pattern, " "); known {
			item := doc.Paths.Value(path)
			route := &routers.Route{Spec: doc, Path: path, PathItem: item, Method: r.Method, Operation: item.GetOperation(r.Method)}
			conform(t, route, r, question, recorder)
		}
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		if _, err := w.Write(recorder.Body.Bytes()); err != nil {
			t.Error(err)
		}
	})
}

func conform(t *testing.T, route *routers.Route, r *http.Request, question []byte, recorder *httptest.ResponseRecorder) {
	t.Helper()
	parameters := map[string]string{}
	for _, p := range route.Operation.Parameters {
		if p.Value.In == openapi3.ParameterInPath {
			parameters[p.Value.Name] = r.PathValue(p.Value.Name)
		}
	}
	known := route.Operation.Parameters
	for name := range r.URL.Query() {
		if known.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			t.Errorf("%s %s: the parameter %s is not described", r.Method, route.Path, name)
		}
	}
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		// Streams have no schema.
		ExcludeResponseBody: recorder.Header().Get("Content-Type") != "application/json",
	}
	asked := r.Clone(r.Context())
	asked.Body = io.NopCloser(bytes.NewReader(question))
	asked.Header.Set("Content-Type", "application/json")
	request := &openapi3filter.RequestValidationInput{Request: asked, PathParams: parameters, Route: route, Options: options}
	if err := openapi3filter.ValidateRequest(r.Context(), request); err != nil && recorder.Code < http.StatusBadRequest {
		t.Errorf("%s %s: the question %s does not fit: %v", r.Method, route.Path, question, err)
	}
	err := openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: recorder.Code, Header: recorder.Header(),
		Body: io.NopCloser(bytes.NewReader(recorder.Body.Bytes())), Options: options,
	})
	if err != nil {
		t.Errorf("%s %s: the answer %s does not fit: %v", r.Method, route.Path, recorder.Body, err)
	}
}

func TestOpenAPI(t *testing.T) {
	doc := document(t)
	described := 0
	for _, item := range doc.Paths.Map() {
		described += len(item.Operations())
	}
	if routes := Routes(); described != len(routes) {
		t.Errorf("%d operations for %d routes", described, len(routes))
	}
	_, handler := serve(t)
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest("GET", "/v1/openapi.json", nil))
	if _, err := openapi3.NewLoader().LoadFromData(recorder.Body.Bytes()); err != nil || recorder.Code != http.StatusOK {
		t.Errorf("served: %d, %v", recorder.Code, err)
	}
	// The document says what the types do.
	member := doc.Components.Schemas["Member"].Value
	for _, name := range []string{"guid", "fullName", "configurationCode", "policy"} {
		if member.Properties[name] == nil {
			t.Errorf("a member has no %s", name)
		}
	}
	if strings.Contains(strings.Join(member.Required, " "), "lastBackup") {
		t.Error("every member has a backup")
	}
	if q := doc.Components.Schemas["NewMember.question"].Value; len(q.Required) != 0 || q.AdditionalProperties.Has == nil || *q.AdditionalProperties.Has {
		t.Errorf("a question may have any attribute, or must have %v", q.Required)
	}
	operation := doc.Paths.Value("/v1/members/{guid}/backup").Get
	if operation.Description != "For the roles server, domain, member." || operation.Responses.Value("200").Value.Content["application/octet-stream"] == nil {
		t.Errorf("%+v", operation)
	}
}

// TestAnswersConform asks everything that can be asked without saying which. serve holds the answers against the
// document.
func TestAnswersConform(t *testing.T) {
	client, handler := serve(t)
	if _, err := client.CreateDomain(t.Context(), NewDomain{Name: "Office"}); err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, route := range Routes() {
		if route.Method != http.MethodGet || strings.Contains(route.Path, "{") {
			continue
		}
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest("GET", route.Path, nil))
		if recorder.Code == http.StatusInternalServerError {
			t.Errorf("%s: %s", route.Path, recorder.Body)
		}
		asked++
	}
	if asked < 20 {
		t.Errorf("only %d resources are asked for", asked)
	}
}

func TestAdministratorsOverTheInterface(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	const password = "a quiet river bends"
	code, err := client.SetupCode(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.SetUp(ctx, Setup{Code: "aaaa-aaaa-aaaa-aaaa", Name: "ann", Password: password}); !refusedAs(err, "refused") {
		t.Errorf("with a wrong code: %v", err)
	}
	if made, err := client.SetUp(ctx, Setup{Code: code.Code, Name: "ann", Password: password}); err != nil || made.Role != access.Server {
		t.Fatalf("%+v, %v", made, err)
	}
	if _, err := client.SetupCode(ctx); !refusedAs(err, "conflict") {
		t.Errorf("another code: %v", err)
	}
	if _, err := client.AddAdministrator(ctx, NewAdministrator{Name: "bo", Role: access.Member, Password: "short"}); !refusedAs(err, "invalid") {
		t.Errorf("a weak password: %v", err)
	}
	if _, err := client.AddAdministrator(ctx, NewAdministrator{Name: "bo", Role: access.Member, Password: password}); err != nil {
		t.Fatal(err)
	}
	auditor := access.Auditor
	if a, err := client.EditAdministrator(ctx, "bo", AdministratorChange{Role: &auditor}); err != nil || a.Role != auditor {
		t.Errorf("%+v, %v", a, err)
	}
	if changed, err := client.SetAdministratorPassword(ctx, "bo", PasswordChange{RemoveFactors: true}); err != nil || len(changed.Password) < 20 {
		t.Errorf("%+v, %v", changed, err)
	}
	if sessions, err := client.RevokeSession(ctx, "bo", ""); err != nil || len(sessions) != 0 {
		t.Errorf("%+v, %v", sessions, err)
	}
	if all, err := client.Administrators(ctx); err != nil || len(all) != 2 {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := client.RemoveAdministrator(ctx, "ann"); !refusedAs(err, "conflict") {
		t.Errorf("the last one: %v", err)
	}
	if _, err := client.RemoveAdministrator(ctx, "bo"); err != nil {
		t.Error(err)
	}
	if _, err := client.Administrator(ctx, "bo"); !refusedAs(err, "notFound") {
		t.Errorf("removed: %v", err)
	}
}
