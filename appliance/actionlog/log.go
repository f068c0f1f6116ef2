package actionlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"furrow/appliance/disk"
	"furrow/appliance/state"
)

// Tables are the package's tables in a store's schema.
type Tables struct{ settings *state.Table[Settings] }

// Declare adds them to a schema.
func Declare(s *state.Schema) *Tables {
	return &Tables{state.Define(s, "actionLogSettings", state.TableOptions[Settings]{
		Version: 1, Key: func(Settings) string { return settingsKey },
	})}
}

// Config is what a Log works with.
type Config struct {
	Dir string
	// FS is the file system, nil for the machine's.
	FS     disk.FS
	Store  *state.Store
	Tables *Tables // declared in the schema Store was opened with
	Now    func() time.Time
	Log    *slog.Logger
}

// Log is the action log. It is safe for concurrent use. Close it.
type Log struct {
	Config

	mu       sync.Mutex // guards what follows, and writing
	file     disk.File  // nil before the first line since the start
	day      string     // of file
	size     int64      // of file, in octets
	written  uint64     // the sequence of the last line
	previous string     // its hash
	failed   error

	flushing sync.Mutex // is taken before mu
	durable  uint64     // the sequence of the last line that is on the disk; guarded by flushing
}

// Open opens the log in a folder, which it makes.
func Open(c Config) (*Log, error) {
	if c.FS == nil {
		c.FS = disk.OS{}
	}
	l := &Log{Config: c}
	if err := c.FS.MakeDir(c.Dir); err != nil {
		return nil, fmt.Errorf("action log: %w", err)
	}
	days, err := l.days()
	if err != nil {
		return nil, err
	}
	// The last file may be empty, or torn in its only line.
	for _, day := range slices.Backward(days) {
		if err := l.resume(day); err != nil {
			return nil, fmt.Errorf("action log of %s: %w", day, err)
		}
		if l.written > 0 {
			break
		}
	}
	l.durable = l.written
	return l, nil
}

// days lists the days that have files, in order.
func (l *Log) days() ([]string, error) {
	names, err := l.FS.Names(l.Dir)
	if err != nil {
		return nil, fmt.Errorf("action log: %w", err)
	}
	var days []string
	for _, name := range names {
		day, ok := strings.CutSuffix(name, suffix)
		if _, err := time.Parse(dayLayout, day); ok && err == nil {
			days = append(days, day)
		}
	}
	slices.Sort(days)
	return days, nil
}

func (l *Log) path(day string) string { return filepath.Join(l.Dir, day+suffix) }

// resume finds the last line of a day's file, and takes away what a crash has torn behind it. A damaged line is left
// for Check to tell of.
func (l *Log) resume(day string) (err error) {
	f, err := l.FS.OpenFile(l.path(day), os.O_RDWR, disk.FileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	if torn := len(text) - len(whole); torn > 0 {
		l.Log.Warn("torn line at the end of the action log taken away", "day", day, "octets", torn)
		if err := errors.Join(f.Truncate(int64(len(whole))), f.Sync()); err != nil {
			return err
		}
	}
	for text := range bytes.Lines(whole) {
		text = bytes.TrimSuffix(text, []byte("\n"))
		if parsed, err := decode(text); err == nil {
			l.written = max(l.written, parsed.Sequence)
		}
		l.previous = hashOf(text)
	}
	return nil
}

// Begin writes down what is about to be done. It must not be done if that fails.
func (l *Log) Begin(a Action) (sequence uint64, err error) {
	a.Time = l.Now().UTC()
	return l.append(&line{Time: a.Time, Action: &a})
}

// End writes down what came of an action.
func (l *Log) End(sequence uint64, r Result) error {
	_, err := l.append(&line{Time: l.Now().UTC(), Of: sequence, Result: &r})
	return err
}

// append writes a line and returns when it is on the disk.
func (l *Log) append(n *line) (uint64, error) {
	sequence, err := l.write(n)
	if err == nil {
		err = l.flush(sequence)
	}
	if err != nil {
		return 0, fmt.Errorf("writing the action log: %w", err)
	}
	return sequence, nil
}

func (l *Log) write(n *line) (uint64, error) {
	// Another day's file is begun by whoever holds both locks: a flush must not lose its file.
	day := n.Time.Format(dayLayout)
	if l.begun(day) {
		return l.add(n)
	}
	l.flushing.Lock()
	defer l.flushing.Unlock()
	if err := l.begin(day); err != nil {
		return 0, err
	}
	return l.add(n)
}

// begun reports whether lines of the day can be added. Days do not go back when the clock does.
func (l *Log) begun(day string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file != nil && l.day >= day && l.intact()
}

// intact reports whether the file under its name can be the one that is open: an editor puts another in its place. What
// was changed in it, Check finds. l.mu is held.
func (l *Log) intact() bool {
	size, err := l.FS.Size(l.path(l.day))
	if err == nil && size == l.size {
		return true
	}
	l.Log.Error("the action log was changed by somebody else", "day", l.day, "octets", size, "want", l.size, "error", err)
	return false
}

// begin opens the file of a day, and ends the one before. l.flushing is held.
func (l *Log) begin(day string) error {
	days, err := l.days()
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(days) > 0 {
		day = max(day, days[len(days)-1])
	}
	if l.failed != nil || l.file != nil && l.day >= day && l.intact() {
		return l.failed
	}
	if l.file != nil {
		if err := errors.Join(l.file.Sync(), l.file.Close()); err != nil {
			return l.fail(err)
		}
		l.file, l.durable = nil, l.written
	}
	f, err := l.FS.OpenFile(l.path(day), os.O_WRONLY|os.O_APPEND|os.O_CREATE, disk.FileMode)
	if err != nil {
		return err
	}
	if err := l.FS.SyncDir(l.Dir); err != nil {
		return l.fail(errors.Join(err, f.Close()))
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	l.file, l.day, l.size = f, day, info.Size()
	return nil
}

// add writes a line, without flushing it.
func (l *Log) add(n *line) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return 0, l.failed
	}
	n.Sequence, n.Previous = l.written+1, l.previous
	text, err := n.encode()
	if err != nil {
		return 0, err
	}
	if written, err := l.file.Write(text); err != nil {
		return 0, l.unwrite(int64(written), err)
	}
	l.size += int64(len(text))
	l.written, l.previous = n.Sequence, hashOf(text[:len(text)-1])
	return n.Sequence, nil
}

// unwrite takes a part of a line away that a full disk has left. l.mu is held.
func (l *Log) unwrite(part int64, cause error) error {
	if part == 0 {
		return cause
	}
	if err := l.file.Truncate(l.size); err != nil {
		return l.fail(errors.Join(cause, err))
	}
	return cause
}

// flush returns when the line is on the disk. Lines that are written while a flush runs share the next one.
func (l *Log) flush(sequence uint64) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	if l.durable >= sequence {
		return nil
	}
	l.mu.Lock()
	file, upTo, failed := l.file, l.written, l.failed
	l.mu.Unlock()
	if failed != nil {
		return failed
	}
	if err := file.Sync(); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		return l.fail(err)
	}
	l.durable = upTo
	return nil
}

// fail ends the log: after a failed flush nobody knows what is on the disk. l.mu is held.
func (l *Log) fail(cause error) error {
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: %w", ErrFailed, cause)
		l.Log.Error("action log failed; nothing can be changed until the box starts again", "error", cause)
	}
	return l.failed
}

// Close ends the log.
func (l *Log) Close() error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%w: it is closed", ErrFailed)
	}
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
