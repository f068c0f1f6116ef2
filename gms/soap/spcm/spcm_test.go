package spcm

import (
	"os"
	"strings"
	"sync"
	"testing"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

const (
	domainGUID  = "7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"
	accountGUID = "a6afv5ms7sxxpkzpzfvwbra83av34at3mz6ytds"
	memberGUID  = "9557EB24-5779-4635-BA83-4C4AD001B4F1"
	identityURL = "grooveIdentity://w7e552zcd2us7uhc7upitakem5j9ezxk@"
	serverURL   = "http://contoso.com/gms.dll"
)

// testSigner returns the RSA key that the tests of package soap use.
func testSigner(t testing.TB) *keys.RSAPrivateKey {
	t.Helper()
	text, err := os.ReadFile("../testdata/signer.p8")
	if err != nil {
		t.Fatal(err)
	}
	der, err := soap.DecodeBase64(string(text))
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.ParseRSAPrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var generateElGamal = sync.OnceValues(keys.GenerateElGamalKey)

func testElGamal(t testing.TB) *keys.ElGamalPrivateKey {
	t.Helper()
	key, err := generateElGamal()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// wantFault checks that err is fault 204 that names what is wrong.
func wantFault(t *testing.T, err error, name string) {
	t.Helper()
	f := soap.FaultFrom(err)
	if err == nil || f.Code != soap.CodeParameter || !strings.HasSuffix(f.Text, " "+name) {
		t.Errorf("got %v, want fault 204 naming %s", err, name)
	}
}

// refusal is a change to an encoded payload that makes its decoder refuse it.
type refusal struct{ name, from, to, want string }

func checkRefusals[M any](t *testing.T, plain string, decode func([]byte) (M, error), refusals []refusal) {
	t.Helper()
	refusals = append(refusals,
		refusal{"no XML", plain, "", "payload"},
		refusal{"document type", plain, "<!DOCTYPE a>" + plain, "payload"})
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			if !strings.Contains(plain, r.from) {
				t.Fatalf("%q not in %s", r.from, plain)
			}
			_, err := decode([]byte(strings.Replace(plain, r.from, r.to, 1)))
			wantFault(t, err, r.want)
		})
	}
}
