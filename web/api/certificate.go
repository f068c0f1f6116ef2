package api

import (
	"context"
	"net/http"
	"time"

	"furrow/appliance/tlscert"
	"furrow/web/access"
)

// Certificate is the one by which the box is known over TLS.
type Certificate struct {
	Subject string    `json:"subject"`
	Issuer  string    `json:"issuer"`
	Names   []string  `json:"names"` // host names and addresses it is for
	From    time.Time `json:"from"`
	Until   time.Time `json:"until"`
	// SelfSigned certificates are made, and renewed, by the box.
	SelfSigned bool `json:"selfSigned"`
	// Fingerprint is its SHA-256 in hexadecimal.
	Fingerprint string `json:"fingerprint"`
	// Chain is the certificate, and those of authorities that are sent with it, in PEM.
	Chain string `json:"chain"`
}

// CertificateUpload is a certificate from an authority.
type CertificateUpload struct {
	// Chain is the certificate for the box's name, then those of the authorities in between, in PEM.
	Chain string `json:"chain"`
	// Key is its private key in PEM. It is never shown.
	Key string `json:"key"`
}

func (h *handler) certificateRoutes() []Route {
	return []Route{
		{
			Method: "GET", Path: "/v1/certificate", Role: access.Server, Summary: "The certificate of the box for TLS",
			action: answer(h, func(*http.Request) (Certificate, error) { return h.showCertificate(h.TLS.Info(), nil) }),
		},
		{
			Method: "PUT", Path: "/v1/certificate", Role: access.Server, Summary: "Install a certificate from an authority",
			action: ask(h, func(r *http.Request, q CertificateUpload) (Certificate, error) {
				return h.showCertificate(h.TLS.Install(r.Context(), []byte(q.Chain), []byte(q.Key)))
			}),
		},
		{
			Method: "DELETE", Path: "/v1/certificate", Role: access.Server,
			Summary: "Go back from an installed certificate to one that the box makes",
			action: answer(h, func(r *http.Request) (Certificate, error) {
				return h.showCertificate(h.TLS.Remove(r.Context()))
			}),
		},
	}
}

func (h *handler) showCertificate(i tlscert.Info, err error) (Certificate, error) {
	if err != nil {
		return Certificate{}, err
	}
	return Certificate{
		Subject: i.Subject, Issuer: i.Issuer, Names: i.Names, From: i.From, Until: i.Until, SelfSigned: i.SelfSigned,
		Fingerprint: i.Fingerprint, Chain: string(h.TLS.PEM()),
	}, nil
}

// Certificate returns the certificate of the box for TLS.
func (c *Client) Certificate(ctx context.Context) (Certificate, error) {
	return call[Certificate](ctx, c, http.MethodGet, "/v1/certificate", nil)
}

// InstallCertificate puts a certificate from an authority in place of the present one.
func (c *Client) InstallCertificate(ctx context.Context, q CertificateUpload) (Certificate, error) {
	return call[Certificate](ctx, c, http.MethodPut, "/v1/certificate", q)
}

// RemoveCertificate goes back to a certificate that the box makes.
func (c *Client) RemoveCertificate(ctx context.Context) (Certificate, error) {
	return call[Certificate](ctx, c, http.MethodDelete, "/v1/certificate", nil)
}
