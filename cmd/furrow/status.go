package main

import (
	"context"
	"io"
	"strconv"
	"strings"

	"furrow/web/api"
)

type statusCmd struct{}

func (statusCmd) Run(s *session) error {
	return s.status((*api.Client).Status)
}

type recoveryCmd struct {
	Accept recoveryAcceptCmd `cmd:"" help:"Go on with the restored state; what was lost stays lost."`
}

type recoveryAcceptCmd struct{}

func (recoveryAcceptCmd) Run(s *session) error {
	return s.status((*api.Client).AcceptRecovery)
}

// status does one thing that yields the box's status, and prints it.
func (s *session) status(act func(*api.Client, context.Context) (api.Status, error)) error {
	client := api.NewClient(s.data)
	defer client.Close()
	status, err := act(client, s.ctx)
	if err != nil {
		return err
	}
	return s.out.print(status, func(w io.Writer) error {
		state := "sound"
		var damage, files string
		if r := status.Recovery; r != nil {
			state = "restored from damaged files, read-only until you run: furrow --data " + s.data + " recovery accept"
			damage, files = r.Damage, strings.Join(r.Files, ", ")
		}
		return facts(w,
			[2]string{"version", status.Version},
			[2]string{"server URL", status.ServerURL},
			[2]string{"domains", strconv.Itoa(status.Domains)},
			[2]string{"members", strconv.Itoa(status.Members)},
			[2]string{"state", state},
			[2]string{"damage", damage},
			[2]string{"damaged files", files},
		)
	})
}
