package backup

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"
)

// Verify reads a backup to its end and returns what is in it, or what is wrong with it.
func Verify(ctx context.Context, r io.Reader, password string) (Manifest, error) {
	return read(ctx, r, password, func(string) (io.WriteCloser, error) { return nobody{}, nil })
}

// nobody is a file that is not written.
type nobody struct{}

func (nobody) Write(p []byte) (int, error) { return len(p), nil }
func (nobody) Close() error                { return nil }

// read reads a backup to its end and gives the contents of each file to what create returns for it.
func read(
	ctx context.Context, r io.Reader, password string, create func(name string) (io.WriteCloser, error),
) (Manifest, error) {
	header, aead, err := readHeader(r, password)
	if err != nil {
		return Manifest{}, fmt.Errorf("reading the backup: %w", err)
	}
	opened := newOpener(r, aead, header)
	m, err := unpack(ctx, opened, create)
	if opened.err != nil && !errors.Is(opened.err, io.EOF) {
		err = opened.err // and not what the layers above made of it
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("reading the backup: %w", err)
	}
	return m, nil
}

// unpack reads the archive and what is behind it, which is nothing.
func unpack(
	ctx context.Context, r io.Reader, create func(name string) (io.WriteCloser, error),
) (Manifest, error) {
	const window = 8 << 20 // more than the writer uses; bounds memory
	packed, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderLowmem(true))
	if err != nil {
		return Manifest{}, err
	}
	defer packed.Close()
	in := tar.NewReader(packed)
	var files []File
	for {
		if err := context.Cause(ctx); err != nil {
			return Manifest{}, err
		}
		h, err := in.Next()
		if err != nil { // io.EOF too: there is no manifest
			return Manifest{}, fmt.Errorf("%w: its archive: %w", ErrDamaged, err)
		}
		if err := checkEntry(h); err != nil {
			return Manifest{}, err
		}
		if h.Name == manifestName {
			break
		}
		f, err := unpackFile(in, h, create)
		if err != nil {
			return Manifest{}, err
		}
		files = append(files, f)
	}
	m, err := readManifest(in)
	if err != nil {
		return Manifest{}, err
	}
	if !slices.Equal(m.Files, files) {
		return Manifest{}, fmt.Errorf("%w: it holds other files than its manifest", ErrDamaged)
	}
	if _, err := in.Next(); !errors.Is(err, io.EOF) {
		return Manifest{}, errors.Join(fmt.Errorf("%w: its archive goes on behind the manifest", ErrDamaged), err)
	}
	if n, err := io.Copy(io.Discard, packed); err != nil || n > 0 {
		return Manifest{}, errors.Join(fmt.Errorf("%w: %d octets behind its archive", ErrDamaged, n), err)
	}
	return m, nil
}

func unpackFile(
	in *tar.Reader, h *tar.Header, create func(name string) (io.WriteCloser, error),
) (f File, err error) {
	w, err := create(h.Name)
	if err != nil {
		return f, err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(w, sum), in)
	if err = errors.Join(err, w.Close()); err != nil {
		return f, fmt.Errorf("%s: %w", h.Name, err)
	}
	return File{Name: h.Name, Size: h.Size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}
