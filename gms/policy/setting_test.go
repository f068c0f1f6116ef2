package policy

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// template has every section, as templates of the directory have some.
type template struct {
	Identity        IdentityPolicy  `json:"identity"`
	Device          DevicePolicy    `json:"device"`
	AccountServices AccountServices `json:"accountServices"`
	DataRecovery    DataRecovery    `json:"dataRecovery"`
	Passphrase      Passphrase      `json:"passphrase"`
	ComponentUpdate ComponentUpdate `json:"componentUpdate"`
}

func defaultTemplate() template {
	return template{
		DefaultIdentityPolicy(), DefaultDevicePolicy(), DefaultAccountServices(), DefaultDataRecovery(),
		DefaultPassphrase(), DefaultComponentUpdate(),
	}
}

func (t template) validate() error {
	for _, body := range []Body{t.Identity, t.Device, t.AccountServices, t.DataRecovery, t.Passphrase, t.ComponentUpdate} {
		if err := body.Validate(); err != nil {
			return err
		}
	}
	return nil
}

// full returns a template in which every part is there and no value is zero.
func full() template {
	var t template
	for _, body := range fullBodies() {
		switch body := body.(type) {
		case IdentityPolicy:
			t.Identity = body
		case DevicePolicy:
			t.Device = body
		case AccountServices:
			t.AccountServices = body
		case DataRecovery:
			t.DataRecovery = body
			t.DataRecovery.Certificate = nil
		case Passphrase:
			t.Passphrase = body
		case ComponentUpdate:
			t.ComponentUpdate = body
		}
	}
	return t
}

// TestSheetCarriesEverything writes all settings of templates as text and reads
// them into others: no field is left out and no text is misread.
func TestSheetCarriesEverything(t *testing.T) {
	sheet := NewSheet(defaultTemplate())
	for name, pair := range map[string][2]template{
		"full to default": {full(), defaultTemplate()},
		"default to full": {defaultTemplate(), full()},
		"full to nothing": {full(), {}},
	} {
		from, to := pair[0], pair[1]
		for _, v := range sheet.Values(from) {
			if err := sheet.Set(&to, v.Key, v.Value); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if changes := sheet.Diff(from, to); len(changes) > 0 || !sameJSON(t, from, to) {
			t.Errorf("%s: differences %v between %+v and %+v", name, changes, from, to)
		}
	}
}

func sameJSON(t *testing.T, a, b any) bool {
	t.Helper()
	one, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return string(one) == string(other)
}

// TestSheetAgreesWithValidate holds what the descriptions promise against what
// Validate accepts: ranges exactly, and all choices.
func TestSheetAgreesWithValidate(t *testing.T) {
	sheet := NewSheet(defaultTemplate())
	try := func(key, text string) error {
		settings := full()
		if err := sheet.Set(&settings, key, text); err != nil {
			return err
		}
		return settings.validate()
	}
	for _, one := range sheet.Settings() {
		if (one.Kind == SettingNumber) != (one.Min != nil && one.Max != nil) {
			t.Errorf("%s is a %s with the range %v to %v", one.Key, one.Kind, one.Min, one.Max)
			continue
		}
		if (one.Kind == SettingDuration || one.Kind == SettingNumbers) && one.Unit == "" {
			t.Errorf("%s has no unit", one.Key)
		}
		if one.Min != nil {
			for n, good := range map[int64]bool{*one.Min: true, *one.Max: true, *one.Min - 1: false, *one.Max + 1: false} {
				if err := try(one.Key, strconv.FormatInt(n, 10)); (err == nil) != good {
					t.Errorf("%s=%d: %v", one.Key, n, err)
				}
			}
		}
		for _, choice := range one.Choices {
			if err := try(one.Key, strings.ToUpper(choice)); err != nil {
				t.Errorf("%s=%s: %v", one.Key, choice, err)
			}
		}
	}
}

func TestSheetDefaults(t *testing.T) {
	sheet := NewSheet(defaultTemplate())
	defaults := map[string]string{}
	for _, one := range sheet.Settings() {
		defaults[one.Key] = one.Default
	}
	for key, want := range map[string]string{
		"identity.peerAuthentication":      "warn",
		"identity.backupInterval":          "1d",
		"identity.pki":                     "off",
		"identity.pki.feature.required":    "",
		"device.noPublicSearch":            "true",
		"device.bandwidth":                 "off",
		"passphrase.minLength":             "8",
		"passphrase.delayLockout":          "on",
		"passphrase.delayLockout.duration": "15m",
		"passphrase.delayLockout.vector":   "1,2,4,-3,15,60,300",
		"dataRecovery.recovery":            "Full",
		"componentUpdate.default":          "Local",
		"componentUpdate.items":            "[]",
	} {
		if got, ok := defaults[key]; !ok || got != want {
			t.Errorf("%s is %q, %v, want %q", key, got, ok, want)
		}
	}
}

func TestSheetParts(t *testing.T) {
	sheet := NewSheet(defaultTemplate())
	var settings template
	if err := sheet.Set(&settings, "passphrase.delayLockout.threshold", "7"); err != nil {
		t.Fatal(err)
	}
	if l := settings.Passphrase.DelayLockout; l == nil || l.Threshold != 7 || l.Duration != 15*time.Minute {
		t.Errorf("a part switched on by its setting is %+v", l)
	}
	if l := defaultTemplate().Passphrase.DelayLockout; l.Threshold != 20 {
		t.Errorf("the default became %+v", l)
	}
	before := settings
	if err := sheet.Set(&settings, "passphrase.delayLockout", "off"); err != nil || settings.Passphrase.DelayLockout != nil {
		t.Fatalf("switched off: %+v, %v", settings.Passphrase.DelayLockout, err)
	}
	want := []Change{
		{"passphrase.delayLockout", "on", "off"}, {"passphrase.delayLockout.default", "false", ""},
		{"passphrase.delayLockout.duration", "15m", ""}, {"passphrase.delayLockout.threshold", "7", ""},
		{"passphrase.delayLockout.vector", "1,2,4,-3,15,60,300", ""},
	}
	if got := sheet.Diff(before, settings); !slices.Equal(got, want) {
		t.Errorf("changes %v, want %v", got, want)
	}
}

func TestSheetRefuses(t *testing.T) {
	sheet := NewSheet(defaultTemplate())
	for _, c := range []struct{ key, text string }{
		{"nothing", "1"}, {"passphrase", "on"}, {"passphrase.minLength", "many"}, {"passphrase.minLength", "99999999999"},
		{"passphrase.noHints", "perhaps"}, {"passphrase.maxAge", "soon"}, {"passphrase.maxAge", "99999999999d"},
		{"passphrase.delayLockout.vector", "1,x"}, {"identity.peerAuthentication", "3"}, {"device.bandwidth", "7"},
		{"componentUpdate.items", "{}"}, {"componentUpdate.items", `[{"nmae":"x"}]`}, {"componentUpdate.items", "[] []"},
	} {
		settings := defaultTemplate()
		var refused *FieldError
		if err := sheet.Set(&settings, c.key, c.text); !errors.As(err, &refused) || refused.Field != c.key {
			t.Errorf("%s=%s: %v", c.key, c.text, err)
		}
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "42d": 42 * day, "25h": 25 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "10s": 10 * time.Second,
	} {
		d, err := parseDuration(text)
		if err != nil || d != want {
			t.Errorf("%q is %v, %v", text, d, err)
		}
		if again, err := parseDuration(formatDuration(d)); err != nil || again != d {
			t.Errorf("%q is written as %q", text, formatDuration(d))
		}
	}
	if got := formatDuration(10 * time.Minute); got != "10m" {
		t.Errorf("ten minutes are %q", got)
	}
}

func FuzzSetting(f *testing.F) {
	sheet := NewSheet(defaultTemplate())
	for _, v := range sheet.Values(full()) {
		f.Add(v.Key, v.Value)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		settings := full()
		if sheet.Set(&settings, key, text) != nil || settings.validate() != nil {
			return
		}
		again := defaultTemplate()
		for _, v := range sheet.Values(settings) {
			if err := sheet.Set(&again, v.Key, v.Value); err != nil {
				t.Fatalf("%s=%q was accepted, and %s=%q is not", key, text, v.Key, v.Value)
			}
		}
		if !reflect.DeepEqual(sheet.Values(again), sheet.Values(settings)) {
			t.Fatalf("%s=%q: %v, read again %v", key, text, sheet.Values(settings), sheet.Values(again))
		}
	})
}
