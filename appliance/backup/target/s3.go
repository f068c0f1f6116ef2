package target

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	// minPart is how much of an upload is in memory, in octets; S3 takes no part of less than 5 MiB but the last.
	minPart = 16 << 20
	// maxParts is how many parts an upload may have; S3 takes 10,000.
	maxParts = 9000
	// maxRetries is how often a request is tried again before the backup fails, to be tried again as a whole later.
	maxRetries = 4
	// cleanupTimeout bounds the removal of what a failure left.
	cleanupTimeout = 30 * time.Second
)

// s3Target is a bucket, or what begins with a prefix in it.
type s3Target struct {
	client         *minio.Client
	host           string
	bucket, prefix string // prefix ends with a slash, if there is one
}

func newS3(u *url.URL, a Address) (*s3Target, error) {
	bucket, prefix, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	if bucket == "" || a.Login == "" || a.Password == "" {
		return nil, fmt.Errorf("%w: S3 needs a bucket, an access key and a secret key", ErrInvalid)
	}
	if prefix != "" {
		prefix += "/"
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(a.Login, a.Password, ""), Secure: u.Scheme == "s3", Region: a.Region,
		MaxRetries: maxRetries,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return &s3Target{client: client, host: u.Host, bucket: bucket, prefix: prefix}, nil
}

// failed says of whom an error is.
func (t *s3Target) failed(what string, err error) error {
	return fmt.Errorf("S3 server %s: %s: %w", t.host, what, err)
}

// Put implements [Target]. S3 shows an object when its last part is there.
func (t *s3Target) Put(ctx context.Context, name string, size int64, write func(io.Writer) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		err := write(writer)
		_ = writer.CloseWithError(err) // never fails
		written <- err
	}()
	const unknown = -1
	_, err := t.client.PutObject(ctx, t.bucket, t.prefix+name, reader, unknown, minio.PutObjectOptions{
		ContentType: "application/octet-stream", PartSize: uint64(max(minPart, size/maxParts+1)), NumThreads: 1,
	})
	_ = reader.CloseWithError(cmp.Or(err, io.ErrClosedPipe)) // ends write if the server has given up; never fails
	if failed := <-written; failed != nil && !errors.Is(failed, err) {
		err = errors.Join(failed, err)
	}
	if err == nil {
		return nil
	}
	err = t.failed("storing "+name, err)
	// What an earlier try has left counts and costs there too.
	cleanup, stop := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer stop()
	if left := t.client.RemoveIncompleteUpload(cleanup, t.bucket, t.prefix+name); left != nil {
		err = errors.Join(err, t.failed("removing an unfinished upload", left))
	}
	return err
}

// Open implements [Target].
func (t *s3Target) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	object, err := t.client.GetObject(ctx, t.bucket, t.prefix+name, minio.GetObjectOptions{})
	if err == nil {
		_, err = object.Stat() // GetObject asks nobody
	}
	if err != nil {
		return nil, t.failed("opening "+name, err)
	}
	return object, nil
}

// List implements [Target].
func (t *s3Target) List(ctx context.Context, prefix string) ([]File, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the listing after an error
	defer cancel()
	var files []File
	for object := range t.client.ListObjects(ctx, t.bucket, minio.ListObjectsOptions{Prefix: t.prefix + prefix}) {
		if object.Err != nil {
			return nil, t.failed("listing "+t.bucket, object.Err)
		}
		if !strings.HasSuffix(object.Key, "/") {
			files = append(files, File{Name: path.Base(object.Key), Size: object.Size})
		}
	}
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	return files, nil
}

// Remove implements [Target].
func (t *s3Target) Remove(ctx context.Context, name string) error {
	if err := t.client.RemoveObject(ctx, t.bucket, t.prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return t.failed("deleting "+name, err)
	}
	return nil
}

// Close implements [Target].
func (t *s3Target) Close() error { return nil }
