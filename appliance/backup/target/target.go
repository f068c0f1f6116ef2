// Package target keeps backups where they survive the box: in a folder, such as that of a disk of its own, on a server
// that speaks SFTP, or on one that speaks S3.
//
// All targets store a file whole or not at all, under a name that is not taken before it is complete.
package target

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
)

// Target is a place for files.
type Target interface {
	// Put stores what write writes, about size octets or less. After an error there is no file of this name.
	Put(ctx context.Context, name string, size int64, write func(io.Writer) error) error
	// Open opens a file for reading.
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	// List returns the complete files whose names begin with prefix, in order of their names.
	List(ctx context.Context, prefix string) ([]File, error)
	// Remove deletes a file.
	Remove(ctx context.Context, name string) error
	// Close ends connections.
	Close() error
}

// File is a file of a target.
type File struct {
	Name string
	Size int64 // in octets
}

// Address says where a target is and who may use it.
type Address struct {
	// URL is an absolute path, or sftp://host[:port]/path with /~/ before a path in the login's home, or
	// s3://host[:port]/bucket[/prefix], or s3+http for one without TLS.
	URL string `json:"url"`
	// Login is the user of SFTP, or the access key of S3.
	Login string `json:"login,omitempty"`
	// HostKey is the key of an SFTP server as ssh-keyscan prints it, with or without the host before it.
	HostKey string `json:"hostKey,omitempty"`
	// Region is that of S3, where the server needs it.
	Region string `json:"region,omitempty"`
	// Password is that of SFTP, or the secret key of S3.
	Password string `json:"-"`
	// PrivateKey is for SFTP, PEM.
	PrivateKey string `json:"-"`
}

// ErrInvalid says that an address is not one.
var ErrInvalid = errors.New("invalid backup target")

// ErrFull says that there is no room for a backup.
var ErrFull = errors.New("no space for the backup")

// partSuffix is behind the name of a file that is being written.
const partSuffix = ".part"

// New returns the target at an address. It does not connect yet.
func New(a Address) (Target, error) {
	if strings.HasPrefix(a.URL, "/") {
		return Folder(path.Clean(a.URL)), nil
	}
	u, err := url.Parse(a.URL)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: %.200q is neither a path from / on nor sftp://host/path nor s3://host/bucket", ErrInvalid, a.URL)
	}
	switch u.Scheme {
	case "sftp":
		return newSFTP(u, a)
	case "s3", "s3+http":
		return newS3(u, a)
	}
	return nil, fmt.Errorf("%w: %.20q is neither sftp nor s3", ErrInvalid, u.Scheme)
}
