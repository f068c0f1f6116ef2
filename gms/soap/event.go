package soap

import (
	"errors"

	"github.com/beevik/etree"
)

// Event is the header of a request that is secured with an account's key
// (MS-GRVSPCM 2.2.2.2.7). Until the fragment is opened it is what somebody
// claims. UniqueID and HighPriority are ignored by servers and so not kept.
type Event struct {
	DeviceGUID      string // GUID of the device account; "" if absent
	DomainGUID      string
	GUID            string // of the account, a user's or a device's
	GrooveVersion   string // such as "4,2,0,2623"
	IdentityURL     string // "" or "grooveIdentity://..."
	IsDeviceAccount bool
	UserDeviceGUID  string
	UserDeviceName  string // host name
	ID              int32  // chosen by the client
	Created         int32  // seconds since 1970, UTC
}

// Element returns the Event element without children.
func (ev *Event) Element() *etree.Element {
	attrs := []Attr{
		{"DomainGUID", ev.DomainGUID},
		{"GUID", ev.GUID},
		{"GrooveVersion", ev.GrooveVersion},
		{"IdentityURL", ev.IdentityURL},
		{"IsDeviceAccount", FormatBool(ev.IsDeviceAccount)},
		{"UserDeviceGuid", ev.UserDeviceGUID},
		{"UserDeviceName", ev.UserDeviceName},
		{"_EventID", FormatInt(ev.ID)},
		{"created", FormatInt(ev.Created)},
	}
	if ev.DeviceGUID != "" {
		attrs = append(attrs, Attr{"DeviceGUID", ev.DeviceGUID})
	}
	return NewElement(WrapperEvent, attrs...)
}

// DecodeEvent reads an Event element. It fails with fault 204.
func DecodeEvent(e *etree.Element) (*Event, error) {
	a := AttributesOf(e)
	ev := &Event{
		DomainGUID:      a.Name("DomainGUID", "DomainGuid"),
		GUID:            a.Name("GUID"),
		GrooveVersion:   a.Text("GrooveVersion"),
		IdentityURL:     a.Text("IdentityURL"),
		IsDeviceAccount: a.Bool("IsDeviceAccount"),
		UserDeviceGUID:  a.Text("UserDeviceGuid", "UserDeviceGUID"),
		UserDeviceName:  a.Text("UserDeviceName"),
		ID:              a.Int("_EventID", "EventID"),
		Created:         a.Int("created"),
	}
	if a.Has("DeviceGUID") || a.Has("DeviceGuid") {
		ev.DeviceGUID = a.Text("DeviceGUID", "DeviceGuid")
	}
	if a.Has("EventID") && a.Int("EventID") != ev.ID {
		a.fail("EventID", errors.New("differs from _EventID")) // reading B2
	}
	return ev, a.Err()
}
