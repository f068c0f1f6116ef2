package state

import (
	"errors"
	"fmt"
	"os"
)

const (
	childEnv = "FURROW_STATE_CHILD"
	dirEnv   = "FURROW_STATE_DIR"
)

// childMain is what the test binary does when it runs as its own child: it
// opens the store in the folder named by dirEnv, does what name says, and
// prints ok.
func childMain(name string) error {
	children := map[string]func(testStore) error{
		"full": fullDiskChild, "put": putChild, "broken": brokenChild, "kill": killChild,
	}
	s, err := tryOpen(os.Getenv(dirEnv), Options{})
	if err != nil {
		return err
	}
	if err := errors.Join(children[name](s), s.Close()); err != nil {
		return err
	}
	_, err = fmt.Println("ok")
	return err
}
