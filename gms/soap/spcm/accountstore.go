package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

const (
	// BackupFragment is the size of a fragment that clients make, in bytes: "256
	// kilobyte" (MS-GRVSPCM 3.3.5.4.1). The last one of a backup is shorter.
	BackupFragment = 256 << 10

	// MaxBackupFragment bounds a fragment, in bytes, with a quarter of
	// BackupFragment for what the serialization of a stream adds to it.
	MaxBackupFragment = BackupFragment + BackupFragment/4

	// MaxBackup bounds a backup, in bytes. An account holds keys, contacts and
	// the list of its spaces, a few megabytes, and none of their contents; a
	// backup that is fetched comes in one message.
	MaxBackup = 16 << 20

	// MaxBackupFragments bounds the fragments of a backup: more than MaxBackup
	// needs, and each becomes an attribute of one element when the backup is
	// fetched, of which there are at most soap.MaxElementAttributes.
	MaxBackupFragments = 80
)

// AccountStore stores one fragment of an account backup (MS-GRVSPCM 2.2.3.3.1).
// What it says stands in attributes of the Event, beside those of every Event;
// the payload is the fragment itself, bytes and no XML (reading B8). The answer
// is a return code.
//
//	<Event BackupFragmenetSize="" BackupFragmentCount="" BackupGUID=""
//	    BackupIndexCount="" BackupSize="" BackupVersion="" EventID=""
//	    PayloadAsStream="1" UniqueID="" .../>
type AccountStore struct {
	FragmentSize  int32 // in bytes, as the client says
	FragmentCount int32
	BackupGUID    string // "" if absent, as it may be in a backup of one fragment
	Index         int32  // of this fragment, from 1: BackupIndexCount
	BackupSize    int32  // in bytes, as the client says
	BackupVersion int32
}

// AddTo adds the attributes to an Event, and to its _EventID the EventID that
// the schema has in its place (reading B2). UniqueID is required by the schema
// and ignored by servers. The name of the first attribute is misspelt as in the
// schema (reading B1).
func (m *AccountStore) AddTo(event *etree.Element) {
	for _, a := range []soap.Attr{
		{Name: "BackupFragmenetSize", Value: soap.FormatInt(m.FragmentSize)},
		{Name: "BackupFragmentCount", Value: soap.FormatInt(m.FragmentCount)},
		{Name: "BackupIndexCount", Value: soap.FormatInt(m.Index)},
		{Name: "BackupSize", Value: soap.FormatInt(m.BackupSize)},
		{Name: "BackupVersion", Value: soap.FormatInt(m.BackupVersion)},
		{Name: "EventID", Value: event.SelectAttrValue("_EventID", "0")},
		{Name: "PayloadAsStream", Value: soap.FormatBool(true)}, // reading B11
		{Name: "UniqueID", Value: m.BackupGUID},
	} {
		event.CreateAttr(a.Name, a.Value)
	}
	if m.BackupGUID != "" {
		event.CreateAttr("BackupGUID", m.BackupGUID)
	}
}

// DecodeAccountStore reads the attributes of an Event.
func DecodeAccountStore(event *etree.Element) (*AccountStore, error) {
	a := soap.AttributesOf(event)
	m := &AccountStore{
		FragmentSize:  a.Int("BackupFragmenetSize", "BackupFragmentSize"),
		FragmentCount: a.Int("BackupFragmentCount"),
		Index:         a.Int("BackupIndexCount"),
		BackupSize:    a.Int("BackupSize"),
		BackupVersion: a.Int("BackupVersion"),
	}
	if a.Has("BackupGUID") {
		m.BackupGUID = a.Text("BackupGUID")
	}
	a.OneOf("PayloadAsStream", "1") // "MUST be set to true"
	return m, a.Err()
}
