package api

import (
	"testing"

	"furrow/gms/policy"
)

// TestDevices asks a box that no device has an account on.
func TestDevices(t *testing.T) {
	client, _, _ := office(t)
	if devices, err := client.Devices(t.Context(), "Office"); err != nil || devices == nil || len(devices) != 0 {
		t.Errorf("devices %+v, %v", devices, err)
	}
	_, err := client.Device(t.Context(), "Office", "none")
	refused(t, "no device", err, "notFound")
	_, err = client.Devices(t.Context(), "none")
	refused(t, "devices of no domain", err, "notFound")
}

func TestPreviewPolicy(t *testing.T) {
	client, _, ann := office(t)
	change := PolicyChange{Settings: []policy.Value{{Key: "identity.lockVCard", Value: "on"}}}
	preview, err := client.PreviewPolicy(t.Context(), ann.Policy.GUID, change)
	if err != nil || preview.Policy.Holders != 1 || len(preview.Changes) != 1 || preview.Changes[0].After != "true" {
		t.Errorf("preview %+v, %v", preview, err)
	}
	if left, err := client.DiffPolicy(t.Context(), ann.Policy.GUID, ""); err != nil || len(left) != 0 {
		t.Errorf("a preview has changed %+v, %v", left, err)
	}
	_, err = client.PreviewPolicy(t.Context(), ann.Policy.GUID, PolicyChange{Settings: []policy.Value{{Key: "none", Value: "on"}}})
	refused(t, "a setting that there is not", err, "invalid")
}
