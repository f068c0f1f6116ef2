package main

import (
	"path/filepath"
	"testing"
	"time"

	"furrow/web/api"
)

// TestStartAnew has a real box start again in its process: it is the same box, and as it was.
func TestStartAnew(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "var")
	serve(t, data, "127.0.0.1:0", "127.0.0.1:0")
	client := api.NewClient(data)
	defer client.Close()
	before, err := client.CreateDomain(t.Context(), api.NewDomain{Name: "Office", Organization: "Contoso"})
	if err != nil {
		t.Fatal(err)
	}
	was, err := client.Overview(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := was
	for end := time.Now().Add(time.Minute); !now.Started.After(was.Started); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not back: %v", err)
		}
		if shown, asked := client.Overview(t.Context()); asked == nil {
			now = shown
		} else {
			err = asked // while it is away
		}
	}
	if after, err := client.Domain(t.Context(), "Office"); err != nil || after.GUID != before.GUID {
		t.Errorf("after the restart %+v, %v", after, err)
	}
}
