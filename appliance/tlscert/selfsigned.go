package tlscert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"time"
)

const (
	// lifetime of a certificate of the box: the longest that browsers of every make accept from an authority of one's own.
	lifetime = 825 * 24 * time.Hour
	// renewBefore is how long before its end a certificate is replaced.
	renewBefore   = 30 * 24 * time.Hour
	renewInterval = 24 * time.Hour
	// backdate lets clocks differ by a day.
	backdate = 24 * time.Hour
	// serialBits is the size of a serial number.
	serialBits = 127
)

// make makes a certificate of the box, with the key of the one that it made before. k.mu is held.
func (k *Keeper) make() (*tls.Certificate, error) {
	key, err := k.key()
	if err != nil {
		return nil, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return nil, err
	}
	now := k.Now()
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: k.Names[0], Organization: []string{"Furrow"}},
		NotBefore:    now.Add(-backdate),
		NotAfter:     now.Add(lifetime),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		// Marked as an authority, so that a browser can be told to trust just this one.
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
	}
	for _, name := range k.Names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, nil
}

// key is the one in use, if it is that of a certificate of the box, or a new one. k.mu is held.
func (k *Keeper) key() (*ecdsa.PrivateKey, error) {
	if k.current != nil && k.own {
		if key, ok := k.current.PrivateKey.(*ecdsa.PrivateKey); ok {
			return key, nil
		}
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}
