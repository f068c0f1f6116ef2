package spcm

import (
	"bytes"
	"reflect"
	"testing"

	"furrow/gms/soap"
)

// fuzzDecoder feeds a decoder and expects that what it accepts survives being
// encoded and decoded again, and that what it refuses is fault 204.
func fuzzDecoder[M interface{ Encode() []byte }](f *testing.F, decode func([]byte) (M, error), seeds ...M) {
	for _, seed := range seeds {
		f.Add(seed.Encode())
		f.Add(bytes.TrimPrefix(seed.Encode(), []byte(soap.Prolog)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decode(data)
		if err != nil {
			if soap.FaultFrom(err).Code != soap.CodeParameter {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		again, err := decode(m.Encode())
		if err != nil {
			t.Fatalf("%+v encoded is refused: %v\n%s", m, err, m.Encode())
		}
		if !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v encoded is %+v", m, again)
		}
	})
}

func FuzzKeyActivation(f *testing.F) {
	fuzzDecoder(f, DecodeKeyActivation, &KeyActivation{"4,2,0,2623"})
}

func FuzzKeyActivationResponse(f *testing.F) {
	fuzzDecoder(f, DecodeKeyActivationResponse, &KeyActivationResponse{"CODE", serverURL, testDomain(), testObjects()})
}

func FuzzDomainEnrollment(f *testing.F) {
	fuzzDecoder(f, DecodeDomainEnrollment, &DomainEnrollment{accountGUID, []byte{1}, []byte{1, 2, 3}, "4,2"})
}

func FuzzDomainEnrollmentResponse(f *testing.F) {
	fuzzDecoder(f, DecodeDomainEnrollmentResponse, &DomainEnrollmentResponse{testDomain(), testObjects()})
}

func FuzzEnrollment(f *testing.F) {
	fuzzDecoder(f, DecodeEnrollment, &Enrollment{[]byte{1, 2, 3}})
}

func FuzzAccountHeartbeat(f *testing.F) {
	fuzzDecoder(f, DecodeAccountHeartbeat, &AccountHeartbeat{"4,2,0,2623"})
}

func FuzzManagedObjectInstall(f *testing.F) {
	fuzzDecoder(f, DecodeManagedObjectInstall,
		&ManagedObjectInstall{Domain: domainGUID, ID: memberGUID, UserName: "n", IssuedTime: 5, VCard: []byte{1}})
}

func FuzzManagedObjectStatus(f *testing.F) {
	fuzzDecoder(f, DecodeManagedObjectStatus, testStatus())
}

func FuzzManagedObjectStatusResponse(f *testing.F) {
	fuzzDecoder(f, DecodeManagedObjectStatusResponse,
		&ManagedObjectStatusResponse{Consistency{"AQID", "d", "u"}, "i", testObjects()})
}

func FuzzIdentityPublish(f *testing.F) {
	fuzzDecoder(f, DecodeIdentityPublish, &IdentityPublish{[]byte{1, 2, 3}}, &IdentityPublish{})
}

func FuzzContactSearch(f *testing.F) {
	fuzzDecoder(f, DecodeContactSearch, &ContactSearch{"Söhne"}, &ContactSearch{})
}

func FuzzContactSearchResponse(f *testing.F) {
	fuzzDecoder(f, DecodeContactSearchResponse, testFound())
}

func FuzzContactFetch(f *testing.F) {
	fuzzDecoder(f, DecodeContactFetch, &ContactFetch{[]string{memberGUID, "b"}})
}

func FuzzContactFetchResponse(f *testing.F) {
	fuzzDecoder(f, DecodeContactFetchResponse, &ContactFetchResponse{[]FetchedContact{{memberGUID, []byte{1}}}})
}

func FuzzPassphraseResetRequest(f *testing.F) {
	fuzzDecoder(f, DecodePassphraseResetRequest,
		testResetRequest(f, testElGamal(f).Public()), testResetRequest(f, testSigner(f).Public()))
}

func FuzzPassphraseResetStatus(f *testing.F) {
	fuzzDecoder(f, DecodePassphraseResetStatus, &PassphraseResetStatus{accountGUID})
}

func FuzzPassphraseResetStatusResponse(f *testing.F) {
	fuzzDecoder(f, DecodePassphraseResetStatusResponse,
		&PassphraseResetStatusResponse{AccountGUID: accountGUID, Status: ResetPending},
		&PassphraseResetStatusResponse{accountGUID, ResetApproved, []byte{1}, []byte{2}})
}

func FuzzAutomaticPasswordReset(f *testing.F) {
	fuzzDecoder(f, DecodeAutomaticPasswordReset, testAutomaticReset())
}

func FuzzAutomaticPasswordResetResponse(f *testing.F) {
	fuzzDecoder(f, DecodeAutomaticPasswordResetResponse, testSealed())
}

func FuzzContact(f *testing.F) {
	fuzzDecoder(f, DecodeContact, testContact(f, testElGamal(f).Public()), testContact(f, testSigner(f).Public()))
}

func FuzzCreateAccount(f *testing.F) {
	signer := testSigner(f)
	for _, encryption := range []*CreateAccount{testAccount(f, testElGamal(f).Public()), testAccount(f, signer.Public())} {
		signed, err := encryption.Encode(signer)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(signed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := DecodeCreateAccount(data)
		if err != nil {
			if c := soap.FaultFrom(err).Code; c != soap.CodeMalformed && c != soap.CodeParameter && c != soap.CodeSecurity {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if !m.Certificate.Signature.Equal(signer.Public()) {
			t.Fatalf("signature by a key that is not known here: %+v", m)
		}
	})
}
