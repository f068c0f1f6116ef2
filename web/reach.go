package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// reachTimeout is how long a person waits for the check of the box's address.
const reachTimeout = 4 * time.Second

// reach is what the check of the box's address found.
type reach struct {
	Host      string
	Addresses []string // of the host by name service
	Answers   bool     // the box, or something, answers HTTP there
	// Local says that the name is one that other machines do not know, Number that it is an address.
	Local, Number bool
}

// Good says that there is nothing to say against the address.
func (r reach) Good() bool { return r.Answers && !r.Local && !r.Number }

// Reach looks whether the address that clients are told leads here, as far as the box itself can see.
func Reach(ctx context.Context, serverURL string) (found reach) {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	address, err := url.Parse(serverURL)
	if err != nil {
		return found
	}
	found.Host = address.Hostname()
	if _, err := netip.ParseAddr(found.Host); err == nil {
		found.Number, found.Addresses = true, []string{found.Host}
	} else if found.Addresses, err = net.DefaultResolver.LookupHost(ctx, found.Host); err != nil {
		return found
	}
	found.Local = found.Host == "localhost" || !found.Number && !strings.Contains(found.Host, ".")
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, serverURL, nil)
	if err != nil {
		return found
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	if resp, err := client.Do(req); err == nil {
		found.Answers = resp.Body.Close() == nil
	}
	return found
}
