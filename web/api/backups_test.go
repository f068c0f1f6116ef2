package api

import (
	"bytes"
	"errors"
	"testing"
)

func TestMemberWithoutBackup(t *testing.T) {
	client, _ := serve(t)
	ctx := t.Context()
	if _, err := client.CreateDomain(ctx, NewDomain{Name: "A"}); err != nil {
		t.Fatal(err)
	}
	details := MemberDetails{FullName: "Ann Smith", Email: "ann@example.com", Login: `A\ann`}
	ann, err := client.CreateMember(ctx, NewMember{Domain: "A", MemberDetails: details})
	if err != nil || ann.LastBackup != nil {
		t.Fatalf("%+v, %v", ann, err)
	}
	var data bytes.Buffer
	for _, guid := range []string{ann.GUID, "unknown"} {
		var refusal *Error
		if _, err := client.MemberBackup(ctx, guid, &data); !errors.As(err, &refusal) || refusal.Code != "notFound" || data.Len() != 0 {
			t.Errorf("backup of member %s: %d bytes, %v", guid, data.Len(), err)
		}
	}

	details.Login = `a\ANN`
	var refusal *Error
	if _, err := client.CreateMember(ctx, NewMember{Domain: "A", MemberDetails: details}); !errors.As(err, &refusal) || refusal.Code != "conflict" {
		t.Errorf("a login that is taken: %v", err)
	}
}
