// Package kerberos checks the Kerberos tickets of Negotiate (RFC 4559, RFC 4178, RFC 4120) against a keytab.
//
// It is the one package that knows gokrb5, and uses the library for what it does well, reading and decrypting. Its
// ready-made service is not used: that takes the realm from the client's word instead of the ticket's, has one replay
// cache for the whole process that grows without bound, and indexes lists that hostile tokens leave empty.
//
// Only AES is taken, for tickets and session keys (encryption types 17 to 20): DES and RC4 keys can be found from
// their passwords. A client that has no other gets no ticket here and asks for a password.
package kerberos

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"furrow/gms/signin"
)

const (
	// serviceHTTP is the first part of the principal of a web server (RFC 4559 4).
	serviceHTTP = "HTTP"
	// maxKeytab bounds a keytab, in octets; one has some hundred for each key.
	maxKeytab = 1 << 20
	// minCiphertext is what encrypting nothing with AES yields, in octets: a confounder of one block and a checksum
	// of at least 96 bits (RFC 3962 6, RFC 8009 6). The library reads before the start of anything shorter.
	minCiphertext = 16 + 12
	// DefaultSkew is how far clocks may differ that nobody has set otherwise (RFC 4120 8.2, "recommended values").
	DefaultSkew = 5 * time.Minute
)

// Config says whose tickets are taken.
type Config struct {
	// Keytab is the file with the keys of HTTP/host. It is read for each ticket: a renewed one needs no restart.
	Keytab string
	// Realms are those whose people may come; that one of them trusts a realm is not enough. Empty: that of the keytab.
	Realms []string
	// Skew is how far the clocks of clients may differ.
	Skew time.Duration
	Now  func() time.Time
}

// Service checks tickets. It is a [signin.Tickets].
type Service struct {
	Config
	replays *replays
}

// New returns a Service. It opens nothing; see [Service.Check].
func New(c Config) *Service {
	return &Service{Config: c, replays: newReplays(c.Now)}
}

// Check says what is wrong with the keytab: that it cannot be read, or has no AES key of a web server.
func (s *Service) Check() error {
	_, _, err := s.keys()
	return err
}

// keys reads the keytab and returns its keys that may be used, and the realms whose people may come.
func (s *Service) keys() (*keytab.Keytab, []string, error) {
	info, err := os.Stat(s.Keytab)
	if err != nil {
		return nil, nil, fmt.Errorf("keytab: %w", err)
	}
	if info.Size() > maxKeytab {
		return nil, nil, fmt.Errorf("keytab %s: %d octets, at most %d are allowed", s.Keytab, info.Size(), maxKeytab)
	}
	kt, err := keytab.Load(s.Keytab)
	if err != nil {
		return nil, nil, fmt.Errorf("keytab %s: %w", s.Keytab, err)
	}
	var realms []string
	usable := keytab.New()
	for _, e := range kt.Entries {
		if !isAES(e.Key.KeyType) || len(e.Principal.Components) != 2 || e.Principal.Components[0] != serviceHTTP {
			continue
		}
		usable.Entries = append(usable.Entries, e)
		if !slices.Contains(realms, e.Principal.Realm) {
			realms = append(realms, e.Principal.Realm)
		}
	}
	if len(usable.Entries) == 0 {
		return nil, nil, fmt.Errorf("keytab %s: it has no AES key of a principal %s/host", s.Keytab, serviceHTTP)
	}
	if len(s.Realms) > 0 {
		return usable, s.Realms, nil
	}
	if len(realms) > 1 {
		return nil, nil, fmt.Errorf("keytab %s: it has keys of the realms %s; the setting realms has to say whose people may come",
			s.Keytab, strings.Join(realms, ", "))
	}
	return usable, realms, nil
}

func isAES(encryption int32) bool {
	switch encryption {
	case etypeID.AES128_CTS_HMAC_SHA1_96, etypeID.AES256_CTS_HMAC_SHA1_96,
		etypeID.AES128_CTS_HMAC_SHA256_128, etypeID.AES256_CTS_HMAC_SHA384_192:
		return true
	}
	return false
}

// Verify implements [signin.Tickets].
func (s *Service) Verify(token []byte, from netip.Addr) (p signin.Principal, reply []byte, err error) {
	defer func() {
		// The library parses what anybody may send, and is not maintained as closely as the standard library: a
		// token that it trips over is a bad token.
		if v := recover(); v != nil {
			p, reply, err = signin.Principal{}, nil, refuse("the token makes the library panic: %v", v)
		}
	}()
	kt, realms, err := s.keys()
	if err != nil {
		return signin.Principal{}, nil, err
	}
	request, wrapped, err := readToken(token)
	if errors.Is(err, errOtherMechanism) {
		return signin.Principal{}, replyKerberos, err
	}
	if err != nil {
		return signin.Principal{}, nil, err
	}
	p, err = s.verify(kt, realms, request, from)
	if err != nil {
		return signin.Principal{}, nil, err
	}
	if wrapped {
		reply = replyAccepted
	}
	return p, reply, nil
}

// verify checks an AP-REQ as RFC 4120 3.2.3 says, and that the realm is one of ours.
func (s *Service) verify(kt *keytab.Keytab, realms []string, request *messages.APReq, from netip.Addr) (signin.Principal, error) {
	ticket := &request.Ticket
	switch {
	case !isAES(ticket.EncPart.EType):
		return signin.Principal{}, refuse("the ticket is encrypted with type %d, which is not AES", ticket.EncPart.EType)
	case len(ticket.EncPart.Cipher) < minCiphertext || len(request.EncryptedAuthenticator.Cipher) < minCiphertext:
		return signin.Principal{}, refuse("the ticket is cut")
	}
	var address types.HostAddress
	if from.IsValid() {
		address = types.HostAddressFromNetIP(from.AsSlice())
	}
	if err := ticket.DecryptEncPart(kt, &ticket.SName); err != nil {
		return signin.Principal{}, refuse("the ticket for %s in %s does not open: %v", ticket.SName.PrincipalNameString(), ticket.Realm, err)
	}
	if !isAES(ticket.DecryptedEncPart.Key.KeyType) || request.EncryptedAuthenticator.EType != ticket.DecryptedEncPart.Key.KeyType {
		return signin.Principal{}, refuse("the session key has type %d, which is not AES", ticket.DecryptedEncPart.Key.KeyType)
	}
	if ok, err := request.Verify(kt, s.Skew, address, nil); err != nil || !ok {
		return signin.Principal{}, refuse("the ticket is not valid: %v", err)
	}
	// The library compares the client's name, but not its realm, which the client may have made up.
	who, realm := ticket.DecryptedEncPart.CName, ticket.DecryptedEncPart.CRealm
	if request.Authenticator.CRealm != realm {
		return signin.Principal{}, refuse("the client says realm %.100q, its ticket %.100q", request.Authenticator.CRealm, realm)
	}
	if !slices.Contains(realms, realm) {
		return signin.Principal{}, refuse("realm %.100q is not one of %s", realm, strings.Join(realms, ", "))
	}
	user, err := userOf(who)
	if err != nil {
		return signin.Principal{}, err
	}
	if err := s.replays.add(request.EncryptedAuthenticator.Cipher, 2*s.Skew); err != nil {
		return signin.Principal{}, err
	}
	return signin.Principal{User: user, Realm: realm}, nil
}

// userOf is the name of a person. Hosts and administrative instances have names of several parts, and are not the
// person who has the first; and no name may look as if it had a realm in it.
func userOf(who types.PrincipalName) (string, error) {
	if len(who.NameString) != 1 {
		return "", refuse("%.100q is no person", who.PrincipalNameString())
	}
	user := who.NameString[0]
	if user == "" || strings.ContainsAny(user, `/\@`) || strings.ContainsFunc(user, unicode.IsControl) {
		return "", refuse("%.100q is no name of a person", user)
	}
	return user, nil
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", signin.ErrRefused, fmt.Sprintf(format, args...))
}
