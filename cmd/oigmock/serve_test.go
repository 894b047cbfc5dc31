package main

import (
	"net"
	"strings"
	"testing"
)

// Who did not ask for the admin API is told how to do without it.
func TestAdminAddressTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const hint = "; choose another address with --admin HOST:PORT, port 0 is any free one"
	for _, test := range []struct {
		given bool
		want  string
	}{
		{true, hint},
		{false, hint + ", or do without the admin API: --admin off"},
	} {
		f := serveFlags{admin: l.Addr().String(), adminGiven: test.given}
		got, err := f.listenAdmin()
		if err == nil {
			got.Close()
			t.Fatalf("%s was taken twice", f.admin)
		}
		if !strings.HasPrefix(err.Error(), "admin API: cannot listen on "+f.admin+": ") || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("given %t: got %q, want ...%q", test.given, err, test.want)
		}
	}
}
