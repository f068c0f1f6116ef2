package directory

import (
	"errors"
	"fmt"
	"testing"
)

func TestLRU(t *testing.T) {
	made := make(map[int]int)
	c := newLRU[int, string](2)
	get := func(key int) {
		t.Helper()
		v, err := c.get(key, func() (string, error) { made[key]++; return fmt.Sprint(key), nil })
		if err != nil || v != fmt.Sprint(key) {
			t.Fatalf("get(%d) = %q, %v", key, v, err)
		}
	}
	get(1)
	get(2)
	get(1) // 2 is now the oldest
	get(3) // and leaves
	get(1)
	get(2)
	if made[1] != 1 || made[2] != 2 || made[3] != 1 {
		t.Errorf("values were made %v times", made)
	}
	if len(c.entries) != 2 || c.order.Len() != 2 {
		t.Errorf("%d entries, %d in order, want 2", len(c.entries), c.order.Len())
	}
}

func TestLRUForgetsFailures(t *testing.T) {
	c := newLRU[int, string](2)
	failure := errors.New("no")
	if _, err := c.get(1, func() (string, error) { return "", failure }); err != failure {
		t.Fatalf("error is %v", err)
	}
	if v, err := c.get(1, func() (string, error) { return "yes", nil }); v != "yes" || err != nil {
		t.Errorf("after a failure: %q, %v", v, err)
	}
}
