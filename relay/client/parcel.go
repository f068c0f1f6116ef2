package client

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// ParcelResource is the resource URL of parcels. Parcels are an application of
// this program, not a format of Groove: no product has a handler for them.
const ParcelResource = "urn:x-furrow:parcel:1"

const (
	// parcelMagic begins every parcel.
	parcelMagic = "FURROW PARCEL 1\n"
	// maxParcelHeader bounds the JSON of a header; a name of 255 octets takes at
	// most 1.5 KB of it.
	maxParcelHeader = 4 << 10
	// maxName is the longest name of a file, in octets, that file systems have.
	maxName = 255
	// parcelIDSize is the size of an identifier: 128 random bits.
	parcelIDSize = 16
)

// Parcel is a file as it travels. The message is
//
//	magic          16  "FURROW PARCEL 1\n"
//	header length  4   little-endian, at most 4096
//	header             JSON: {"id","name","size","sha256"}, numbers as numbers,
//	                   octets as lower-case hexadecimal digits; what else is in
//	                   it is ignored
//	content            size octets
type Parcel struct {
	// ID is 32 hexadecimal digits. It stays the same when the parcel is sent
	// again, so that recipients know it.
	ID string
	// Name of the file, without folders. Recipients trust it with nothing.
	Name   string
	Size   int64
	SHA256 [sha256.Size]byte
}

// parcelHeader is the JSON of a parcel.
type parcelHeader struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// ErrNotParcel says that a message is not a parcel.
var ErrNotParcel = errors.New("not a parcel")

func newParcelID() string {
	id := make([]byte, parcelIDSize)
	rand.Read(id) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(id)
}

// AppendHeader appends everything of a parcel but its content.
func (p *Parcel) AppendHeader(dst []byte) ([]byte, error) {
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("parcel: %w", err)
	}
	header, err := json.Marshal(parcelHeader{ID: p.ID, Name: p.Name, Size: p.Size, SHA256: hex.EncodeToString(p.SHA256[:])})
	if err != nil {
		return nil, fmt.Errorf("parcel: %w", err)
	}
	if len(header) > maxParcelHeader {
		return nil, errors.New("parcel: header too long")
	}
	dst = append(dst, parcelMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(header)))
	return append(dst, header...), nil
}

// ReadParcel reads everything of a parcel but its content. An error of r comes as
// it is, except that an early end is [ErrNotParcel], as is all that is malformed.
func ReadParcel(r io.Reader) (*Parcel, error) {
	var fixed [len(parcelMagic) + 4]byte
	if _, err := io.ReadFull(r, fixed[:]); err != nil {
		return nil, malformed(err)
	}
	length := binary.LittleEndian.Uint32(fixed[len(parcelMagic):])
	if string(fixed[:len(parcelMagic)]) != parcelMagic || length > maxParcelHeader {
		return nil, ErrNotParcel
	}
	header := make([]byte, length)
	if _, err := io.ReadFull(r, header); err != nil {
		return nil, malformed(err)
	}
	var h parcelHeader
	if err := json.Unmarshal(header, &h); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotParcel, err)
	}
	p := &Parcel{ID: h.ID, Name: h.Name, Size: h.Size}
	digest, err := hex.DecodeString(h.SHA256)
	if err != nil || len(digest) != sha256.Size {
		return nil, fmt.Errorf("%w: SHA-256 of %.80q", ErrNotParcel, h.SHA256)
	}
	copy(p.SHA256[:], digest)
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotParcel, err)
	}
	return p, nil
}

func malformed(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("%w: too short", ErrNotParcel)
	}
	return err
}

// check says what is wrong with a parcel.
func (p *Parcel) check() error {
	id, err := hex.DecodeString(p.ID)
	switch {
	case err != nil || len(id) != parcelIDSize || hex.EncodeToString(id) != p.ID: // it becomes the name of a file
		return fmt.Errorf("identifier %.40q", p.ID)
	case p.Name == "" || len(p.Name) > maxName || !utf8.ValidString(p.Name):
		return fmt.Errorf("name %.300q", p.Name)
	case p.Size < 0:
		return fmt.Errorf("size %d", p.Size)
	}
	return nil
}
