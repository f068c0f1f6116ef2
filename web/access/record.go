package access

import "furrow/appliance/actionlog"

// What the action log calls what happens at the door, as routes of the interface are called there.
const (
	signingIn  = "sign-in"
	signingOut = "sign-out"
)

// record writes into the action log that somebody has come, has not been let in, or has gone. It is written down after
// the fact, and one that cannot be written down keeps nobody out: the log says so, and a full disk must not lock the door
// on those who could make room.
func (c *Control) record(what, summary, name, address string, result actionlog.Result) {
	if c.Actions == nil {
		return
	}
	action := actionlog.Action{Who: "(unknown)", Origin: string(Page), Address: address, What: what, Summary: summary}
	// A name that nobody has may be a password in the wrong field.
	if row, ok := c.Tables.administrators.Get(c.Store.Snapshot(), name); ok {
		action.Who, action.Role = row.Name, string(row.Role)
	}
	sequence, err := c.Actions.Begin(action)
	if err == nil {
		err = c.Actions.End(sequence, result)
	}
	if err != nil {
		c.Log.Error("not in the action log", "action", what, "name", name, "address", address, "error", err)
	}
}
