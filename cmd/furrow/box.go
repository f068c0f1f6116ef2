package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"furrow/appliance"
	"furrow/appliance/checkup"
	"furrow/appliance/host"
	"furrow/appliance/machine"
	"furrow/appliance/network"
	"furrow/appliance/update"
	"furrow/cmd/furrow/doctor"
	"furrow/web/api"
)

// boxCmd is what the units of the image run (systemd/); no person has to type it.
type boxCmd struct {
	Settle  boxSettleCmd  `cmd:"" help:"At each start, before the state is opened: carry a trial on, or take it back."`
	Confirm boxConfirmCmd `cmd:"" help:"Examine a version on trial, and mark its slot as good."`
	Verify  boxVerifyCmd  `cmd:"" help:"Compare the running slot with what was installed."`
	Receive boxReceiveCmd `cmd:"" help:"Take a bundle from standard input."`
	Attend  boxAttendCmd  `cmd:"" help:"Take an order of the box from standard input: restart, power off, factory reset, versions, network, clock, support."`
	Stick   boxStickCmd   `cmd:"" help:"Take a bundle from a memory stick."`
	Console boxConsoleCmd `cmd:"" help:"The screen of the box."`
	Support boxSupportCmd `cmd:"" help:"Be open to support, for as long as was opened."`
	Reset   boxResetCmd   `cmd:"" help:"Say that the data partition was emptied."`

	Network       boxNetworkCmd       `cmd:"" help:"At each start, before the network: name, addresses and time zone as they were set."`
	NetworkReturn boxNetworkReturnCmd `cmd:"" help:"End a trial of network settings that nobody has confirmed."`
}

// imageData is the data directory on the image.
const imageData = "/var/lib/furrow"

func imageBox() *update.Box {
	fits := func() (changes bool, err error) { return appliance.CheckState(imageData) }
	return update.Image(fits, time.Now, slog.New(slog.NewTextHandler(os.Stderr, nil)))
}

func imageNetwork() *network.Host {
	return network.Image(slog.New(slog.NewTextHandler(os.Stderr, nil)))
}

type boxSettleCmd struct{}

func (boxSettleCmd) Run(*session) error {
	box := imageBox()
	number, err := os.ReadFile("/etc/machine-id")
	if err == nil {
		err = box.KnowMachine(strings.TrimSpace(string(number)))
	}
	return errors.Join(err, box.Settle())
}

type boxConfirmCmd struct {
	Hold     time.Duration `default:"2m" help:"How long the examination must hold."`
	Deadline time.Duration `default:"15m" help:"When that must have happened."`
	Interval time.Duration `default:"15s" help:"Time between two examinations."`
}

func (c *boxConfirmCmd) Run(s *session) error {
	examined := false
	return imageBox().Confirm(s.ctx, update.TrialTerms{
		Hold: c.Hold, Deadline: c.Deadline, Interval: c.Interval,
		Examine: func(ctx context.Context) error {
			if examined { // once as its users meet it; then that it is still there
				return s.answers(ctx)
			}
			if err := s.serves(ctx); err != nil {
				return err
			}
			examined = true
			return nil
		},
	})
}

// answers says whether the box answers and its state is sound.
func (s *session) answers(ctx context.Context) error {
	client := api.NewClient(s.data)
	defer client.Close()
	status, err := client.Status(ctx)
	if err == nil && status.Recovery != nil {
		err = fmt.Errorf("the state is damaged: %s", status.Recovery.Damage)
	}
	return err
}

// trialChecks are those of the doctor's that a new program can make fail; a full disk is nothing to go back for.
var trialChecks = map[string]bool{"box": true, "domain": true, "join": true, "register": true, "offline-delivery": true}

// serves has the box examined as its users meet it.
func (s *session) serves(ctx context.Context) error {
	if err := s.answers(ctx); err != nil {
		return err
	}
	findings, err := doctor.Run(ctx, doctor.Config{
		DataDir: s.data, Version: version, Now: time.Now, Log: slog.New(slog.DiscardHandler), Report: func(checkup.Finding) {},
	})
	for _, f := range findings {
		if trialChecks[f.Check] && (f.Outcome == checkup.Failed || f.Outcome == checkup.NotTried) {
			err = errors.Join(err, fmt.Errorf("%s: %s", f.Check, f.Found))
		}
	}
	return err
}

type boxVerifyCmd struct{}

func (boxVerifyCmd) Run(*session) error { return imageBox().Verify() }

type boxReceiveCmd struct{}

func (boxReceiveCmd) Run(*session) error { return imageBox().Take(os.Stdin, os.Stdout) }

type boxAttendCmd struct{}

func (boxAttendCmd) Run(s *session) error {
	door := supportDoor()
	steward := machine.Steward{
		Versions: imageBox().Versions, Restart: host.Restart, PowerOff: host.PowerOff, Erase: factoryReset,
		Network: imageNetwork(), AnswerTime: machine.AnswerTime,
		OpenSupport: door.Open, CloseSupport: door.Close,
	}
	return steward.Attend(s.ctx, os.Stdin, os.Stdout)
}

type boxStickCmd struct {
	Device string `arg:"" help:"Its partition."`
	Folder string `arg:"" help:"Where to mount it."`
}

// errNoBundle ends the taker of a stick that has nothing for this box, which is most of them.
var errNoBundle = errors.New("no update on this stick")

func (c *boxStickCmd) Run(*session) (err error) {
	if err := unix.Mount(c.Device, c.Folder, "vfat", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting %s: %w", c.Device, err)
	}
	defer func() { err = errors.Join(err, unix.Unmount(c.Folder, 0)) }()
	bundle, err := os.Open(filepath.Join(c.Folder, "furrow-"+runtime.GOARCH+".update"))
	if errors.Is(err, os.ErrNotExist) {
		return errNoBundle
	}
	if err != nil {
		return err
	}
	defer bundle.Close() // only read from
	manifest, err := imageBox().Install(bundle, update.InstallOptions{NotAgain: true})
	if err == nil {
		fmt.Fprintln(os.Stderr, "installed", manifest.Version)
	}
	return err
}

type boxResetCmd struct{}

func (boxResetCmd) Run(*session) error { return imageBox().FactoryResetDone() }

type boxNetworkCmd struct{}

func (boxNetworkCmd) Run(*session) error { return imageNetwork().Prepare() }

type boxNetworkReturnCmd struct{}

func (boxNetworkReturnCmd) Run(s *session) error { return imageNetwork().Return(s.ctx) }
