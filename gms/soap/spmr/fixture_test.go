package spmr

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/soap"
)

// testSets are the keys of a manager and of a relay: making them is slow.
var testSets = sync.OnceValue(func() (sets [2]*keys.KeySet) {
	var wg sync.WaitGroup
	for i := range sets {
		wg.Go(func() {
			set, err := keys.GenerateKeySet()
			if err != nil {
				panic(err)
			}
			sets[i] = set
		})
	}
	wg.Wait()
	return sets
})

func managerKeys() *keys.KeySet { return testSets()[0] }
func relayKeys() *keys.KeySet   { return testSets()[1] }

var testTime = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

func certificate(t testing.TB, set *keys.KeySet, name string) *keys.Certificate {
	t.Helper()
	c, err := set.Certify(keys.Name{CommonName: name}, testTime)
	must(t, err)
	return c
}

func sharedKey(t testing.TB) keys.SharedKey {
	t.Helper()
	key, err := keys.GenerateSharedKey(SharedKeySize)
	must(t, err)
	return key
}

func example(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "examples", name+".xml"))
	must(t, err)
	return data
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func code(err error) soap.Code { return FaultFrom(err).Code }
