package api

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"

	"furrow/appliance/network"
	"furrow/appliance/recentlog"
	"furrow/appliance/update"
	"furrow/web/access"
)

// What a box that was not started from the image cannot do is refused in words, and nothing breaks.
func TestMachineElsewhere(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	if m, err := client.Machine(ctx); err != nil || m.Image || m.Versions != nil {
		t.Errorf("%+v, %v", m, err)
	}
	for what, err := range map[string]error{
		"restart":       second(client.RestartMachine(ctx)),
		"power off":     second(client.PowerOffMachine(ctx)),
		"factory reset": second(client.FactoryReset(ctx)),
		"network":       second(client.Network(ctx)),
		"addresses":     second(client.TryNetwork(ctx, network.Settings{})),
		"confirm":       second(client.KeepNetwork(ctx)),
		"network reset": second(client.ResetNetwork(ctx)),
		"clock":         second(client.Clock(ctx)),
		"time zone":     second(client.SetClock(ctx, network.Clock{})),
		"update":        second(client.InstallUpdate(ctx, bytes.NewReader(make([]byte, update.MaxSlotSize/100)), false)),
	} {
		if refusal := (*Error)(nil); !errors.As(err, &refusal) || refusal.Code != "unavailable" {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestCertificateLogAndExamination(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	made, err := client.Certificate(ctx)
	if err != nil || !made.SelfSigned || made.Chain == "" {
		t.Errorf("%+v, %v", made, err)
	}
	var refusal *Error
	if _, err := client.InstallCertificate(ctx, CertificateUpload{Chain: made.Chain, Key: "none"}); !errors.As(err, &refusal) || refusal.Code != "invalid" {
		t.Errorf("a chain without its key: %v", err)
	}
	if removed, err := client.RemoveCertificate(ctx); err != nil || removed.Fingerprint != made.Fingerprint {
		t.Errorf("without an installed one: %+v, %v", removed, err)
	}
	actions, err := client.Actions(ctx, ActionFilter{What: "certificate"})
	if err != nil || len(actions) != 2 || bytes.Contains(actions[1].Asked, []byte("none")) {
		t.Errorf("the action log has %+v, %v", actions, err)
	}
	if report, err := client.Examination(ctx); err != nil || report.Running() {
		t.Errorf("%+v, %v", report, err)
	}
	if report, err := client.Examine(ctx); err != nil || !report.Running() {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := client.Examine(ctx); !errors.As(err, &refusal) || refusal.Code != "conflict" {
		t.Errorf("a second at the same time: %v", err)
	}
	if records, err := client.RecentLog(ctx, LogFilter{Level: "warn", Text: "x", Limit: 5}); err != nil || len(records) != 0 {
		t.Errorf("%+v, %v", records, err)
	}
	if _, err := client.RecentLog(ctx, LogFilter{Level: "loud"}); !errors.As(err, &refusal) || refusal.Field != "level" {
		t.Errorf("a level that is none: %v", err)
	}
}

func TestRecentLog(t *testing.T) {
	ring := new(recentlog.Ring)
	handler := NewHandler(Config{RecentLog: ring, Log: slog.New(slog.DiscardHandler)})
	client := NewClientOf(handler, access.Actor{Name: "ann", Role: access.Server})
	log := slog.New(ring.Handler(slog.NewTextHandler(&bytes.Buffer{}, nil)))
	log.Info("first", "who", "Ann")
	log.Warn("second")
	log.Info("third", "who", "Bob")
	for want, f := range map[string]LogFilter{
		"third second first": {}, "second": {Level: "warn"}, "first": {Text: "ANN"}, "third second": {Limit: 2},
	} {
		records, err := client.RecentLog(t.Context(), f)
		got := ""
		for _, r := range records {
			got += " " + r.Message
		}
		if err != nil || got != " "+want {
			t.Errorf("%+v: %q, %v", f, got, err)
		}
	}
}
