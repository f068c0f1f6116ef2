// Command furrow is a Groove backend in a box: the management server and, on the command line, its administration and
// a client that speaks the published protocol.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the linker.
var version = "unknown"

// commandLine is everything a person can type.
type commandLine struct {
	Data string `help:"Data directory of the box." default:"var" env:"FURROW_DATA" placeholder:"DIR"`
	JSON bool   `help:"Print the result as JSON."`

	Serve    serveCmd    `cmd:"" help:"Run the box."`
	Status   statusCmd   `cmd:"" help:"Say how the running box is."`
	Doctor   doctorCmd   `cmd:"" help:"Examine the running box as its users meet it."`
	Recovery recoveryCmd `cmd:"" help:"After damage to the disk, or when an older version is to be run again."`
	Domain   domainCmd   `cmd:"" help:"Management domains."`
	Member   memberCmd   `cmd:"" help:"Members of a domain."`
	Relay    relayCmd    `cmd:"" help:"The relay of this box, and relays elsewhere."`
	RelaySet relaySetCmd `cmd:"" name:"relay-set" help:"Which relays serve whom."`
	Backup   backupCmd   `cmd:"" help:"Backups of the whole box."`
	Restore  restoreCmd  `cmd:"" help:"Make the data directory of a box of a backup; there must be none, or an empty one."`
	Mail     mailCmd     `cmd:"" help:"The mail that the box sends."`
	Template templateCmd `cmd:"" help:"What the mail with a configuration code says."`
	Login    loginCmd    `cmd:"" help:"The box's own login names and passwords."`
	Contact  contactCmd  `cmd:"" help:"The contact directories of domains."`
	Reset    resetCmd    `cmd:"" help:"Members who forgot their passphrase."`
	Group    groupCmd    `cmd:"" help:"Groups of members in a domain."`
	Policy   policyCmd   `cmd:"" help:"Policy templates: what members and devices may do."`
	Trust    trustCmd    `cmd:"" help:"Other domains whose contacts are trusted."`
	Audit    auditCmd    `cmd:"" help:"What clients have uploaded for auditing."`

	Admin     adminCmd     `cmd:"" help:"Who administers the box over the network."`
	Token     tokenCmd     `cmd:"" help:"Programs that administer the box over the network."`
	Metrics   metricsCmd   `cmd:"" help:"Show the figures that Prometheus reads at /metrics."`
	SetupCode setupCodeCmd `cmd:"" name:"setup-code" help:"Print the code that makes the first administrator."`

	Statistics statisticsCmd `cmd:"" help:"How tools and spaces are used."`

	Report  reportCmd  `cmd:"" help:"Reports for people and spreadsheets."`
	Actions actionsCmd `cmd:"" help:"Who has changed what on this box."`
	Alert   alertCmd   `cmd:"" help:"What is wrong with the box, and who is told."`

	LDAP    ldapCmd    `cmd:"" name:"ldap" help:"Members from Active Directory or another LDAP server."`
	Client  clientCmd  `cmd:"" help:"Act as a Groove client."`
	Bench   benchCmd   `cmd:"" help:"Put load on a scratch box and measure it."`
	Network networkCmd `cmd:"" help:"Name and addresses of a box that was started from the image."`
	Clock   clockCmd   `cmd:"" help:"Time servers and time zone of a box that was started from the image."`
	Update  updateCmd  `cmd:"" help:"Replace the system of a box that was started from the image."`
	Support supportCmd `cmd:"" help:"Let somebody who helps with the box into a machine that was started from the image."`
	Box     boxCmd     `cmd:"" hidden:"" help:"What the units of the image run."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// session is what a command works with.
type session struct {
	ctx  context.Context
	data string
	out  printer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status: 0, 1 when the command failed, 2 when it could not be
// understood. An error is one line on stderr.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var cli commandLine
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("furrow"),
		kong.Description("A Groove backend in a box."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "furrow:", err)
		return 1
	}
	command, err := parser.Parse(args)
	switch {
	case exited >= 0: // --help has printed
		return exited
	case err != nil:
		fmt.Fprintln(stderr, "furrow:", err)
		return 2
	}
	s := &session{ctx: ctx, data: cli.Data, out: printer{w: stdout, json: cli.JSON}}
	if err := command.Run(s); err != nil {
		fmt.Fprintln(stderr, "furrow:", oneLine(err))
		return 1
	}
	return 0
}

type versionCmd struct{}

func (versionCmd) Run(s *session) error {
	return s.out.print(map[string]string{"version": version}, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, version)
		return err
	})
}
