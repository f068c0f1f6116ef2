package state

import "time"

// Reader is what rows are read from: a *View, or inside Update the *Tx.
// Rows read share their slices, maps and pointers with the store; treat them
// as immutable.
type Reader interface {
	// current returns the state that point reads use.
	current() *root
	// steady returns a table that does not change while it is walked.
	steady(table int) *tree
}

// View is one consistent, immutable and durable state of all tables. It needs
// no closing; holding one keeps the rows it shows in memory.
type View struct{ root *root }

func (v *View) current() *root         { return v.root }
func (v *View) steady(table int) *tree { return v.root.tables[table] }

// Sequence is the number of the last transaction in this state.
func (v *View) Sequence() uint64 { return v.root.sequence }

// LastStamp is the highest stamp given out by NextStamp, the zero time if none
// was.
func (v *View) LastStamp() time.Time { return stampTime(v.root.stamp) }

func stampTime(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
