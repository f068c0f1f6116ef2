package relaylink

import (
	"context"
	"errors"
	"slices"

	"furrow/gms/soap/spmr"
)

// batches sends messages about many users, each of [spmr.MaxUsers] at most.
type batches struct {
	*link
	phase   phase
	method  string
	message func(users []string) message
	before  func(*userRow)   // what is not known any more once the message is sent
	after   func(*userRow)   // what the answer means
	refused map[string]error // gets the users that the relay refuses
}

// lockout tells the relay whether users are locked out.
func (b *batches) lockout(ctx context.Context, users []string, lockedOut bool) error {
	b.method = spmr.MethodAccountModify
	b.message = func(users []string) message {
		m := &spmr.AccountModify{}
		for _, user := range users {
			m.Users = append(m.Users, spmr.UserLockout{UserID: user, LockedOut: lockedOut})
		}
		return m
	}
	b.before = func(row *userRow) { row.LockoutKnown = false }
	b.after = func(row *userRow) { row.Lockout, row.LockoutKnown = lockedOut, true }
	return b.send(ctx, users)
}

func (b *batches) send(ctx context.Context, users []string) error {
	for batch := range slices.Chunk(users, spmr.MaxUsers) {
		if err := b.sendOne(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// sendOne sends one message. Where the relay refuses the content, the halves are
// sent by themselves, down to the users who are to blame: one of them must not
// keep the others from the relay.
func (b *batches) sendOne(ctx context.Context, users []string) error {
	if err := b.record(ctx, b.relay, users, b.before); err != nil {
		return err
	}
	err := b.tell(ctx, b.phase, b.method, b.message(users))
	if err == nil {
		return b.record(ctx, b.relay, users, b.after)
	}
	if fault, ok := errors.AsType[*faultError](err); !ok ||
		fault.Code < spmr.CodeInvalidInput || fault.Code > spmr.CodeMissingInput {
		return err
	}
	if len(users) > 1 {
		half := len(users) / 2
		if err := b.sendOne(ctx, users[:half]); err != nil {
			return err
		}
		return b.sendOne(ctx, users[half:])
	}
	b.refused[users[0]] = err
	// If the relay has lost the user, the next attempt begins by adding it again.
	return b.record(ctx, b.relay, users, func(row *userRow) { row.Added = false })
}
