package web

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

const (
	// flashCookie carries what the page before has to say.
	flashCookie = "__Host-flash"
	// maxFlash is well below what browsers keep in one cookie, 4,096 octets.
	maxFlash = 2048
	// flashAge is how long what was not shown is kept.
	flashAge = time.Minute
)

// flash is what a page says on the one after it.
type flash struct {
	Key     string `json:"k"`
	Args    []any  `json:"a,omitempty"`
	Problem bool   `json:"p,omitempty"`
}

// say has the next page say something. What is too long for it, such as a name of thousands of characters, is left out.
func (v *visit) say(f flash) {
	data, err := json.Marshal(f)
	if err != nil || len(data) > maxFlash/4*3 {
		return
	}
	v.setCookie(flashCookie, base64.RawURLEncoding.EncodeToString(data), flashAge)
}

// heard takes what the page before has to say, nil for nothing. The cookie comes from the browser and may hold
// anything; only texts that pages say there are shown.
func (v *visit) heard() *flash {
	cookie, err := v.r.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	v.setCookie(flashCookie, "", 0)
	var f flash
	data, err := base64.RawURLEncoding.DecodeString(cookie.Value)
	if err != nil || len(data) > maxFlash || json.Unmarshal(data, &f) != nil || !strings.HasPrefix(f.Key, "done.") || !v.has(f.Key) {
		return nil
	}
	for i, arg := range f.Args {
		if n, ok := arg.(float64); ok {
			f.Args[i] = int(n) // JSON knows no whole numbers
		}
	}
	return &f
}

// Text is what to say in the words of a page.
func (f *flash) Text(w *words) string { return w.T(f.Key, f.Args...) }

// Words are those of the visit, for what says itself.
func (v *visit) Words() *words { return v.words }
