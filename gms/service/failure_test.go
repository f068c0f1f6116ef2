package service

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/appliance/state"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spcm"
)

// TestDurableBeforeAnswer holds the disk's flush back: there is no answer before
// it has returned.
func TestDurableBeforeAnswer(t *testing.T) {
	b := newBox(t)
	body := b.account(t, "alice", aliceKey(), false).createRequest(t)
	flushing, proceed := make(chan struct{}, 1), make(chan struct{})
	b.disk.set(func() error {
		flushing <- struct{}{}
		<-proceed
		return nil
	})
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		b.succeed(t, spcm.ServiceCreateAccount, body)
	}()
	within(t, "the flush", flushing)
	select {
	case <-answered:
		t.Error("answered before the change was durable")
	case <-time.After(50 * time.Millisecond): // an answer that is too early comes within
	}
	b.disk.set(nil)
	close(proceed)
	within(t, "the answer", answered)
}

// TestStoreFailure lets flushes fail and closes the store: fault 203 without a
// word of the cause, which the log has.
func TestStoreFailure(t *testing.T) {
	b := newBox(t)
	member, alice := b.active(t, "alice", aliceKey())
	b.pass(2 * time.Hour)
	b.disk.set(func() error { return errors.New("injected failure") })
	for _, request := range []struct {
		service string
		body    []byte
	}{
		// The first one changes something, and so finds out that the disk fails.
		{spcm.ServiceCreateAccount, b.account(t, "bob", bobKey(), false).createRequest(t)},
		{spcm.ServiceManagedObjectInstall, alice.request(t, spcm.ServiceManagedObjectInstall,
			alice.installation(member.GUID).Encode())},
		{spcm.ServiceEnrollment, alice.request(t, spcm.ServiceEnrollment,
			(&spcm.Enrollment{Contact: contact(alice.event.IdentityURL, bobKey()).Encode()}).Encode())},
		{spcm.ServiceAccountHeartbeat, alice.request(t, spcm.ServiceAccountHeartbeat,
			payloadOf(t, b, alice, spcm.ServiceAccountHeartbeat))},
		{spcm.ServiceAccountStore, alice.storeRequest(t, fragmentOf("one", 1, 1), "backup")},
	} {
		r := b.ask(t, request.service, request.body)
		if r.Fault == nil || r.Fault.Code != soap.CodeProcessing || r.Fault.Text != soap.CodeProcessing.String() {
			t.Errorf("%s: fault %v, want 203 with its published text", request.service, r.Fault)
		}
	}
	if !strings.Contains(b.log.String(), "injected failure") {
		t.Error("the log does not tell the cause")
	}
	b.objects(t, alice) // what needs no disk goes on

	for _, err := range []error{state.ErrFull, state.ErrWrite, state.ErrFailed, state.ErrRecovery, directory.ErrTooManyAccounts} {
		if f := soap.FaultFrom(faultOf(err, soap.CodeParameter)); f.Code != soap.CodeProcessing {
			t.Errorf("%v becomes fault %d", err, f.Code)
		}
	}
}

// TestPanic lets a service panic: the request is answered 203, counted and
// logged with its stack, and the next one is served.
func TestPanic(t *testing.T) {
	b := newBox(t)
	svc := b.server.services[spcm.ServiceCreateAccount]
	sound := svc.begin
	svc.begin = func(*Server, spcm.Service, *exchange, []byte) (action, error) {
		return func(context.Context) ([]byte, error) { panic("a defect") }, nil
	}
	b.server.services[spcm.ServiceCreateAccount] = svc
	body := b.account(t, "alice", aliceKey(), false).createRequest(t)
	if r := b.ask(t, spcm.ServiceCreateAccount, body); r.Fault == nil || r.Fault.Code != soap.CodeProcessing {
		t.Errorf("fault %v, want 203", r.Fault)
	}
	if got := b.server.Panics(); got != 1 {
		t.Errorf("%d panics counted", got)
	}
	if log := b.log.String(); !strings.Contains(log, "a defect") || !strings.Contains(log, "failure_test.go") {
		t.Error("no stack in the log")
	}
	svc.begin = sound
	b.server.services[spcm.ServiceCreateAccount] = svc
	b.succeed(t, spcm.ServiceCreateAccount, body)
}

// TestCounts checks the counters that pages read.
func TestCounts(t *testing.T) {
	b := newBox(t)
	alice := b.created(t, "alice", aliceKey(), false)
	beat := alice.request(t, spcm.ServiceAccountHeartbeat, payloadOf(t, b, alice, spcm.ServiceAccountHeartbeat))
	b.ask(t, spcm.ServiceAccountHeartbeat, beat)
	b.ask(t, spcm.ServiceAccountHeartbeat, beat)
	b.send(t, pathServices, []byte("no XML"))
	want := []Count{
		{"", soap.CodeMalformed, 1},
		{spcm.ServiceAccountHeartbeat, soap.CodeReenrollment, 2},
		{spcm.ServiceCreateAccount, 0, 1},
	}
	got := b.server.Counts()
	if len(got) != len(want) {
		t.Fatalf("counts are %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("count %d is %v, want %v", i, got[i], want[i])
		}
	}
}

// TestLog checks that each request leaves one line with its service, fault,
// domain and account, and that no line holds a secret or a payload.
func TestLog(t *testing.T) {
	b := newBox(t)
	member, alice := b.active(t, "alice", aliceKey())
	code := b.code(t, member)
	b.objects(t, alice)
	body := alice.request(t, spcm.ServiceAccountHeartbeat, payloadOf(t, b, alice, spcm.ServiceAccountHeartbeat))
	b.succeed(t, spcm.ServiceAccountHeartbeat, body)
	b.succeed(t, spcm.ServiceAccountHeartbeat, body)
	b.ask(t, spcm.ServiceKeyActivation, codeRequest(t, spcm.ServiceKeyActivation, code, []byte("<Other/>")))
	b.ask(t, spcm.ServiceEnrollment, alice.request(t, spcm.ServiceEnrollment, []byte("<Payload Contact='"+code+"'/>")))
	status, _, _ := b.send(t, pathServices, []byte("<"+code+">"))
	if status != http.StatusOK {
		t.Errorf("HTTP status %d", status)
	}

	log := b.log.String()
	for _, line := range []string{
		`"msg":"request","service":"CreateAccount","fault":0,`,
		`"msg":"request","service":"ManagedObjectInstall","fault":0,`,
		`"msg":"request","service":"DomainEnrollment","fault":0,`,
		`"msg":"request","service":"ManagedObjectStatus","fault":0,`,
	} {
		line += `"domain":"` + b.domain.GUID + `","account":"` + alice.event.GUID + `"`
		if strings.Count(log, line) != 1 {
			t.Errorf("%d lines with %s", strings.Count(log, line), line)
		}
	}
	if !regexp.MustCompile(`"service":"AccountHeartbeat","fault":0,[^\n]*"repeated":true`).MatchString(log) {
		t.Error("no line about the repeated request")
	}
	if !regexp.MustCompile(`"level":"DEBUG","msg":"request refused","service":"KeyActivation","fault":204,[^\n]*"error":`).MatchString(log) {
		t.Error("no line about why a request was refused")
	}

	id := keys.CodeKey(code).ID()
	for name, secret := range map[string]string{
		"configuration code":        code,
		"code key":                  soap.EncodeBase64(keys.CodeKey(code).Bytes()),
		"KeyID":                     soap.EncodeBase64(id[:]),
		"account key":               soap.EncodeBase64(alice.key.Bytes()),
		"account key as JSON bytes": strings.ReplaceAll(strings.Trim(fmt.Sprint(alice.key.Bytes()), "[]"), " ", ","),
		"envelope":                  "SOAP-ENV",
		"fragment":                  "g:fragment",
		"vCard":                     "VCARD",
	} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds the %s", name)
		}
	}
}
