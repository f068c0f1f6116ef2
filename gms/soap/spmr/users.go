package spmr

import (
	"errors"
	"fmt"

	"github.com/beevik/etree"

	"furrow/gms/soap"
)

// maxUserID bounds a userId, in bytes: a GUID has 36.
const maxUserID = 128

// UserAdd announces users to a relay (MS-GRVSPMR 2.2.3.10.1):
//
//	<userAdd rowCount=""><user userId=""/>...</userAdd>
type UserAdd struct {
	UserIDs []string // at least one
}

// Encode returns the payload.
func (m *UserAdd) Encode() []byte { return encodeUserIDs(MethodUserAdd, m.UserIDs) }

// DecodeUserAdd reads the payload. It fails with faults 310 to 312.
func DecodeUserAdd(payload []byte) (*UserAdd, error) {
	ids, err := decodeUserIDs(payload, MethodUserAdd)
	if err != nil {
		return nil, err
	}
	return &UserAdd{ids}, nil
}

// UserPurge discards the messages that a relay keeps for users, whatever the
// settings say of automatic purges (MS-GRVSPMR 2.2.3.12.1):
//
//	<userPurge rowCount=""><user userId=""/>...</userPurge>
type UserPurge struct {
	UserIDs []string // at least one
}

// Encode returns the payload.
func (m *UserPurge) Encode() []byte { return encodeUserIDs(MethodUserPurge, m.UserIDs) }

// DecodeUserPurge reads the payload. It fails with faults 310 to 312.
func DecodeUserPurge(payload []byte) (*UserPurge, error) {
	ids, err := decodeUserIDs(payload, MethodUserPurge)
	if err != nil {
		return nil, err
	}
	return &UserPurge{ids}, nil
}

// AccountModify disables or enables users (MS-GRVSPMR 2.2.3.1.1):
//
//	<accountModify rowCount=""><user lockout="" userId=""/>...</accountModify>
type AccountModify struct {
	Users []UserLockout // at least one
}

// UserLockout is the wanted state of a user.
type UserLockout struct {
	UserID    string
	LockedOut bool // the relay serves the user no more
}

// Encode returns the payload.
func (m *AccountModify) Encode() []byte {
	e := newList(MethodAccountModify, len(m.Users))
	for _, user := range m.Users {
		e.AddChild(soap.NewElement("user",
			soap.Attr{Name: "lockout", Value: soap.FormatBool(user.LockedOut)},
			soap.Attr{Name: "userId", Value: user.UserID}))
	}
	return soap.Canonical(e)
}

// DecodeAccountModify reads the payload. It fails with faults 310 to 312.
func DecodeAccountModify(payload []byte) (*AccountModify, error) {
	rows, err := decodeList(payload, MethodAccountModify)
	if err != nil {
		return nil, err
	}
	m := &AccountModify{Users: make([]UserLockout, 0, len(rows))}
	for _, row := range rows {
		if err := present(row, "lockout", "userId"); err != nil {
			return nil, err
		}
		id, err := decodeUserID(row)
		if err != nil {
			return nil, err
		}
		a := soap.AttributesOf(row)
		user := UserLockout{id, a.Bool("lockout")}
		if err := a.Err(); err != nil {
			return nil, invalid(err)
		}
		m.Users = append(m.Users, user)
	}
	return m, nil
}

func newList(method string, rows int) *etree.Element {
	return soap.NewElement(method, soap.Attr{Name: "rowCount", Value: soap.FormatInt(int32(rows))})
}

func encodeUserIDs(method string, ids []string) []byte {
	e := newList(method, len(ids))
	for _, id := range ids {
		e.AddChild(soap.NewElement("user", soap.Attr{Name: "userId", Value: id}))
	}
	return soap.Canonical(e)
}

func decodeUserIDs(payload []byte, method string) ([]string, error) {
	rows, err := decodeList(payload, method)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(rows))
	for _, row := range rows {
		id, err := decodeUserID(row)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// decodeList returns the user elements, of which there must be as many as
// rowCount says (MS-GRVSPMR 2.2.2.3.3): none is fault 311, fewer 312, more 310.
func decodeList(payload []byte, method string) ([]*etree.Element, error) {
	e, err := parse(payload, MaxRequestSize, method)
	if err != nil {
		return nil, err
	}
	if err := present(e, "rowCount"); err != nil {
		return nil, err
	}
	a := soap.AttributesOf(e)
	count := int(a.Int("rowCount"))
	if err := a.Err(); err != nil {
		return nil, invalid(err)
	}
	rows := soap.Children(e, "user")
	switch cause := fmt.Errorf("%s: %d of %d users", method, len(rows), count); {
	case len(rows) == 0:
		return nil, NewFault(CodeNoInput, cause)
	case len(rows) < count:
		return nil, NewFault(CodeMissingInput, cause)
	case len(rows) > count:
		return nil, NewFault(CodeInvalidInput, cause)
	}
	return rows, nil
}

func decodeUserID(row *etree.Element) (string, error) {
	if err := present(row, "userId"); err != nil {
		return "", err
	}
	a := soap.AttributesOf(row)
	id := a.Name("userId")
	if err := a.Err(); err != nil {
		return "", invalid(err)
	}
	if len(id) > maxUserID {
		return "", NewFault(CodeInvalidInput, errors.New("overlong userId"))
	}
	return id, nil
}
