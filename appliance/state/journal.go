package state

import (
	"errors"
	"fmt"
	"os"

	"github.com/tidwall/buntdb"

	"furrow/appliance/disk"
)

// journal is the open generation file: BuntDB appends to it, and a descriptor
// of our own flushes it, because BuntDB ignores what fsync reports. The
// committer goroutine owns it.
type journal struct {
	db         *buntdb.DB
	file       disk.File
	generation uint64
	start      int64 // size of the checkpoint
	size       int64 // what the file's size must be
	broken     bool  // BuntDB panicked and holds its lock: never call it again
}

// errBroken: BuntDB could not take a failed write back.
var errBroken = errors.New("journal is broken")

// openJournal opens a file that the scanner found sound from end to end.
// BuntDB is never shown any other: damaged lengths make it panic, loop, or
// exhaust memory.
func openJournal(fs disk.FS, name string, generation uint64, start, size int64) (_ *journal, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("open journal %s: %w", name, err)
		}
	}()
	file, err := fs.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	db, err := openBunt(name)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &journal{db: db, file: file, generation: generation, start: start, size: size}, nil
}

func openBunt(name string) (db *buntdb.DB, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("buntdb panicked: %v", p)
		}
	}()
	db, err = buntdb.Open(name)
	if err != nil {
		return nil, err
	}
	err = db.SetConfig(buntdb.Config{SyncPolicy: buntdb.Never, AutoShrinkDisabled: true})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// append writes one transaction, whose effects stand in value behind room for
// the header, as one Set in a BuntDB transaction of its own. mark is the
// highest sequence known to be durable.
func (j *journal) append(value []byte, sequence, mark uint64) (err error) {
	size := j.size + recordBytes(len(value))
	if size > maxFileBytes {
		return fmt.Errorf("journal of %d bytes: %w", j.size, ErrFull)
	}
	sealValue(value, j.generation, record{kind: kindJournal, number: sequence, mark: mark})
	defer func() {
		if p := recover(); p != nil {
			j.broken = true
			err = fmt.Errorf("append transaction %d: %w: %v", sequence, errBroken, p)
		}
	}()
	err = j.db.Update(func(tx *buntdb.Tx) error {
		_, _, err := tx.Set(recordKey(kindJournal, sequence), string(value), nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("append transaction %d: %w", sequence, writeError(err))
	}
	j.size = size
	return nil
}

// value returns a transaction as it was appended.
func (j *journal) value(sequence uint64) (value string, err error) {
	err = j.db.View(func(tx *buntdb.Tx) error {
		value, err = tx.Get(recordKey(kindJournal, sequence))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read transaction %d: %w", sequence, err)
	}
	return value, nil
}

// sync makes everything appended durable. It first checks that the file is as
// long as the records are: a failed write that was not taken back, or another
// writer, would show here.
func (j *journal) sync() error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	if info.Size() != j.size {
		return fmt.Errorf("journal has %d bytes, not %d: %w", info.Size(), j.size, errBroken)
	}
	return j.file.Sync()
}

func (j *journal) close() error {
	var err error
	if !j.broken {
		err = j.db.Close()
	}
	return errors.Join(err, j.file.Close())
}
