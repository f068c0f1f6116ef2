package tlscert

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// maxChain bounds an installed chain; authorities send two to four certificates.
const maxChain = 10

// certificateBlock is the type of a certificate's block of PEM (RFC 7468 5).
const certificateBlock = "CERTIFICATE"

// ErrRefused is wrapped by the refusals of Install, whose text is for a person.
var ErrRefused = errors.New("certificate refused")

func refusal(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// parsePEM reads a chain and its key, which must belong together.
func parsePEM(chainPEM, keyPEM []byte) (*tls.Certificate, error) {
	var chain [][]byte
	for block, rest := pem.Decode(chainPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == certificateBlock {
			chain = append(chain, block.Bytes)
		}
	}
	switch {
	case len(chain) == 0:
		return nil, refusal("there is no CERTIFICATE block in the certificate file (PEM is wanted)")
	case len(chain) > maxChain:
		return nil, refusal("the chain has %d certificates, at most %d are taken", len(chain), maxChain)
	}
	certificate, err := tls.X509KeyPair(chainPEM, keyPEM)
	if err != nil {
		return nil, refusal("%v", err)
	}
	return &certificate, nil
}

// pair puts a stored chain and its key, PKCS #8, together.
func pair(chain [][]byte, keyDER []byte) (*tls.Certificate, error) {
	if len(chain) == 0 {
		return nil, errors.New("the stored chain is empty")
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyDER)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: chain, PrivateKey: key, Leaf: leaf}, nil
}
