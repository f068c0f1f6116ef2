package soap

import (
	"reflect"
	"strings"
	"testing"
)

// TestEventExamples reads MS-GRVSPCM 4.1.1, 4.2.1 and 4.3.1.
func TestEventExamples(t *testing.T) {
	heartbeat := testEvent()
	status := &Event{
		DomainGUID:      "7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i",
		GUID:            "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s",
		GrooveVersion:   "4,2,0,2623",
		IdentityURL:     "grooveIdentity://Device",
		IsDeviceAccount: true,
		UserDeviceGUID:  "e2c3smux2b4uhfucu8a3wztus9bsyaz8bqbt6s",
		UserDeviceName:  "FABRIKAM",
		ID:              1388401961,
		Created:         1199892192,
	}
	search := *status
	search.IdentityURL, search.ID, search.Created = " ", 823032317, 1199895081
	for name, want := range map[string]*Event{
		"spcm-4.1.1-fragment": status,
		"spcm-4.2.1-fragment": heartbeat,
		"spcm-4.3.1-fragment": &search,
	} {
		f, err := ParseFragment(example(t, name), 4096, WrapperEvent)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeEvent(f.Wrapper()); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v\nwant %+v", name, got, err, want)
		}
	}
}

func TestEventRoundTrip(t *testing.T) {
	for _, want := range []*Event{testEvent(), {DomainGUID: "d", GUID: "g", IsDeviceAccount: true, ID: -1, Created: -2}} {
		b := Canonical(want.Element())
		root, err := Parse(b, 4096)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeEvent(root); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v", got, err)
		}
	}
}

func TestEventReadings(t *testing.T) {
	plain := string(Canonical(testEvent().Element()))
	id := `_EventID="286456191"`
	for name, in := range map[string]string{
		"EventID alone":       strings.Replace(plain, id, `EventID="286456191"`, 1), // reading B2
		"both":                strings.Replace(plain, id, id+` EventID="286456191"`, 1),
		"spelling of tables":  strings.NewReplacer("DeviceGUID", "DeviceGuid", "DomainGUID", "DomainGuid").Replace(plain), // reading B17
		"ignored attributes":  strings.Replace(plain, id, id+` UniqueID="x" HighPriority="1" Other=""`, 1),
		"attributes reversed": string(respell(t, []byte(plain))),
	} {
		root, err := Parse([]byte(in), 4096)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := DecodeEvent(root); err != nil || !reflect.DeepEqual(got, testEvent()) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestEventRefuses(t *testing.T) {
	plain := string(Canonical(testEvent().Element()))
	for _, test := range []struct{ name, from, to, want string }{
		{"no domain", "DomainGUID", "Domain", "Event/@DomainGUID"},
		{"empty domain", `DomainGUID="7ymdzshkpai3fgqwdui5c332cmx3532gqenqe9i"`, `DomainGUID=""`, "Event/@DomainGUID"},
		{"no account", " GUID=", " UID=", "Event/@GUID"},
		{"no version", "GrooveVersion", "Version", "Event/@GrooveVersion"},
		{"no identity", "IdentityURL", "Identity", "Event/@IdentityURL"},
		{"no kind", "IsDeviceAccount", "DeviceAccount", "Event/@IsDeviceAccount"},
		{"bad kind", `IsDeviceAccount="0"`, `IsDeviceAccount="false"`, "Event/@IsDeviceAccount"},
		{"no device", "UserDeviceGuid", "UserDevice", "Event/@UserDeviceGuid"},
		{"no host", "UserDeviceName", "UserDevice", "Event/@UserDeviceName"},
		{"no identifier", "_EventID", "ID", "Event/@_EventID"},
		{"two identifiers", "_EventID", `EventID="1" _EventID`, "Event/@EventID"},
		{"no time", "created", "made", "Event/@created"},
		{"time too large", "1199892192", "2147483648", "Event/@created"},
		{"control character", "FABRIKAM", "FABRI&#10;KAM", "Event/@UserDeviceName"},
	} {
		if !strings.Contains(plain, test.from) {
			t.Fatalf("%s: %q not in the element", test.name, test.from)
		}
		root, err := Parse([]byte(strings.Replace(plain, test.from, test.to, 1)), 4096)
		if err != nil {
			t.Fatal(err)
		}
		_, err = DecodeEvent(root)
		wantFault(t, err, CodeParameter, " "+test.want)
	}
}
