// Package state holds every durable fact of the box in memory, as typed tables
// with secondary indexes, and journals each change before anyone is told of it.
//
// # Use
//
// Packages declare tables on a Schema, the program opens it once:
//
//	schema := state.NewSchema()
//	members := state.Define(schema, "member", state.TableOptions[Member]{Version: 1, Key: Member.GUID})
//	byEmail := state.DefineUnique(members, "email", Member.emails)
//	store, report, err := state.Open(dir, schema, state.Options{Logger: log})
//	err = store.Update(ctx, func(tx *state.Tx) error { return members.Put(tx, m) })
//	m, ok := byEmail.First(store.Snapshot(), "ann@example.org")
//
// Readers take the newest durable state, an immutable snapshot, and wait for
// nobody. Rows are values that nobody changes: a writer puts a new one.
//
// # Commit
//
// Transactions run one after the other on the head, copy-on-write trees under
// a mutex, and queue. The committer goroutine appends what is queued, flushes
// once for all of it, publishes the state after it, and answers. What queues
// during a flush shares the next one.
//
//   - A write that fails (ErrFull, ErrWrite) takes back its transaction and
//     those that stand on it; what was written before it is flushed and
//     acknowledged. The store goes on.
//   - A flush that fails ends the store (ErrFailed): Linux forgets which pages
//     it could not write, so a second flush may succeed without them. The
//     service must stop. The next Open writes the journal's bytes again before
//     it believes them.
//
// # Files
//
// The folder holds generations, state.00000001 and so on. Each is a file of
// BuntDB: a checkpoint of all rows in chunks, an end marker, then the journal.
// One transaction is one record, written by one Set in a BuntDB transaction of
// its own, because BuntDB keeps no transaction together that has more. Records
// carry length, number and CRC-32C; rows carry their table's version.
//
// Compaction writes the next generation beside the current one, flushes it,
// reads it back, copies the transactions that came meanwhile, gives it its
// name and flushes the folder; then the old file gets a seal, a last record
// that names its successor. Two old generations are kept. The transactions of
// a generation lead to, or beyond, the checkpoint of the next one.
//
// # Torn or damaged
//
// Our own scanner reads a file before BuntDB sees it. The first record that is
// not sound, or not the next in sequence, is one of two things.
//
// Torn: a write that the power cut or the kill interrupted. No flush covered
// it, so nobody was told. The tail is copied aside and cut, and the report
// says so. The evidence must be complete:
//
//   - the file ends inside the record, and every byte up to there is right (a
//     changed length is not: it is written twice); or the record's beginning
//     is right and then a sector, or all up to the end of the file, is zero,
//     as where a disk never wrote;
//   - and no sound record behind it says that it was written after this one
//     was durable. Each record carries the sequence that was durable when it
//     was written. Records of the same group may stand behind a torn one,
//     because a disk writes the sectors of one flush in any order; they are
//     cut with it.
//
// Damaged: everything else, such as a flipped bit in the last record, whose
// length is right and which is not zero: a cut does not do that. The store
// opens read-only with the longest provable beginning of its history, changes
// no file, and the report names what is lost; AcceptRecovery goes on from
// there and keeps the damaged files under other names. A checkpoint is never
// torn, as the file got its name after its flush. A damaged one costs nothing
// while the generation before it is sound.
//
// Not provable, and so reported as torn or not at all: the loss of
// acknowledged transactions at the very end of the newest file, when a disk
// that lied about its flush, or someone with an editor, leaves exactly what an
// interrupted write would leave.
//
// # Limits
//
// A transaction has at most 32 MiB, a file 1 GiB. BuntDB keeps the open file's
// contents in memory beside the tables; compaction bounds that to a multiple
// of the live rows. Opening needs memory in proportion to the file, whatever
// the file claims.
package state
