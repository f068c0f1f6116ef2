package target

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// s3Server answers the requests that a target makes as the API reference of Amazon S3 describes them: PutObject,
// GetObject, HeadObject, DeleteObject, ListObjectsV2, and the multipart upload. Of signatures it looks only at who signed.
type s3Server struct {
	t *testing.T

	mu      sync.Mutex
	objects map[string][]byte
	uploads map[string]map[int][]byte // parts by number
}

func (s *s3Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=access/") {
		s.fail(w, http.StatusForbidden, "AccessDenied")
		return
	}
	query := r.URL.Query()
	key, isObject := strings.CutPrefix(r.URL.Path, "/bucket/")
	isObject = isObject && key != ""
	switch {
	case !isObject && query.Has("uploads"):
		s.listUploads(w, query.Get("prefix"))
	case !isObject && query.Get("list-type") == "2":
		s.list(w, query.Get("prefix"), query.Get("delimiter"))
	case r.Method == http.MethodPost && query.Has("uploads"):
		id := fmt.Sprintf("%s#%d", key, len(s.uploads))
		s.uploads[id] = map[int][]byte{}
		s.answer(w, struct {
			XMLName  xml.Name `xml:"InitiateMultipartUploadResult"`
			UploadId string
		}{UploadId: id})
	case r.Method == http.MethodPut && query.Has("partNumber"):
		number, err := strconv.Atoi(query.Get("partNumber"))
		if err != nil {
			s.t.Error(err)
		}
		if data, ok := s.body(w, r); ok {
			s.uploads[query.Get("uploadId")][number] = data
		}
	case r.Method == http.MethodPost && query.Has("uploadId"):
		parts := s.uploads[query.Get("uploadId")]
		s.objects[key] = []byte{}
		for _, number := range slices.Sorted(maps.Keys(parts)) {
			s.objects[key] = append(s.objects[key], parts[number]...)
		}
		delete(s.uploads, query.Get("uploadId"))
		s.answer(w, struct {
			XMLName      xml.Name `xml:"CompleteMultipartUploadResult"`
			Bucket, ETag string
		}{Bucket: "bucket", ETag: `"x-1"`})
	case r.Method == http.MethodDelete && query.Has("uploadId"):
		delete(s.uploads, query.Get("uploadId"))
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodPut:
		if data, ok := s.body(w, r); ok {
			s.objects[key] = data
		}
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		data, ok := s.objects[key]
		if !ok {
			s.fail(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("Last-Modified", "Wed, 12 Oct 2026 17:50:00 GMT")
		w.Header().Set("ETag", `"x"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data)
	default:
		s.t.Errorf("%s %s is not answered", r.Method, r.URL)
		s.fail(w, http.StatusNotImplemented, "NotImplemented")
	}
}

// body reads what is stored, which must be what the client says it is.
func (s *s3Server) body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, false
	}
	if strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		data = unchunk(data)
	}
	sum := md5.Sum(data)
	if want := r.Header.Get("Content-Md5"); want != "" && want != base64.StdEncoding.EncodeToString(sum[:]) {
		s.t.Errorf("%s: the body is not that of Content-MD5", r.URL)
	}
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:])+`"`)
	return data, true
}

// unchunk takes the chunks of a streamed signature apart: length in hexadecimal, extension, CR LF, data, CR LF.
func unchunk(data []byte) []byte {
	var whole []byte
	for {
		line, rest, _ := strings.Cut(string(data), "\r\n")
		length, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(length, 16, 32)
		if err != nil || n == 0 || int(n)+2 > len(rest) {
			return whole
		}
		whole = append(whole, rest[:n]...)
		data = []byte(rest[n+2:])
	}
}

func (s *s3Server) list(w http.ResponseWriter, prefix, delimiter string) {
	type content struct {
		Key  string
		Size int
	}
	answer := struct {
		XMLName  xml.Name `xml:"ListBucketResult"`
		Contents []content
	}{}
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		if rest, ok := strings.CutPrefix(key, prefix); ok && (delimiter == "" || !strings.Contains(rest, delimiter)) {
			answer.Contents = append(answer.Contents, content{key, len(s.objects[key])})
		}
	}
	s.answer(w, answer)
}

func (s *s3Server) listUploads(w http.ResponseWriter, prefix string) {
	type upload struct{ Key, UploadId string }
	answer := struct {
		XMLName xml.Name `xml:"ListMultipartUploadsResult"`
		Upload  []upload
	}{}
	for id := range s.uploads {
		if key, _, _ := strings.Cut(id, "#"); strings.HasPrefix(key, prefix) {
			answer.Upload = append(answer.Upload, upload{key, id})
		}
	}
	s.answer(w, answer)
}

func (s *s3Server) answer(w http.ResponseWriter, value any) {
	if err := xml.NewEncoder(w).Encode(value); err != nil {
		s.t.Error(err)
	}
}

func (s *s3Server) fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	s.answer(w, struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
	}{Code: code})
}

func TestS3(t *testing.T) {
	server := &s3Server{t: t, objects: map[string][]byte{}, uploads: map[string]map[int][]byte{}}
	listening := httptest.NewServer(server)
	defer listening.Close()
	address := Address{
		URL: "s3+http://" + strings.TrimPrefix(listening.URL, "http://") + "/bucket/boxes", Login: "access", Password: "secret",
		Region: "us-east-1",
	}
	target, err := New(address)
	check(t, err)
	conform(t, target, noise(minPart+100_000)) // two parts
	server.mu.Lock()
	defer server.mu.Unlock()
	if len(server.uploads) > 0 {
		t.Errorf("unfinished uploads: %d", len(server.uploads))
	}
	for key := range server.objects {
		if !strings.HasPrefix(key, "boxes/") {
			t.Errorf("object %s is not behind the prefix", key)
		}
	}
}

func TestS3RefusedLogin(t *testing.T) {
	listening := httptest.NewServer(&s3Server{t: t})
	defer listening.Close()
	target, err := New(Address{
		URL: "s3+http://" + strings.TrimPrefix(listening.URL, "http://") + "/bucket", Login: "stranger", Password: "secret",
		Region: "us-east-1",
	})
	check(t, err)
	if _, err := target.List(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("listing: %v", err)
	}
	if err := target.Put(t.Context(), "a", 1, func(w io.Writer) error { return nil }); err == nil {
		t.Error("stored")
	}
}
