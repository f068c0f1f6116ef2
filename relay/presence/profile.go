package presence

import "time"

// Everything in this file is wire profile 1: choices this project makes where
// the text of [MS-GRVWDPP] could not be had.
const (
	// graceTime is how long a device whose last connection has ended stays
	// online, for it may reconnect.
	graceTime = 3 * time.Second

	// gatherTime is how far apart documents for one subscriber are at least; what
	// changes meanwhile is gathered.
	gatherTime = 100 * time.Millisecond

	// maxSubscriptions bounds those of a connection.
	maxSubscriptions = 16384
)
