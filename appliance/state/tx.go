package state

import (
	"fmt"
	"time"
)

// Tx is a running transaction. It sees its own changes and those of every
// transaction before it, durable or not; what it saw is durable when Update
// returns. It is valid only inside the function given to Update, and only in
// that function's goroutine.
type Tx struct {
	head  *root
	value []byte // room for the record header, then the effects
	log   []undo
	err   error // first failed change; dooms the transaction
}

func newTx(head *root) *Tx {
	return &Tx{head: head, value: make([]byte, headerBytes, 512)}
}

func (tx *Tx) current() *root { return tx.head }

// steady copies the table, so that a loop over rows may change them.
func (tx *Tx) steady(table int) *tree { return tx.head.tables[table].copy() }

// changed reports whether the transaction has effects.
func (tx *Tx) changed() bool { return len(tx.value) > headerBytes }

// fail dooms the transaction: a change whose error the caller overlooks must
// not leave the other changes behind.
func (tx *Tx) fail(err error) error {
	if tx.err == nil {
		tx.err = err
	}
	return err
}

// room checks that n more bytes of effects fit in one record.
func (tx *Tx) room(n int) error {
	const overhead = 3 * 10 // three varints and an operation, rounded up
	if len(tx.value)-headerBytes+n+overhead > maxBodyBytes {
		return fmt.Errorf("transaction of more than %d bytes: %w", maxBodyBytes, ErrTooLarge)
	}
	return nil
}

// NextStamp returns now in whole milliseconds, or one millisecond after the
// last stamp when the clock does not show a later one. Stamps increase
// strictly over the life of the store, across restarts and backward jumps of
// the clock; the stamp is recorded with this transaction.
func (tx *Tx) NextStamp(now time.Time) time.Time {
	ms := max(now.UnixMilli(), tx.head.stamp+1)
	tx.log = append(tx.log, undo{stamp: tx.head.stamp})
	tx.head.stamp = ms
	tx.value = appendStamp(tx.value, ms)
	return stampTime(ms)
}
