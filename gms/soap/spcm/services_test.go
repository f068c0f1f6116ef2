package spcm

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// TestServices compares the table with MS-GRVSPCM 2.2.2, 3.2.5.1.1 and
// 3.2.5.1.2.
func TestServices(t *testing.T) {
	published := map[string]Service{
		"KeyActivation":        {Request: soap.Request3, Response: soap.Response2, Security: CodeKey},
		"CreateAccount":        {Request: soap.Request2, Response: soap.Response1, Security: AccountSignature},
		"ManagedObjectInstall": {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"DomainEnrollment":     {Request: soap.Request3, Response: soap.Response2, Security: CodeKey},
		"Enrollment":           {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"ManagedObjectStatus":  {Request: soap.Request1, Response: soap.Response3, Security: AccountKey},
		"AccountHeartbeat":     {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},

		"AccountStore":                 {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"AutoAccountCodeConfiguration": {Request: soap.Request3, Response: soap.Response2, Security: HTTPAuthentication},
		"AutoActivation":               {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},
		"IdentityPublish":              {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"ContactSearch":                {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},
		"ContactFetch":                 {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},

		"PassphraseResetRequest": {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"PassphraseResetStatus":  {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},
		"AutomaticPasswordReset": {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},
		"AuditLogUpload":         {Request: soap.Request1, Response: soap.Response2, Security: AccountHeader},
		"AuditLogUploadQuery":    {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},
		"FileUpload":             {Request: soap.Request1, Response: soap.Response2, Security: AccountHeader},
		"FileUploadQuery":        {Request: soap.Request1, Response: soap.Response2, Security: AccountKey},
		"StatisticsPackage":      {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"Failures":               {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
		"DomainMigrationStatus":  {Request: soap.Request1, Response: soap.Response1, Security: AccountKey},
	}
	services := Services()
	if len(services) != len(published) {
		t.Errorf("%d services, want %d", len(services), len(published))
	}
	for _, s := range services {
		want := published[s.Name]
		want.Name, want.Limit = s.Name, s.Limit
		if s != want || s.Limit < 16<<10 || s.Limit > 2<<20 {
			t.Errorf("got %+v, want %+v", s, want)
		}
		if found, ok := LookupService(s.Name); !ok || found != s {
			t.Errorf("%s: found %+v, %t", s.Name, found, ok)
		}
	}
	if _, ok := LookupService("keyActivation"); ok {
		t.Error("service found under another name")
	}
	if CodeKey.Wrapper() != "PayloadWrapper" || AccountKey.Wrapper() != "Event" || AccountSignature.Wrapper() != "Event" || AccountHeader.Wrapper() != "Event" {
		t.Error("wrapper of another name")
	}
}

// TestLimitsFitMessages encodes the largest message that is meant to pass.
func TestLimitsFitMessages(t *testing.T) {
	key, err := keys.GenerateSharedKey(keys.AccountKeySize)
	if err != nil {
		t.Fatal(err)
	}
	status := testStatus()
	for range 500 {
		status.Objects = append(status.Objects, status.Objects[0])
	}
	contact := testContact(t, testElGamal(t).Public())
	contact.VCard = bytes.Repeat([]byte("portrait"), 16<<10/8)
	for service, payload := range map[string][]byte{
		ServiceManagedObjectStatus:  status.Encode(),
		ServiceEnrollment:           (&Enrollment{contact.Encode()}).Encode(),
		ServiceDomainEnrollment:     (&DomainEnrollment{accountGUID, make([]byte, 1024), contact.Encode(), "4"}).Encode(),
		ServiceAccountHeartbeat:     (&AccountHeartbeat{strings.Repeat("4", soap.MaxTextSize)}).Encode(),
		ServiceKeyActivation:        (&KeyActivation{strings.Repeat("4", soap.MaxTextSize)}).Encode(),
		ServiceManagedObjectInstall: (&ManagedObjectInstall{Domain: "d", ID: "i", VCard: contact.VCard}).Encode(),
		ServiceAccountStore:         make([]byte, MaxBackupFragment),
		ServiceAutoActivation:       (&AutoActivation{strings.Repeat("a", soap.MaxTextSize)}).Encode(),
		ServiceIdentityPublish:      (&IdentityPublish{make([]byte, MaxContact)}).Encode(),
		ServiceContactSearch:        (&ContactSearch{strings.Repeat("q", soap.MaxTextSize/4*3)}).Encode(),
		ServiceContactFetch:         (&ContactFetch{slices.Repeat([]string{memberGUID}, MaxContacts)}).Encode(),

		ServicePassphraseResetRequest: largestResetRequest(t).Encode(),
		ServicePassphraseResetStatus:  (&PassphraseResetStatus{strings.Repeat("a", soap.MaxTextSize)}).Encode(),
		ServiceAutomaticPasswordReset: largestAutomaticReset().Encode(),
	} {
		s, _ := LookupService(service)
		fragment, err := soap.NewFragment(soap.NewElement(s.Security.Wrapper())).Secure(key, payload, soap.MACOverDigest)
		if err != nil {
			t.Fatal(err)
		}
		body := (&soap.Request{Service: service, Payload: fragment}).Encode(s.Request)
		request, err := soap.DecodeRequest(body, requestRule)
		if err != nil {
			t.Errorf("%s of %d bytes: %v", service, len(body), err)
			continue
		}
		if _, err := soap.ParseFragment(request.Payload, s.Limit, s.Security.Wrapper()); err != nil {
			t.Errorf("%s: %v", service, err)
		}
	}
}

// requestRule is the rule for [soap.DecodeRequest] over all services.
func requestRule(name string) (soap.RequestRule, bool) {
	s, ok := LookupService(name)
	return soap.RequestRule{Shape: s.Request, Limit: s.Limit}, ok
}
