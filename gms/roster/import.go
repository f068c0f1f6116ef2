package roster

import (
	"context"
	"errors"
	"fmt"

	"furrow/appliance/state"
	"furrow/gms/directory"
)

// ImportOptions say how to import.
type ImportOptions struct {
	// Domain is the GUID of the domain of the members.
	Domain string
	// Key is the attribute by which a line finds the member that it is to change: GUID, Email or Login. A line that finds
	// none adds a member, except by a GUID, which nobody can choose. Empty to add members only.
	Key string
	// CreateGroups makes the groups that are not there.
	CreateGroups bool
	// SkipBad leaves out lines with a problem. Otherwise one of them makes all others unmade too.
	SkipBad bool
	// DryRun changes nothing.
	DryRun bool
	// Invite is called for each member that was created, in the transaction; nil to call nothing. Its error ends the import.
	Invite func(b directory.MemberBatch, guid string) error
}

// errTakenBack makes a transaction undo what it has done.
var errTakenBack = errors.New("taken back")

// Import makes a file's changes, all in one transaction. Problems are in the report; an error says that the import could
// not be tried: a wrong option, an error of the store or of Invite.
func Import(ctx context.Context, d *directory.Directory, f File, o ImportOptions) (Report, error) {
	switch o.Key {
	case "", GUID, Email, Login:
	default:
		return Report{}, fmt.Errorf("%w: members are found by guid, email or login, not by %q", ErrInvalid, o.Key)
	}
	var run *importRun
	err := d.ChangeMembers(ctx, func(b directory.MemberBatch) error {
		run = newImportRun(b, f, o)
		return run.all()
	})
	if err != nil && !errors.Is(err, errTakenBack) {
		if errors.Is(err, state.ErrTooLarge) {
			err = fmt.Errorf("%w: too much for one step; import it in several files", ErrInvalid)
		}
		return Report{}, fmt.Errorf("importing members: %w", err)
	}
	run.report.Applied = err == nil
	if err != nil {
		run.report.withdraw()
	}
	return run.report, nil
}

// ErrInvalid says that an import was asked for in a way that does not work.
var ErrInvalid = errors.New("invalid")
