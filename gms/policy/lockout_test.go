package policy

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestParseLockoutVector(t *testing.T) {
	long := make(LockoutVector, maxLockoutVector)
	for i := range long {
		long[i] = i + 1
	}
	for _, test := range []struct {
		s    string
		want LockoutVector
	}{
		{"1", LockoutVector{1}},
		{"1,2,4,-3,8,-1", LockoutVector{1, 2, 4, -3, 8, -1}},
		{"-3,1", LockoutVector{-3, 1}},
		{"-1", LockoutVector{-1}},
		{"5,-3,-1", LockoutVector{5, -3, -1}},
		{"999999999", LockoutVector{999999999}},
		{long.String(), long},
	} {
		got, err := ParseLockoutVector(test.s)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q: got %v, %v", test.s, got, err)
		}
		if got.String() != test.s {
			t.Errorf("%q is written as %q", test.s, got.String())
		}
	}
	for _, s := range []string{
		"", ",", "1,", ",1", "1,,2", "1;2", " 1", "1 ,2", "a", "+1", "0x1", "1.5", "1_0",
		"0", "0,1", "2,1", "1,1", "1,-3,1", // rising, nonzero
		"-2", "-4", "1,-100000", // reserved
		"-1,1", "1,-1,2", "-1,-1", "-3,-3", "-3,1,-3", // once, and -1 last
		"1000000000", "0000000001", // nine characters
		long.String() + ",2000",
		strings.Repeat(",", 1<<20),
	} {
		if got, err := ParseLockoutVector(s); err == nil {
			t.Errorf("%.40q is accepted as %v", s, got)
		}
	}
}

func TestLockoutVectorValidate(t *testing.T) {
	if err := (LockoutVector{}).Validate(); err != nil {
		t.Errorf("no vector: %v", err)
	}
	for _, v := range []LockoutVector{{0}, {2, 1}, {-1, 1}, {-3, -3}, {-2}, {1_000_000_000}, slices.Repeat(LockoutVector{1}, maxLockoutVector+1)} {
		if err := v.Validate(); err == nil {
			t.Errorf("%.40q is valid", v.String())
		}
	}
}

func FuzzParseLockoutVector(f *testing.F) {
	f.Add("1,2,4,-3,8,-1")
	f.Add("007,+8")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseLockoutVector(s)
		if err != nil {
			return
		}
		again, err := ParseLockoutVector(v.String())
		if err != nil || !slices.Equal(v, again) {
			t.Errorf("%q is %v, and then %v, %v", s, v, again, err)
		}
	})
}
