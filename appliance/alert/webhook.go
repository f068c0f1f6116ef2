package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"
)

const (
	// hookTimeout is how long a receiver may take in all; it has to note a line of JSON.
	hookTimeout = 15 * time.Second
	// maxHookAnswer is how much of an answer is read, so that the connection ends in order.
	maxHookAnswer = 64 << 10

	// SignatureHeader has the time of the attempt in seconds since 1970 and the HMAC-SHA256, by the web hook's secret, of
	// that time, a dot and the body: t=1773500000,v1=HEX. A receiver refuses times long ago.
	SignatureHeader = "Furrow-Signature"
	// DeliveryHeader has what is the same in all attempts to deliver one notice.
	DeliveryHeader = "Furrow-Delivery"
)

// hookBody is what a web hook is sent.
type hookBody struct {
	Box     string    `json:"box"`
	Event   Event     `json:"event"`
	Time    time.Time `json:"time"`
	Kind    Kind      `json:"kind"`
	Subject string    `json:"subject,omitempty"`
	Level   Level     `json:"level"`
	Text    string    `json:"text"` // one line
	Value   float64   `json:"value"`
	Unit    string    `json:"unit,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Remedy  string    `json:"remedy,omitempty"`
	Raised  time.Time `json:"raised,omitzero"`
}

func (n Notice) hookBody(box string) ([]byte, error) {
	body, err := json.Marshal(hookBody{
		Box: box, Event: n.Event, Time: n.Time, Kind: n.Kind, Subject: n.Subject, Level: n.Level, Text: n.headline(),
		Value: n.Value, Unit: n.Rule.Unit, Detail: clip(n.Detail), Remedy: n.Rule.Remedy, Raised: n.Raised,
	})
	if err != nil {
		return nil, fmt.Errorf("encoding an alert: %w", err)
	}
	return body, nil
}

// sign is the value of SignatureHeader.
func sign(secret string, at time.Time, body []byte) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// post sends a body to the web hook once. Whatever is not a success is an error; a redirect is followed nowhere: the
// administrator has said where alerts go, and nobody else may.
func post(ctx context.Context, hook Settings, id string, body []byte, now time.Time) (err error) {
	ctx, cancel := context.WithTimeout(ctx, hookTimeout)
	defer cancel()
	transport, err := hookTransport(hook.Authority)
	if err != nil {
		return err
	}
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, hook.URL, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("web hook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "Furrow")
	req.Header.Set(DeliveryHeader, id)
	req.Header.Set(SignatureHeader, sign(hook.Secret, now, body))
	resp, err := client.Do(req)
	if err != nil {
		// url.Error repeats the address, which lets whoever reads the log in.
		var wrapped *url.Error
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return fmt.Errorf("web hook: %w", err)
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxHookAnswer)); err != nil {
		return fmt.Errorf("web hook: reading the answer: %w", err)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("web hook: the receiver answered %s", resp.Status)
	}
	return nil
}

// hookTransport is the way to the receiver, without proxies, so that controlHook sees the address really connected to.
func hookTransport(authority string) (*http.Transport, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if authority != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("web hook: certificates of the system: %w", err)
		}
		pool.AppendCertsFromPEM([]byte(authority))
		config.RootCAs = pool
	}
	dialer := &net.Dialer{Timeout: hookTimeout, Control: controlHook}
	return &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: config, ForceAttemptHTTP2: true}, nil
}

// controlHook refuses link-local, multicast and unspecified addresses, whatever the name was: behind the first a cloud's
// machines find their own credentials. Private addresses and those of this machine are allowed, for the receiver is
// often a chat server of the same office. What is sent there is a POST by TLS with a fixed form, and of the answer
// nothing but its status is shown.
func controlHook(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() || ip.IsUnspecified() {
		return fmt.Errorf("%v is no address for a web hook", ip)
	}
	return nil
}
