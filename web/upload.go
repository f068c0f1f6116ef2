package web

import (
	"errors"
	"fmt"
	"io"
	"net/http"
)

// upload is the content of the file in a field, nil for none. It is as large as the page's limit at most; a page that
// takes more reads the request's parts itself and keeps none in memory.
func (v *visit) upload(name string) ([]byte, error) {
	file, _, err := v.r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file %s: %w", name, err)
	}
	content, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("file %s: %w", name, err)
	}
	return content, nil
}

// uploaded is the content of the file that a form needs. Without one that is said at its field.
func (v *visit) uploaded(f *form, name string) ([]byte, error) {
	content, err := v.upload(name)
	if err == nil && len(content) == 0 {
		f.wrong(name, v.T("error.required"))
	}
	return content, err
}
