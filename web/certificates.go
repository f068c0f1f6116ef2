package web

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"furrow/web/api"
)

// maxCertificates bounds what is uploaded, in octets: a chain and a key have some kilobytes.
const maxCertificates = 256 << 10

// certificatePage is what certificates.html shows.
type certificatePage struct {
	api.Certificate
	Form *form
	// Left is how long it is good for.
	Left time.Duration
}

// Sum is the fingerprint as browsers show it.
func (p certificatePage) Sum() string {
	var pairs []string
	for pair := range slices.Chunk([]byte(strings.ToUpper(p.Fingerprint)), 2) {
		pairs = append(pairs, string(pair))
	}
	return strings.Join(pairs, ":")
}

func (v *visit) certificate() (certificatePage, error) {
	c, err := v.client.Certificate(v.ctx())
	if err != nil {
		return certificatePage{}, err
	}
	now, err := v.client.Overview(v.ctx())
	if err != nil {
		return certificatePage{}, err
	}
	const files = ".pem,.crt,.cer,.key"
	return certificatePage{Certificate: c, Left: max(0, c.Until.Sub(now.Now)), Form: v.form("certificates.install",
		input{name: "certificateChain", kind: "file", accept: files, required: true, wide: true},
		input{name: "certificateKey", kind: "file", accept: files, required: true, wide: true},
	)}, nil
}

func getCertificate(v *visit) error {
	p, err := v.certificate()
	if err != nil {
		return err
	}
	return v.render("certificates.html", p)
}

func postCertificate(v *visit) error {
	p, err := v.certificate()
	if err != nil {
		return err
	}
	chain, err := v.uploaded(p.Form, "certificateChain")
	if err != nil {
		return err
	}
	key, err := v.uploaded(p.Form, "certificateKey")
	if err != nil {
		return err
	}
	if !p.Form.Failed() {
		_, err := v.client.InstallCertificate(v.ctx(), api.CertificateUpload{Chain: string(chain), Key: string(key)})
		if err == nil {
			return v.done("/certificates", "done.certificateInstalled")
		}
		if err = p.Form.refused(err); err != nil {
			return err
		}
	}
	return v.again("certificates.html", p)
}

func getCertificateFile(v *visit) error {
	c, err := v.client.Certificate(v.ctx())
	if err != nil {
		return err
	}
	name := "furrow"
	if server, err := url.Parse(v.site.ServerURL); err == nil {
		name = server.Hostname()
	}
	return v.download(name+".crt", "application/x-pem-file", []byte(c.Chain))
}

func getRemoveCertificate(v *visit) error {
	v.under(v.T("certificates.title"), "/certificates")
	return v.confirm(confirmation{
		Text: v.T("certificates.remove.text"), Button: v.T("certificates.remove"), Back: "/certificates",
	})
}

func postRemoveCertificate(v *visit) error {
	if _, err := v.client.RemoveCertificate(v.ctx()); err != nil {
		return err
	}
	return v.done("/certificates", "done.certificateRemoved")
}
