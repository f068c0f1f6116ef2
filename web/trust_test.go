package web

import (
	"encoding/pem"
	"net/http"
	"strings"
	"testing"

	"furrow/gms/directory"
)

func TestTrustPages(t *testing.T) {
	b := newBox(t)
	b.setUp()
	office, branch := b.domain("Office"), b.domain("Branch")
	d, err := b.Directory.Domain(branch)
	if err != nil {
		t.Fatal(err)
	}
	fingerprint := directory.Fingerprint(d.Certificate)
	b.contains(b.get("/trust"), "No other domain is trusted yet.", fingerprint)
	w := b.do(http.MethodGet, "/domains/"+branch+"/certificate", nil)
	if w.Body.String() != string(d.Certificate) || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("the certificate: %v", w.Header())
	}

	fields := map[string]string{"domain": office, "fingerprint": "1234", "trustName": "The branch"}
	cer := file{"certificate", "branch.cer", d.Certificate}
	w = b.send("/trust/new", fields, file{"certificate", "", nil})
	b.contains(w.Body.String(), `id="f-certificate-error"`)
	w = b.send("/trust/new", fields, file{"certificate", "x.cer", []byte("no certificate")})
	b.contains(w.Body.String(), `id="f-certificate-error"`)
	w = b.send("/trust/new", fields, cer)
	b.contains(w.Body.String(), "certificate has another fingerprint", `value="1234"`)
	fields["fingerprint"] = fingerprint
	cer.content = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: d.Certificate})
	if w = b.send("/trust/new", fields, cer); w.Code != http.StatusSeeOther {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	page := b.get("/trust?q=branch&domain=" + office)
	b.contains(page, "The branch is trusted now.", "1 to 1 of 1")
	end := b.linkTo(page, `/trust/[^"]+/end`)
	b.contains(b.get(end), "no longer trust the members of The branch")
	b.post(end, nil)
	b.contains(b.get("/trust"), "The branch is trusted no more.", "No other domain is trusted yet.")
	if w := b.do(http.MethodGet, end, nil); w.Code != http.StatusNotFound {
		t.Errorf("a trust that has ended: %d", w.Code)
	}
}
