package spcm

import (
	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// MaxFragment bounds the content of one fragment of an upload, in bytes. What
// real clients cut is not published; a client of 2007 on a modem needs three
// minutes for this.
const MaxFragment = 1 << 20

// maxFragments bounds the number of fragments of one upload. With those of a
// client that cuts as finely as 16 KiB, it is a file of a gigabyte.
const maxFragments = 1 << 16

// uploadVersion is the BackupVersion of uploads. Only MS-GRVSPCM 2.2.3.30.1
// publishes one.
const uploadVersion = 3

// UploadFragment is the part of an Event that carries a fragment of an audit
// log or a file (MS-GRVSPCM 2.2.3.5.1, 2.2.3.30.1). BackupGUID binds the
// fragments of one upload, Index orders them.
type UploadFragment struct {
	BackupGUID string
	Index      int32 // BackupIndexCount, from 1
	Count      int32 // BackupFragmentCount, of all fragments
	Size       int32 // BackupFragmentSize, of this one; in which units, is not said
	TotalSize  int32 // BackupSize, of all fragments, in bytes
	Data       []byte
}

// add adds the attributes to an Event. sizeName is the schema's spelling of
// BackupFragmentSize (reading B1).
func (u *UploadFragment) add(event *etree.Element, sizeName string) {
	for _, a := range []soap.Attr{
		{Name: "BackupFragmentCount", Value: soap.FormatInt(u.Count)},
		{Name: "BackupGUID", Value: u.BackupGUID},
		{Name: "BackupIndexCount", Value: soap.FormatInt(u.Index)},
		{Name: "BackupSize", Value: soap.FormatInt(u.TotalSize)},
		{Name: "BackupVersion", Value: soap.FormatInt(uploadVersion)},
		{Name: sizeName, Value: soap.FormatInt(u.Size)},
		{Name: "_EA2", Value: soap.EncodeBase64(u.Data)},
	} {
		event.CreateAttr(a.Name, a.Value)
	}
}

// decodeUploadFragment reads the attributes of an Event.
func decodeUploadFragment(a *soap.Attributes) UploadFragment {
	u := UploadFragment{
		BackupGUID: a.Name("BackupGUID"),
		Index:      a.Int("BackupIndexCount"),
		Count:      a.Int("BackupFragmentCount"),
		Size:       a.Int("BackupFragmentSize", "BackupFragmenetSize"),
		TotalSize:  a.Int("BackupSize"),
		Data:       a.Base64("_EA2", "EA2"),
	}
	switch {
	case a.Err() != nil:
	case u.Count < 1 || u.Count > maxFragments:
		a.Reject("BackupFragmentCount", "not a number of fragments")
	case u.Index < 1 || u.Index > u.Count:
		a.Reject("BackupIndexCount", "not one of the fragments")
	case u.Size < 0:
		a.Reject("BackupFragmentSize", "negative")
	case u.TotalSize < 1:
		a.Reject("BackupSize", "not a size")
	case len(u.Data) == 0 || len(u.Data) > MaxFragment:
		a.Reject("_EA2", "not a fragment")
	}
	return u
}

// Last reports whether no fragment follows.
func (u *UploadFragment) Last() bool { return u.Index == u.Count }
