package web

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"time"
)

const (
	// maxPart bounds a field that is sent with a streamed file.
	maxPart = 4 << 10
	// uploadSilence is how long a browser may send nothing of a streamed file.
	uploadSilence = time.Minute
)

// upload is the content of the file in a field, nil for none. It is as large as the page's limit at most; a page that
// takes more has it as it comes (uploadStream) and keeps none in memory.
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

// uploadStream is the file in a field of a page that streams, as it comes, and nil for none. The fields before it in the
// form are values of the form from then on; what is behind it is not read. A form that is refused calls drain.
func (v *visit) uploadStream(name string) (io.Reader, error) {
	v.r.Body = &patient{v.r.Body, http.NewResponseController(v.w)}
	parts, err := v.r.MultipartReader()
	if err != nil {
		return nil, fmt.Errorf("form: %w", err)
	}
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("form: %w", err)
		case part.FormName() == name && part.FileName() == "":
			return nil, nil // none was chosen
		case part.FormName() == name:
			return part, nil
		}
		if err := v.takePart(part); err != nil {
			return nil, err
		}
	}
}

func (v *visit) takePart(part *multipart.Part) error {
	value, err := io.ReadAll(io.LimitReader(part, maxPart+1))
	if err != nil {
		return fmt.Errorf("form: %w", err)
	}
	if len(value) > maxPart {
		return &http.MaxBytesError{Limit: maxPart}
	}
	v.r.PostForm.Add(part.FormName(), string(value))
	return nil
}

// drain reads what is left of a streamed form that was refused: a browser that speaks HTTP/1 shows no answer before it has
// sent everything.
func (v *visit) drain() {
	if v.r.ProtoMajor == 1 {
		_, _ = io.Copy(io.Discard, v.r.Body) // fails if the browser has gone
	}
}

// patient is a body that may take as long as it likes, but not fall silent.
type patient struct {
	io.ReadCloser
	conn *http.ResponseController
}

func (p *patient) Read(b []byte) (int, error) {
	err := p.conn.SetReadDeadline(time.Now().Add(uploadSilence))
	if err != nil && !errors.Is(err, http.ErrNotSupported) { // in tests there is no connection
		return 0, err
	}
	n, err := p.ReadCloser.Read(b)
	if err != nil {
		if clearErr := p.conn.SetReadDeadline(time.Time{}); clearErr != nil && !errors.Is(clearErr, http.ErrNotSupported) {
			return n, errors.Join(err, clearErr)
		}
	}
	return n, err
}
