package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"furrow/sstp"
)

// Shipment is a file to be sent as a parcel, as often as it takes.
type Shipment struct {
	Parcel
	file *os.File
}

// ErrFileChanged says that a file has changed while it was being sent.
var ErrFileChanged = errors.New("the file has changed while it was being sent")

// NewShipment opens a file and reads it once for its digest.
func NewShipment(path string) (*Shipment, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	s := &Shipment{file: file}
	if err := s.describe(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", path, err), file.Close())
	}
	return s, nil
}

func (s *Shipment) describe() error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	digest := sha256.New()
	size, err := io.Copy(digest, s.file)
	if err != nil {
		return err
	}
	s.Parcel = Parcel{
		ID:   newParcelID(),
		Name: strings.ToValidUTF8(filepath.Base(s.file.Name()), "�"),
		Size: size,
	}
	digest.Sum(s.SHA256[:0])
	return nil
}

// Close closes the file.
func (s *Shipment) Close() error { return s.file.Close() }

// body returns the message, from its beginning, and the length of what comes
// before the content.
func (s *Shipment) body() (io.Reader, int64, error) {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return nil, 0, err
	}
	header, err := s.AppendHeader(nil)
	if err != nil {
		return nil, 0, err
	}
	content := &sealed{file: s.file, parcel: &s.Parcel, digest: sha256.New()}
	return io.MultiReader(bytes.NewReader(header), content), int64(len(header)), nil
}

// sealed reads a file and fails at its end if it is not what the parcel says.
type sealed struct {
	file   io.Reader
	parcel *Parcel
	digest hash.Hash
	size   int64
}

// Read implements [io.Reader].
func (s *sealed) Read(p []byte) (int, error) {
	n, err := s.file.Read(p)
	s.digest.Write(p[:n])
	s.size += int64(n)
	if s.size > s.parcel.Size ||
		err == io.EOF && (s.size != s.parcel.Size || !bytes.Equal(s.digest.Sum(nil), s.parcel.SHA256[:])) {
		return 0, ErrFileChanged
	}
	return n, err
}

// Sender sends parcels by the first of its relays that can be reached.
type Sender struct {
	Relays []Options // at least one
	Retry  Retry
}

// Send sends a shipment until a relay has acknowledged it. Outcomes are those of
// [Link.Send]. progress is told how much of the content is on its way; it starts
// again with each attempt.
func (s *Sender) Send(ctx context.Context, targets []Target, shipment *Shipment, progress func(sent int64)) (outcomes []Outcome, err error) {
	err = s.Retry.Do(ctx, func(ctx context.Context) error {
		link, err := s.dial(ctx)
		if err != nil {
			return err
		}
		defer link.Close()
		body, before, err := shipment.body()
		if err != nil {
			return fmt.Errorf("sending %s: %w", shipment.Name, err)
		}
		outcomes, err = link.Send(ctx, targets, Message{
			ResourceURL: ParcelResource,
			Flags:       sstp.FlagAcknowledgeImmediately, // somebody is waiting
			Body:        body,
			Progress:    func(sent int64) { progress(max(sent-before, 0)) },
		})
		return err
	})
	return outcomes, err
}

// dial connects to the first relay that answers. The others are asked only when
// the failure is one that may pass: a refusal is for the caller to know.
func (s *Sender) dial(ctx context.Context) (*Link, error) {
	var failures []error
	for _, o := range s.Relays {
		link, err := Dial(ctx, o)
		if err == nil {
			return link, nil
		}
		failures = append(failures, err)
		if _, again := transient(err); !again || ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(failures...)
}
