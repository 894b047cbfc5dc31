package scenarios

import "time"

// An Exchange is one request and the response it got: what happened, where an
// Interaction is what should.
type Exchange struct {
	Request  Request
	Response Response
	At       time.Time
	Took     time.Duration
}
