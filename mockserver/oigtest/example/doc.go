// Package governance is a small client of OIG's REST API for self service. It
// is here to be copied: its tests show how a client of yours is tested with
// package oigtest. It needs nothing but Go's own packages.
package governance
