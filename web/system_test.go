package web

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLogPage(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/logs"), "The box has said nothing yet.", `data-live="/live/logs?`)
	log := slog.New(b.RecentLog.Handler(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	log.Info("backup made", "name", "<furrow>")
	log.Error("mail refused", "server", "mail.example.com")
	page := b.get("/logs")
	b.contains(page, "backup made", "&lt;furrow&gt;", "mail.example.com", `status bad">error`)
	if strings.Index(page, "backup made") < strings.Index(page, "mail refused") {
		t.Error("the newest is not first")
	}
	if page := b.get("/logs?logLevel=warn"); strings.Contains(page, "backup made") || !strings.Contains(page, "mail refused") {
		t.Error("the filter by kind does not hold")
	}
	if page := b.get("/logs?q=MAIL.example"); strings.Contains(page, "backup made") || !strings.Contains(page, "mail refused") {
		t.Error("the search does not find what it must")
	}
	b.contains(b.get("/logs?q=nowhere"), "Nothing fits.")
	if file := b.get("/logs/download"); !strings.HasSuffix(file, "ERROR mail refused server=mail.example.com\n") {
		t.Errorf("the file is %q", file)
	}
}

func TestDoctorPage(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/doctor"), "Examine the box")
	b.post("/doctor", nil)
	b.contains(b.get("/doctor"), "is being examined")
	if w := b.do(http.MethodPost, "/doctor", nil); w.Code != http.StatusConflict {
		t.Errorf("a second examination: %d", w.Code)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	var running sync.WaitGroup
	running.Go(func() { b.Checkup.Run(ctx) })
	for b.Checkup.Last().Running() && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	stop()
	running.Wait()
	b.contains(b.get("/doctor"), "1 thing to look at", "Room on the disk", "What to do:", "make room", "it is noon")
}

// issue makes a certificate for a host that an authority could have issued, and its key, in PEM.
func (b *box) issue(host string) (chain, key []byte) {
	b.t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: b.now.Add(-time.Hour), NotAfter: b.now.Add(90 * 24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		b.t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		b.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

func TestCertificatePages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	b.contains(b.get("/certificates"), "this box itself, which renews it", "groove.example.com", "SHA-256 fingerprint", `enctype="multipart/form-data"`)
	own := b.get("/certificates/download")
	b.contains(own, "-----BEGIN CERTIFICATE-----")

	chain, key := b.issue("groove.example.com")
	other, _ := b.issue("groove.example.com")
	elsewhere, elsewhereKey := b.issue("elsewhere.example.com")
	chainFile := func(chain []byte) file { return file{"certificateChain", "chain.pem", chain} }
	keyFile := func(key []byte) file { return file{"certificateKey", "key.pem", key} }
	for want, files := range map[string][]file{
		`id="f-certificateKey-error"`:              {chainFile(chain)},
		"private key does not match public key":    {chainFile(other), keyFile(key)},
		"the certificate is for elsewhere.example": {chainFile(elsewhere), keyFile(elsewhereKey)},
	} {
		w := b.send("/certificates", nil, files...)
		if w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", want, w.Code)
		}
		b.contains(w.Body.String(), want)
	}
	if b.get("/certificates/download") != own {
		t.Error("a refused certificate is in use")
	}
	if w := b.send("/certificates", nil, chainFile(chain), keyFile(key)); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	if b.get("/certificates/download") != string(chain) {
		t.Error("the installed certificate is not in use")
	}
	b.contains(b.get("/certificates/remove"), "makes a new certificate of its own")
	b.post("/certificates/remove", nil)
	b.contains(b.get("/certificates"), "The box uses a certificate of its own.", "this box itself")
}
