package main

import (
	"errors"
	"io"

	"furrow/web/api"
)

type metricsCmd struct{}

// Run prints them as they are: their format is for programs already.
func (metricsCmd) Run(s *session) error {
	client := api.NewClient(s.data)
	defer client.Close()
	content, err := client.Metrics(s.ctx)
	if err != nil {
		return err
	}
	_, err = io.Copy(s.out.w, content)
	return errors.Join(err, content.Close())
}
