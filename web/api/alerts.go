package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"furrow/appliance/alert"
	"furrow/web/access"
)

// Alert is something that is wrong with the box.
type Alert struct {
	Kind    string    `json:"kind"`
	Subject string    `json:"subject,omitempty"`
	Level   string    `json:"level"` // warning or critical
	Title   string    `json:"title"`
	Value   float64   `json:"value"`
	Unit    string    `json:"unit,omitempty"`
	Detail  string    `json:"detail,omitempty"`
	Remedy  string    `json:"remedy"`
	Raised  time.Time `json:"raised"`
	// Notified is when people were told last.
	Notified time.Time `json:"notified"`
}

// AlertRule says from which values a kind of alert is raised.
type AlertRule struct {
	Kind  string `json:"kind"`
	Title string `json:"title"`
	Unit  string `json:"unit,omitempty"` // empty for what is there or not
	// Below says that small values are bad.
	Below    bool    `json:"below,omitempty"`
	Warning  float64 `json:"warning"`
	Critical float64 `json:"critical"`
	// Usual says that these are the thresholds that a box begins with; Off that nobody is told.
	Usual bool `json:"usual"`
	Off   bool `json:"off,omitempty"`
}

// AlertSettings say who is told of what.
type AlertSettings struct {
	Recipients []string `json:"recipients"`
	// URL is the https address of a web hook. Secret is the key of its signatures, which is shown once when the box has
	// made one; left empty in a change it stays, if the URL does, and else the box makes one.
	URL       string `json:"url"`
	Secret    string `json:"secret,omitempty"`
	Authority string `json:"authority,omitempty"` // PEM of a certificate to trust beside those of the system
	// Rules are all kinds. In a change those that are left out become as usual.
	Rules []AlertRule `json:"rules"`
	// MailSet says that the box knows a mail server; without one recipients get nothing.
	MailSet bool `json:"mailSet"`
}

// AlertWay is a way by which people are told, and what came of trying it.
type AlertWay struct {
	To    string `json:"to"`
	Error string `json:"error,omitempty"`
}

func (h *handler) alertRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/v1/alerts", Role: access.Member, Summary: "What is wrong with the box", action: answer(h, h.alerts)},
		{
			Method: "GET", Path: "/v1/alerts/settings", Role: access.Server, Summary: "Who is told of what is wrong",
			action: answer(h, func(*http.Request) (AlertSettings, error) { return h.showAlertSettings(h.Alerts.Settings()), nil }),
		},
		{
			Method: "PUT", Path: "/v1/alerts/settings", Role: access.Server, Summary: "Change who is told of what is wrong",
			action: ask(h, h.setAlerts),
		},
		{
			Method: "POST", Path: "/v1/alerts/test", Role: access.Server, Summary: "Send a test message on all ways at once",
			action: answer(h, h.testAlerts),
		},
	}
}

func (h *handler) alerts(*http.Request) ([]Alert, error) {
	rules := map[alert.Kind]alert.Rule{}
	for _, r := range alert.Rules() {
		rules[r.Kind] = r
	}
	shown := []Alert{}
	for _, s := range h.Alerts.List() {
		rule := rules[s.Kind]
		shown = append(shown, Alert{
			Kind: string(s.Kind), Subject: s.Subject, Level: s.Level.String(), Title: rule.Title, Value: s.Value, Unit: rule.Unit,
			Detail: s.Detail, Remedy: rule.Remedy, Raised: s.Raised, Notified: s.Notified,
		})
	}
	return shown, nil
}

func (h *handler) showAlertSettings(s alert.Settings) AlertSettings {
	_, mail := h.Mail.Settings()
	shown := AlertSettings{
		Recipients: append([]string{}, s.Recipients...), URL: s.URL, Secret: s.Secret, Authority: s.Authority, MailSet: mail,
	}
	for _, rule := range alert.Rules() {
		own, changed := s.Thresholds[rule.Kind]
		if !changed {
			own = rule.Thresholds
		}
		shown.Rules = append(shown.Rules, AlertRule{
			Kind: string(rule.Kind), Title: rule.Title, Unit: rule.Unit, Below: rule.Below, Warning: own.Warning, Critical: own.Critical,
			Usual: !changed, Off: slices.Contains(s.Off, rule.Kind),
		})
	}
	return shown
}

func (h *handler) setAlerts(r *http.Request, q AlertSettings) (AlertSettings, error) {
	wanted := alert.Settings{
		Recipients: q.Recipients, URL: q.URL, Secret: q.Secret, Authority: q.Authority, Thresholds: map[alert.Kind]alert.Thresholds{},
	}
	for _, rule := range q.Rules {
		kind := alert.Kind(rule.Kind)
		if !rule.Usual {
			wanted.Thresholds[kind] = alert.Thresholds{Warning: rule.Warning, Critical: rule.Critical}
		}
		if rule.Off {
			wanted.Off = append(wanted.Off, kind)
		}
	}
	set, err := h.Alerts.SetSettings(r.Context(), wanted)
	if err != nil {
		return AlertSettings{}, err
	}
	return h.showAlertSettings(set), nil
}

func (h *handler) testAlerts(r *http.Request) ([]AlertWay, error) {
	ways := []AlertWay{}
	for _, w := range h.Alerts.Test(r.Context()) {
		shown := AlertWay{To: w.To}
		if w.Err != nil {
			shown.Error = w.Err.Error()
		}
		ways = append(ways, shown)
	}
	return ways, nil
}

// Alerts returns what is wrong with the box.
func (c *Client) Alerts(ctx context.Context) ([]Alert, error) {
	return call[[]Alert](ctx, c, http.MethodGet, "/v1/alerts", nil)
}

// AlertSettings returns who is told of what.
func (c *Client) AlertSettings(ctx context.Context) (AlertSettings, error) {
	return call[AlertSettings](ctx, c, http.MethodGet, "/v1/alerts/settings", nil)
}

// SetAlerts changes who is told of what.
func (c *Client) SetAlerts(ctx context.Context, s AlertSettings) (AlertSettings, error) {
	return call[AlertSettings](ctx, c, http.MethodPut, "/v1/alerts/settings", s)
}

// TestAlerts sends a test message on all ways.
func (c *Client) TestAlerts(ctx context.Context) ([]AlertWay, error) {
	return call[[]AlertWay](ctx, c, http.MethodPost, "/v1/alerts/test", nil)
}
