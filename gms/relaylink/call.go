package relaylink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"furrow/appliance/keys"
	"furrow/gms/directory"
	"furrow/gms/soap"
	"furrow/gms/soap/spmr"
)

const (
	// requestTime bounds one request with its answer. A relay that is short of
	// disk speed takes seconds for a batch of users.
	requestTime = time.Minute

	// contentType is the reading C1.
	contentType = "text/xml; charset=utf-8"
)

// errBuildDue ends a pass: the relay has asked for a build, and what was to be sent
// will be part of it.
var errBuildDue = errors.New("relay asks for its user database")

// message is a request that can be sent.
type message interface{ Encode() []byte }

// call sends an application message and returns the epoch of the answer
// (MS-GRVSPMR 3.3.4.2). It registers where there is no key, and where the relay
// says that it needs one (304), and sends the message again. So it does where the
// relay cannot open the message (305): that is how it looks when either side
// works with a restored backup.
func (k *link) call(ctx context.Context, method string, m message) (epoch int32, err error) {
	relay, err := k.relayAt(k.relay)
	if err != nil {
		return 0, err
	}
	name, key, err := k.sharedKey()
	if err != nil {
		return 0, err
	}
	registered := key.IsZero()
	if registered {
		if key, err = k.register(ctx, relay); err != nil {
			return 0, err
		}
	}
	for {
		epoch, err = k.exchange(ctx, relay, spmr.Header{ManagementServer: name, Method: method}, key, m)
		fault, ok := errors.AsType[*faultError](err)
		if !ok || registered || fault.Code != spmr.CodeRegister && fault.Code != spmr.CodeDecryption {
			return epoch, err
		}
		registered = true
		if key, err = k.register(ctx, relay); err != nil {
			return 0, err
		}
	}
}

// sharedKey returns the manager's name and the key shared with the relay, zero
// without one.
func (k *link) sharedKey() (name string, key keys.SharedKey, err error) {
	view := k.store.Snapshot()
	manager, ok := k.t.manager.Get(view, managerKey)
	if !ok {
		return "", key, ErrNoIdentity
	}
	row := k.rowAt(view, k.relay)
	stranger, err := k.stranger(row)
	if stranger || err != nil {
		return manager.Name, key, err
	}
	plain, err := k.vault.Open(linkKeyPurpose(k.relay), row.SealedKey)
	if err != nil {
		return "", key, fmt.Errorf("opening the key shared with relay %s: %w", k.relay, err)
	}
	key, err = keys.NewSharedKey(plain)
	return manager.Name, key, err
}

// stranger reports whether no key is shared with the relay as it is now: before the
// first contact, and after one with other keys was imported in its place.
func (k *link) stranger(row linkRow) (bool, error) {
	relay, err := k.relayAt(k.relay)
	if err != nil {
		return false, err
	}
	key, err := soapKey(relay)
	if err != nil {
		return false, err
	}
	return row.RelayKey != key.Hash().String(), nil
}

// soapKey returns the key that a Registration is encrypted to.
func soapKey(relay directory.Relay) (keys.EncryptionKey, error) {
	certificate, err := keys.ParseCertificate(relay.SOAPCertificate)
	if err != nil {
		return nil, fmt.Errorf("SOAP certificate of relay %s: %w", relay.GUID, err)
	}
	return certificate.EncryptionKey(), nil
}

// register shares a new key with the relay (MS-GRVSPMR 3.3.4.1.1). It fails with
// errBuildDue if the relay begins anew and no build is under way.
func (k *link) register(ctx context.Context, relay directory.Relay) (keys.SharedKey, error) {
	var none keys.SharedKey
	name, own, err := k.signer()
	if err != nil {
		return none, err
	}
	key, err := keys.GenerateSharedKey(spmr.SharedKeySize)
	if err != nil {
		return none, err
	}
	relayKey, err := soapKey(relay)
	if err != nil {
		return none, err
	}
	fragment, err := spmr.SealRegistration(name, own, relayKey, key)
	if err != nil {
		return none, err
	}
	header := spmr.Header{ManagementServer: name, Method: spmr.MethodRegistration}
	payload, err := k.post(ctx, relay, header, key, fragment)
	if err != nil {
		return none, err
	}
	response, err := spmr.DecodeRegistrationResponse(payload)
	if err != nil {
		return none, err
	}
	sealed, err := k.vault.Seal(linkKeyPurpose(k.relay), key.Bytes())
	if err != nil {
		return none, fmt.Errorf("sealing the key shared with relay %s: %w", k.relay, err)
	}
	var was phase
	due := false
	err = k.change(ctx, k.relay, func(row *linkRow) {
		was = row.Phase
		hash := relayKey.Hash().String()
		another := row.RelayKey != "" && row.RelayKey != hash // has heard of nobody, whatever its epoch
		row.SealedKey, row.RelayKey = sealed, hash
		if response.Epoch == 0 || another {
			row.Phase = buildDue
		}
		due = row.Phase == buildDue
	})
	if err != nil {
		return none, err
	}
	k.log.Info("registered with relay", "relay", k.relay, "epoch", response.Epoch)
	if due && was != buildDue {
		return none, errBuildDue
	}
	return key, nil
}

// exchange secures a message, sends it and opens the answer.
func (k *link) exchange(ctx context.Context, relay directory.Relay, h spmr.Header, key keys.SharedKey, m message) (int32, error) {
	fragment, err := spmr.Secure(h, key, m.Encode(), soap.RelayMACs()[0])
	if err != nil {
		return 0, err
	}
	payload, err := k.post(ctx, relay, h, key, fragment)
	if err != nil {
		return 0, err
	}
	response, err := spmr.DecodeResponse(payload, h.Method)
	if err != nil {
		return 0, fmt.Errorf("response to %s: %w", h.Method, err)
	}
	return response.Epoch, nil
}

// faultError is a fault that the relay answered.
type faultError struct {
	Code   soap.Code
	method string
}

func (e *faultError) Error() string {
	text := spmr.FaultText(e.Code)
	if text == "" {
		text = "a code that is not in the table"
	}
	return fmt.Sprintf("relay answers %s with fault %d: %s", e.method, int32(e.Code), text)
}

// post sends a fragment and returns the payload of the answer. A fault is a
// *faultError. Any HTTP status is taken, as long as there is an envelope (reading
// C4).
func (k *link) post(ctx context.Context, relay directory.Relay, h spmr.Header, key keys.SharedKey, fragment []byte) (_ []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTime)
	defer cancel()
	envelope := (&soap.Request{Service: h.Method, Payload: fragment, Version: spmr.Version}).Encode(soap.RelayRequest)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, relay.SOAPURL, bytes.NewReader(envelope))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	answer, err := k.transport(relay).RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("sending %s: %w", h.Method, err)
	}
	defer func() { err = errors.Join(err, answer.Body.Close()) }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, spmr.MaxResponseSize+1))
	if err != nil {
		return nil, fmt.Errorf("reading the answer to %s: %w", h.Method, err)
	}
	response, err := soap.DecodeResponse(body, spmr.MaxResponseSize, h.Method, soap.RelayResponse)
	if err != nil {
		return nil, fmt.Errorf("HTTP status %d: %w", answer.StatusCode, err)
	}
	if response.Fault != nil {
		return nil, &faultError{response.Fault.Code, h.Method}
	}
	payload, err := spmr.OpenResponse(response.Payload, h, key)
	if err == nil {
		k.contacted()
	}
	return payload, err
}
