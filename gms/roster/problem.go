package roster

import (
	"errors"

	"furrow/gms/directory"
)

// inviteError is an error of Invite. It ends the import, whatever kind of error it is: the member is there already.
type inviteError struct{ error }

func (e *inviteError) Unwrap() error { return e.error }

// problem is a problem with an attribute of the record, or with all of it.
func (r Record) problem(attribute, what, mend string) error {
	line := r.Line
	if value, ok := r.Values[attribute]; ok {
		line = value.Line
	}
	return &Problem{line, attribute, what, mend}
}

// problem makes one of what the directory says against a record, and returns other errors as they are. within is the
// attribute that was being looked at, empty for all of them.
func problem(r Record, within string, err error) error {
	var own *Problem
	var inviting *inviteError
	var value *directory.ValidationError
	switch {
	case errors.As(err, &own), errors.As(err, &inviting):
		return err
	case errors.As(err, &value):
		attribute := within
		if attribute == "" {
			attribute = attributeOf(value.Field)
		}
		return r.problem(attribute, "the value "+value.Reason, mend(attribute))
	}
	for _, known := range []struct {
		kind                  error
		attribute, what, mend string
	}{
		{directory.ErrLoginTaken, Login, "another member has this login name", "give each member another one, or none"},
		{directory.ErrGroupNotFound, Group, "there is no such group", "ask for groups to be created, or correct the path"},
		{directory.ErrTooDeep, Group, "groups would nest too deep", "use a shorter path"},
		{directory.ErrTemplateNotFound, Policy, "there is no such identity policy in the domain", "give its GUID, or none to inherit"},
		{directory.ErrRelaySetNotFound, RelaySet, "there is no such relay set in the domain", "give its GUID, or none to inherit"},
		{directory.ErrStatus, "", "the member cannot be changed any more", "remove the line"},
		{directory.ErrMemberNotFound, "", "the member is gone", "remove the line"},
	} {
		if errors.Is(err, known.kind) {
			return r.problem(known.attribute, known.what, known.mend)
		}
	}
	return err
}

// attributeOf is the attribute of a field as the directory names it.
func attributeOf(field string) string {
	switch field {
	case "remoteUser":
		return Login
	case "identityTemplate":
		return Policy
	}
	return field
}

// mend says how to mend a value that the directory does not take.
func mend(attribute string) string {
	switch attribute {
	case FullName:
		return "each member needs a name"
	case Email:
		return "write one address, such as ann@example.com"
	case Group:
		return "write names with / between them, such as Sales/North"
	}
	return "write one line of at most 256 characters"
}
