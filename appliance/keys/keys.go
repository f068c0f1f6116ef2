// Package keys holds the Groove cryptography of the published protocols and
// the custody of private keys.
//
// # The weak half
//
// A Groove client of 2007 or 2010 can be spoken to only with what its
// protocols demand ([MS-GRVSPCM] 3.1, [MS-GRVSPMR] 3.1.2):
//
//   - MARC4, which is RC4 with a per-message IV and 256 bytes dropped: biased
//     keystream, no integrity of its own;
//   - SHA-1, once or twice, as message digest, in signatures and certificates:
//     collisions are practical;
//   - RSA encryption with PKCS #1 v1.5 padding, and ElGamal with the same.
//
// They are implemented exactly and exist nowhere else in this module. Nothing
// of our own is built on them: the vault below, backups, updates and the
// administration pages use current cryptography and none of these types.
//
// # The strong half
//
// A [Vault] seals private keys and shared secrets for storage with
// XChaCha20-Poly1305 under keys derived from one master key, which comes from
// a file of mode 0600 or from a systemd credential.
//
// # Manners
//
// Every value that holds a secret ([SharedKey], [RSAPrivateKey],
// [ElGamalPrivateKey], [KeySet], [Vault]) prints as "[redacted]" in fmt and in
// slog, refuses to be encoded as text or JSON, and keeps the secret in a
// closure, so that a struct holding one in an unexported field prints an
// address. Storage takes the explicit way: a Marshal or Bytes method, then
// [Vault.Seal].
//
// Parsers of public keys and certificates accept one encoding only: what they
// accept, the DER method gives back byte for byte. Sizes are bounded before
// numbers are made of them, because a public key from an unauthenticated peer
// is also a request to compute with it.
//
// RSA keys below 1024 bits are refused, by this package and by crypto/rsa,
// whose rsa1024min setting only a main package could change.
package keys
