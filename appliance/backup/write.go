package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	"github.com/klauspost/compress/zstd"

	"furrow/appliance/config"
	"furrow/appliance/keys"
	"furrow/appliance/state"
)

// maxDuration is how long a backup may take: it keeps the room of what is deleted meanwhile.
const maxDuration = 12 * time.Hour

// Source is the running box that backups are made of.
type Source struct {
	// Parts are what keeps its own files; the first are copied first.
	Parts []Part
	Store *state.Store
	// StateDir is the folder of Store in the data directory.
	StateDir string
	Vault    *keys.Vault
	// ConfigFile is the configuration file; there need not be one.
	ConfigFile string
	Version    string
	Now        func() time.Time

	cost cost // zero: the usual
}

// Progress hears how many octets of the box are done, and of about how many.
type Progress func(done, total int64)

// Write writes a backup to w. When it fails, w has no end of a backup: a part of one is always noticed.
func (s *Source) Write(ctx context.Context, w io.Writer, password string, progress Progress) (m Manifest, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, maxDuration, fmt.Errorf("it takes longer than %v", maxDuration))
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("making a backup: %w", err)
		}
	}()
	c := s.cost
	if c == (cost{}) {
		c = usualCost()
	}
	header, aead, err := newHeader(password, c)
	if err != nil {
		return m, err
	}
	if _, err := w.Write(header); err != nil {
		return m, err
	}
	sealed := newSealer(w, aead, header)
	packed, err := zstd.NewWriter(sealed,
		zstd.WithEncoderLevel(zstd.SpeedFastest),                   // most of a box is encrypted by its clients already
		zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20)) // the box has other work and little memory
	if err != nil {
		return m, err
	}
	out := &archive{ctx: ctx, tar: tar.NewWriter(packed), progress: progress}
	if err = s.copy(out); err == nil {
		err = out.end()
	}
	if err == nil {
		err = out.tar.Close()
	}
	if closed := packed.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return m, err
	}
	return out.manifest, sealed.Close()
}

// Size is about how many octets a backup has at most.
func (s *Source) Size() int64 {
	size := s.stateSize()
	for _, p := range s.Parts {
		held := p.Hold()
		size += held.Size()
		_ = held.Release() // nothing went meanwhile that could fail to be removed
	}
	return size
}

// stateSize is about how long a snapshot of the state is.
func (s *Source) stateSize() int64 { return s.Store.Stats().FileBytes }

// copy writes the files of the box to out.
func (s *Source) copy(out *archive) (err error) {
	out.total = s.stateSize()
	held := make([]Held, len(s.Parts))
	for i, p := range s.Parts {
		held[i] = p.Hold()
		out.total += held[i].Size()
		defer func() { err = errors.Join(err, held[i].Release()) }()
	}
	view := s.Store.Snapshot() // after the holds: a row's blob is kept from before the row is read
	out.manifest = Manifest{Made: s.Now().UTC(), Version: s.Version, Sequence: view.Sequence()}
	for i, p := range s.Parts {
		err := held[i].Each(func(name string, size int64, open func() (io.ReadCloser, error)) error {
			return out.copyFile(path.Join(p.Dir, name), size, open)
		})
		if err != nil {
			return err
		}
	}
	if err := s.copyState(out, view); err != nil {
		return err
	}
	if err := out.add(keys.MasterKeyFile, s.Vault.MasterKey()); err != nil {
		return err
	}
	text, err := os.ReadFile(s.ConfigFile)
	if s.ConfigFile == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return out.add(config.FileName, text)
}

// copyState writes the snapshot twice, first to nobody: an archive has the length of a file before the file.
func (s *Source) copyState(out *archive, view *state.View) error {
	var size counter
	if err := s.Store.WriteSnapshot(&size, view); err != nil {
		return err
	}
	return out.write(path.Join(s.StateDir, state.SnapshotFile()), int64(size), func(w io.Writer) error {
		return s.Store.WriteSnapshot(w, view)
	})
}

// counter is a writer that only counts.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// archive writes files and remembers what they were.
type archive struct {
	ctx         context.Context // of the whole backup
	tar         *tar.Writer
	manifest    Manifest
	progress    Progress
	done, total int64
}

// Write counts what goes into the file that was begun last, and ends the backup when its time is over.
func (a *archive) Write(p []byte) (int, error) {
	if err := context.Cause(a.ctx); err != nil {
		return 0, err
	}
	n, err := a.tar.Write(p)
	a.done += int64(n)
	if a.progress != nil {
		a.progress(a.done, max(a.done, a.total))
	}
	return n, err
}

// write adds a file of size octets, which fill writes.
func (a *archive) write(name string, size int64, fill func(io.Writer) error) error {
	if err := a.begin(name, size); err != nil {
		return err
	}
	sum := sha256.New()
	if err := fill(io.MultiWriter(a, sum)); err != nil {
		return fmt.Errorf("copying %s: %w", name, err)
	}
	if err := a.tar.Flush(); err != nil { // fails if fewer octets came
		return fmt.Errorf("copying %s: %w", name, err)
	}
	a.manifest.Files = append(a.manifest.Files, File{Name: name, Size: size, SHA256: hex.EncodeToString(sum.Sum(nil))})
	return nil
}

func (a *archive) begin(name string, size int64) error {
	return a.tar.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, ModTime: a.manifest.Made, Format: tar.FormatPAX,
	})
}

func (a *archive) add(name string, data []byte) error {
	return a.write(name, int64(len(data)), func(w io.Writer) error {
		_, err := io.Copy(w, bytes.NewReader(data))
		return err
	})
}

func (a *archive) copyFile(name string, size int64, open func() (io.ReadCloser, error)) error {
	return a.write(name, size, func(w io.Writer) (err error) {
		f, err := open()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		_, err = io.CopyN(w, f, size)
		return err
	})
}

// end writes the manifest.
func (a *archive) end() error {
	data, err := json.Marshal(a.manifest)
	if err != nil {
		return err
	}
	if len(data) > maxManifest {
		return fmt.Errorf("%d files are more than a backup can hold", len(a.manifest.Files))
	}
	if err := a.begin(manifestName, int64(len(data))); err != nil {
		return err
	}
	_, err = a.tar.Write(data)
	return err
}
