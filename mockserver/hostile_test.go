package mockserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf16"
)

// answersNext asks what every server answers, to see that it still does.
func answersNext(t *testing.T, s *Server) {
	t.Helper()
	if res, body, _ := ask(t, s, "PUT "+taskPath+"5126\nuser: someone\n\n"+`{"id": "5126"}`); res.StatusCode != 200 || !strings.Contains(body, "System Administrator") {
		t.Errorf("the next call: %d %s", res.StatusCode, body)
	}
}

func TestHostileBodies(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	u16 := func(text string) string {
		b := []byte{0xFF, 0xFE}
		for _, c := range utf16.Encode([]rune(text)) {
			b = append(b, byte(c), byte(c>>8))
		}
		return string(b)
	}
	many := func(n int, text string) string { return strings.TrimSuffix(strings.Repeat(text+",", n), ",") }
	in := func(value string) string { return `{"id": "5126", "fields": [{"value": ` + value + `}]}` }
	for _, test := range []struct {
		name, body string
		status     int
		at         string // the JSON pointer of the first violation
		why        string
	}{
		{"200 levels", in(strings.Repeat("[", 200) + strings.Repeat("]", 200)), 400, "/fields/0/value" + strings.Repeat("/0", 125), "more than 128 deep"},
		{"a million levels", strings.Repeat("[", 1_000_000), 400, strings.Repeat("/0", 128), "more than 128 deep"},
		{"a million objects", strings.Repeat(`{"a":`, 200_000), 400, strings.Repeat("/a", 128), "more than 128 deep"},
		{"128 levels", in(strings.Repeat("[", 125) + strings.Repeat("]", 125)), 200, "", ""},
		{"2 MiB", in(`"` + strings.Repeat("a", 2<<20) + `"`), 413, "", ""},
		{"1 MiB", in(`"` + strings.Repeat("a", 1<<20-len(in(`""`))) + `"`), 200, "", ""},
		{"1 MiB and a byte", in(`"` + strings.Repeat("a", 1<<20-len(in(`""`))+1) + `"`), 413, "", ""},
		{"a number beyond all numbers", in("[" + many(1000, "1e999999") + "]"), 400, "/fields/0/value/0", "exponent"},
		{"an exponent that is taken", in("1e400"), 200, "", ""},
		{"an exponent that is not", in("1e401"), 400, "/fields/0/value", "exponent"},
		{"down as well", in("1e-401"), 400, "/fields/0/value", "exponent"},
		{"64 digits", in(strings.Repeat("9", 64)), 200, "", ""},
		{"65 digits", in(strings.Repeat("9", 65)), 400, "/fields/0/value", "64 digits"},
		{"a million digits", in(strings.Repeat("9", 1_000_000)), 400, "/fields/0/value", "64 digits"},
		{"an exponent of a million digits", in("1e" + strings.Repeat("9", 1_000_000)), 400, "/fields/0/value", "digits"},
		{"a name twice", `{"id": "5126", "id": "5127"}`, 400, "/id", "twice"},
		{"a name twice, once with escapes", `{"id": "5126", "fields": [{"na\u006de": "a", "name": "b"}]}`, 400, "/fields/0/name", "twice"},
		{"a byte order mark", "\uFEFF" + `{"id": "5126"}`, 400, "", "byte order mark"},
		{"UTF-16", u16(`{"id": "5126"}`), 400, "", "want a value"},
		{"a lone surrogate", in(`"\ud800"`), 400, "/fields/0/value", "surrogate"},
		{"a lone low surrogate", in(`"\udc00x"`), 400, "/fields/0/value", "surrogate"},
		{"a pair of surrogates", in(`"\ud83d\ude00"`), 200, "", ""},
		{"no UTF-8", in("\"\xff\xfe\""), 400, "/fields/0/value", "not UTF-8"},
		{"no UTF-8 in a name", `{"id": "5126", "` + "\xc3" + `": 1}`, 400, "", "not UTF-8"},
		{"an overlong slash", in("\"\xc0\xaf\""), 400, "/fields/0/value", "not UTF-8"},
		{"a NUL", in("\"\x00\""), 400, "/fields/0/value", "control character"},
		{"a NUL that is escaped", in(`"\u0000"`), 200, "", ""},
		{"cut in half", in(`"abc`)[:40], 400, "/fields/0/value", "ends inside"},
		{"NaN", in("NaN"), 400, "/fields/0/value", "want a value"},
		{"-Infinity", in("-Infinity"), 400, "/fields/0/value", ""},
		{"a leading zero", in("007"), 400, "/fields/0/value", ""},
		{"a comment", `{"id": "5126"} // no`, 400, "", "goes on"},
		{"two values", `{"id": "5126"}{"id": "5126"}`, 400, "", "goes on"},
		{"blanks alone", "  \n", 400, "", "empty text"},
		{"null", "null", 400, "", "expected object"},
		{"100,001 values", in("[" + many(100_001, "1") + "]"), 413, "", "more than 100000 values"},
		{"90,000 values that the contract takes as they are", in("[" + many(90_000, "1") + "]"), 200, "", ""},
		{"90,000 fields", `{"id": "5126", "fields": [` + many(90_000, "{}") + "]}", 413, "", "not checked"},
		{"10,001 members", func() string {
			var b strings.Builder
			for i := range 10_001 {
				fmt.Fprintf(&b, `"m%d":1,`, i)
			}
			return in("{" + strings.TrimSuffix(b.String(), ",") + "}")
		}(), 413, "", "more than 10000 members"},
		{"line ends and colours", in("\"a\\r\\n\x1b[31m\""), 400, "/fields/0/value", "control character"},
	} {
		t.Run(test.name, func(t *testing.T) {
			res, body, e := ask(t, s, call("PUT "+taskPath+"5126\nuser: someone\n\n")+call(test.body))
			if !json.Valid([]byte(body)) || res.StatusCode != test.status {
				t.Fatalf("got %d, want %d: %.300s", res.StatusCode, test.status, body)
			}
			if test.status == 200 {
				return
			}
			if res.Header.Get("Content-Type") != "application/problem+json" || res.Header.Get("X-Mock-Error") != string(e.Outcome) {
				t.Errorf("got %v", res.Header)
			}
			if e.Outcome == TooLarge {
				return
			}
			if e.Outcome != Contract || len(e.Violations) == 0 {
				t.Fatalf("got %s, %v", e.Outcome, e.Violations)
			}
			v := e.Violations[0]
			if test.status == 400 && v.At != test.at || !strings.Contains(v.Why, test.why) {
				t.Errorf("got %s: %s, want %s: %s", v.At, v.Why, test.at, test.why)
			}
			if strings.ContainsAny(body, "\x1b\x00\r\n") {
				t.Errorf("control characters in %q", body)
			}
		})
	}
	answersNext(t, s)
}

func TestHostilePaths(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	const good = `{"id": "5126"}`
	for _, test := range []struct {
		line    string
		status  int
		outcome Outcome
	}{
		{"PUT //iam/governance/selfservice/api/v1/provtasks/5126", 501, NoOperation},
		{"PUT /iam//governance/selfservice/api/v1/provtasks/5126", 501, NoOperation},
		{"PUT " + taskPath, 501, NoOperation},
		{"PUT " + taskPath + "/", 501, NoOperation},
		{"PUT " + taskPath + "5126/", 501, NoOperation},
		{"PUT " + taskPath + "a%2Fb", 404, Answered}, // an encoded slash belongs to the id
		{"PUT " + taskPath + "a%2fb%2F..", 404, Answered},
		{"PUT " + taskPath + "..", 404, Answered}, // an id like any other: nothing is resolved
		{"PUT " + taskPath + "../provtasks/5126", 501, NoOperation},
		{"PUT " + taskPath + "%2e%2e", 404, Answered},
		{"PUT " + taskPath + "%2e%2e%2f%2e%2e%2fetc%2fpasswd", 404, Answered},
		{"PUT " + taskPath + "%00", 404, Answered},
		{"PUT " + taskPath + "%0d%0aX-Evil:%201", 404, Answered},
		{"PUT " + taskPath + "%1b%5b31m", 404, Answered},
		{"PUT " + taskPath + "%ff%fe", 404, Answered},
		{"PUT " + taskPath + "%E2%80%AE", 404, Answered},
		{"PUT " + taskPath + strings.Repeat("a", 60_000), 404, Answered},
		{"PUT " + taskPath + "5126?" + strings.Repeat("a", 60_000), 200, Answered},
		{"PUT /" + strings.Repeat("a/", 30_000), 501, NoOperation},
		{"PUT /" + strings.Repeat("/", 60_000), 501, NoOperation},
		{"PUT /iam/governance/selfservice/api/v1/provtasks%2F5126", 501, NoOperation},
		{"PUT " + strings.ToUpper(taskPath) + "5126", 501, NoOperation},
		{"PUT " + taskPath + "5126;jsessionid=1", 404, Answered},
		{"PUT " + taskPath + "5126?a=%zz&b=%&=&&;", 200, Answered},
		{"GET *", 501, NoOperation},
		{"CONNECT pseudo.com:443", 501, NoOperation},
		{"PUT http://elsewhere.example" + taskPath + "5126", 200, Answered},
		{"GET /", 501, NoOperation},
		{"BREW " + taskPath + "5126", 405, NoOperation},
		{"TRACE " + taskPath + "5126", 405, NoOperation},
		{"put " + taskPath + "5126", 405, NoOperation},
	} {
		line := test.line
		if len(line) > 120 {
			line = line[:120]
		}
		t.Run(line, func(t *testing.T) {
			text := fmt.Sprintf("%s HTTP/1.1\r\nHost: mock\r\nAuthorization: Basic YTpi\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", test.line, len(good), good)
			hr, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
			if err != nil {
				t.Fatal(err)
			}
			res, body, e := send(t, s, hr)
			if res.StatusCode != test.status || e.Outcome != test.outcome || !json.Valid([]byte(body)) || res.Header.Get("Location") != "" {
				t.Errorf("got %d, %s, want %d, %s: %.300s", res.StatusCode, e.Outcome, test.status, test.outcome, body)
			}
			if test.outcome != Answered && len(body) > 8<<10 {
				t.Errorf("an answer of %d bytes", len(body))
			}
		})
	}
	answersNext(t, s)
}

func TestHostileHeaders(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	query := make([]string, 20_000)
	for i := range query {
		query[i] = fmt.Sprintf("k%d=v", i)
	}
	var cookies strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&cookies, "Cookie: c%d=v\n", i)
	}
	for name, c := range map[string]call{
		"Java's Accept":         "?a=b\nAccept: text/html, image/gif, image/jpeg, */*; q=0.2",
		"an Accept for XML":     "?a=b\nAccept: application/xml",
		"a charset":             "?a=b\nContent-Type: application/json; charset=utf-8",
		"a quoted charset":      "?a=b\nContent-Type: Application/Json ;charset=\"UTF-8\"",
		"20,000 query keys":     call("?" + strings.Join(query, "&")),
		"1,000 cookies":         call("?a=b\n" + cookies.String()),
		"a token":               "?a=b\nX-Requested-By: whatever",
		"a range":               "?a=b\nRange: bytes=0-1",
		"a condition":           "?a=b\nIf-None-Match: *",
		"another method inside": "?a=b\nX-HTTP-Method-Override: DELETE",
	} {
		t.Run(name, func(t *testing.T) {
			res, body, _ := ask(t, s, "PUT "+taskPath+"5126"+call(strings.TrimSuffix(string(c), "\n"))+"\nuser: someone\n\n"+`{"id": "5126"}`)
			if res.StatusCode != 200 || res.Header.Get("Content-Type") != "application/json" || !json.Valid([]byte(body)) {
				t.Errorf("got %d, %v, %s", res.StatusCode, res.Header, body)
			}
		})
	}
	for _, auth := range []string{"Basic", "Basic !!!", "Basic Og==", "Basic OnBhc3N3b3Jk", "Bearer x", "Negotiate", strings.Repeat("a", 60_000)} {
		res, _, _ := ask(t, s, call("PUT "+taskPath+"5126\nAuthorization: "+auth+"\n\n"+`{"id": "5126"}`))
		if res.StatusCode != 401 || res.Header.Get("Location") != "" {
			t.Errorf("Authorization: %.40s: got %d", auth, res.StatusCode)
		}
	}
	answersNext(t, s)
}

// A regular expression in a scenario costs in proportion to the text, whatever
// it is; and the budget of a request is the same for all of them together.
func TestHostilePatterns(t *testing.T) {
	var b strings.Builder
	for i := range 50 {
		fmt.Fprintf(&b, "- {name: p%d, request: {method: PUT, path: '/things/{id}', body: {id: {$regex: '(a+)+%d$', example: a%d}}}, response: {status: 200, body: {}}}\n", i, i, i)
	}
	s := thingsServer(t, b.String())
	for _, n := range []int{100, 60_000, 1 << 19} {
		res, body, e := ask(t, s, call("PUT /things/1\n\n"+`{"id": "`+strings.Repeat("a", n)+`"}`))
		if !json.Valid([]byte(body)) || res.StatusCode != 501 && res.StatusCode != 413 || e.Interaction != "" {
			t.Errorf("%d: got %d, %s", n, res.StatusCode, e.Outcome)
		}
	}
	if res, _, e := ask(t, s, "PUT /things/1\n\n"+`{"id": "aaa7"}`); res.StatusCode != 200 || e.Interaction != "p7" {
		t.Errorf("the next call: %d by %q", res.StatusCode, e.Interaction)
	}
}

// A user who is the only one.
func TestOneUser(t *testing.T) {
	cfg := oigServer(t, "11.1.2.3").cfg
	cfg.User = "xelsysadm:Welcome1"
	s := newServer(t, cfg)
	for credentials, want := range map[string]int{"xelsysadm:Welcome1": 200, "xelsysadm:welcome1": 401, "xelsysadm:": 401, "other:Welcome1": 401, "": 401, ":": 401} {
		r := call("PUT " + taskPath + "5126\n\n" + `{"id": "5126"}`).request(t)
		if name, password, ok := strings.Cut(credentials, ":"); ok {
			r.SetBasicAuth(name, password)
		}
		if res, _, _ := send(t, s, r); res.StatusCode != want {
			t.Errorf("%q: got %d, want %d", credentials, res.StatusCode, want)
		}
	}
	cfg.User = "nobody"
	if _, err := New(cfg); err == nil || err.Error() != "user: want NAME:PASSWORD" {
		t.Errorf("got %v", err)
	}
}

// listening serves on a socket of this machine, as the program does.
func listening(t *testing.T, h http.Handler) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, l, h, nil, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// What goes over the wire: statuses, how many answers there are, and whether
// the connection stays.
func TestWire(t *testing.T) {
	address := listening(t, oigServer(t, "11.1.2.3"))
	const (
		good = `{"id": "5126"}`
		head = "PUT " + taskPath + "5126 HTTP/1.1\r\nHost: mock\r\nAuthorization: Basic YTpi\r\nContent-Type: application/json\r\n"
	)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(good))
	chunks := "Transfer-Encoding: chunked\r\n\r\n"
	one := fmt.Sprintf("%x\r\n%s\r\n", len(good), good)
	for _, test := range []struct {
		name, text string
		statuses   []int
		json       bool // ours, or net/http's own
		closes     bool
	}{
		{"a call", head + length + "\r\n" + good, []int{200}, true, false},
		{"chunks", head + chunks + one + "0\r\n\r\n", []int{200}, true, false},
		{"two lengths that differ", head + length + "Content-Length: 3\r\n\r\n" + good, []int{400}, false, true},
		{"two lengths that are the same", head + length + length + "\r\n" + good, []int{200}, true, false},
		{"a length that is no number", head + "Content-Length: 0x2\r\n\r\n", []int{400}, false, true},
		{"a length below nothing", head + "Content-Length: -1\r\n\r\n", []int{400}, false, true},
		{"a length of 20 digits", head + "Content-Length: 99999999999999999999\r\n\r\n", []int{400}, false, true},
		{"10 GiB", head + "Content-Length: 10737418240\r\n\r\n", []int{413}, true, true},
		{"another encoding", head + "Transfer-Encoding: gzip, chunked\r\n\r\n", []int{501}, false, true},
		{"a chunk of 0x5", head + chunks + "0x5\r\nabcde\r\n0\r\n\r\n", []int{400}, true, true},
		{"a chunk of +5", head + chunks + "+5\r\nabcde\r\n0\r\n\r\n", []int{400}, true, true},
		{"a chunk of 17 digits", head + chunks + "00000000000000005\r\nabcde\r\n0\r\n\r\n", []int{400}, true, true},
		{"a chunk without its end", head + chunks + "5\r\nabcde0\r\n\r\n", []int{400}, true, true},
		{"a long extension", head + chunks + "5;" + strings.Repeat("x", 20_000) + "\r\nabcde\r\n0\r\n\r\n", []int{400}, true, true},
		{"2 MiB in chunks", head + chunks + strings.Repeat("8000\r\n"+strings.Repeat(" ", 0x8000)+"\r\n", 64) + "0\r\n\r\n", []int{413}, true, true},
		{"headers of 60 kB", head + length + "X-A: " + strings.Repeat("a", 60_000) + "\r\n\r\n" + good, []int{200}, true, false},
		{"headers of 80 kB", head + length + "X-A: " + strings.Repeat("a", 80_000) + "\r\n\r\n" + good, []int{431}, false, true},
		{"a path of 60 kB", strings.Replace(head, "5126", "5126"+strings.Repeat("a", 60_000), 1) + length + "\r\n" + good, []int{404}, true, false},
		{"a path of 80 kB", strings.Replace(head, "5126", "5126"+strings.Repeat("a", 80_000), 1) + length + "\r\n" + good, []int{431}, false, true},
		{"no Host", strings.Replace(head, "Host: mock\r\n", "", 1) + length + "\r\n" + good, []int{400}, false, true},
		{"two Hosts", head + "Host: other\r\n" + length + "\r\n" + good, []int{400}, false, true},
		{"a NUL in a header", head + length + "X-A: a\x00b\r\n\r\n" + good, []int{400}, false, true},
		{"HTTP/3.0", strings.Replace(head, "HTTP/1.1", "HTTP/3.0", 1) + "\r\n", []int{505}, false, true},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{501}, true, true},
		{"a bad escape in the path", "GET /%zz HTTP/1.1\r\nHost: mock\r\n\r\n", []int{400}, false, true},
		{"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: mock\r\n\r\n", []int{501}, true, false},
		{"an expectation", head + length + "Expect: 100-continue\r\n\r\n" + good, []int{100, 200}, true, false},
		{"another expectation", head + length + "Expect: wonders\r\n\r\n" + good, []int{417}, false, true},
		{"HEAD", "HEAD " + taskPath + "5126 HTTP/1.1\r\nHost: mock\r\n\r\n", []int{401}, false, false},
		{"100 in one go", strings.Repeat(head+length+"\r\n"+good+"POST "+taskPath+"5126 HTTP/1.1\r\nHost: mock\r\n\r\n", 50), alternate(100, 200, 405), true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			go func() { _, _ = io.WriteString(c, test.text) }() // what is refused is not read to its end
			in := bufio.NewReader(c)
			for i, want := range test.statuses {
				method := "PUT"
				if strings.HasPrefix(test.text, "HEAD") {
					method = "HEAD"
				}
				res, err := http.ReadResponse(in, &http.Request{Method: method})
				if err != nil {
					t.Fatalf("answer %d: %v", i+1, err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.Fatal(err)
				}
				if res.StatusCode != want {
					t.Fatalf("answer %d: got %d, want %d: %s", i+1, res.StatusCode, want, body)
				}
				if last := i == len(test.statuses)-1; test.json && want != 100 && !json.Valid(body) || last && test.closes != res.Close {
					t.Errorf("answer %d: closes %v, want %v: %s", i+1, res.Close, test.closes, body)
				}
			}
			if test.closes {
				if _, err := in.ReadByte(); err == nil {
					t.Error("there is more")
				}
				return
			}
			// The connection is as good as new.
			if _, err := io.WriteString(c, head+length+"\r\n"+good); err != nil {
				t.Fatal(err)
			}
			if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 200 {
				t.Fatalf("the next call: %v %v", res, err)
			}
		})
	}

	t.Run("a body that is shorter than it says", func(t *testing.T) {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, head+"Content-Length: 99\r\n\r\n"+good)
		_ = c.(*net.TCPConn).CloseWrite()
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 400 || res.Header.Get("X-Mock-Error") != string(Unreadable) || !json.Valid(body) || !res.Close {
			t.Errorf("got %d, %v, %s", res.StatusCode, res.Header, body)
		}
	})
}

func alternate(n int, a, b int) (all []int) {
	for i := range n {
		if i%2 == 0 {
			all = append(all, a)
		} else {
			all = append(all, b)
		}
	}
	return all
}

// A request that was made in Go may have no headers at all, and what it has
// is its maker's. Its Host is a header like any other.
func TestHeadersOfTheCaller(t *testing.T) {
	s := newServer(t, Config{Scenarios: scenariosOf(t, "scenarios", map[string]string{
		"s.yaml": "- {name: a, request: {path: /a, header: {host: mock}}, response: {status: 200, text: '{{ header/Host }}'}}\n" +
			"- {name: b, request: {path: /b, header: {$values: {$any: x}, keys: {$oneOf: [Accept, Authorization, Host]}, example: {Accept: x}}}, response: {status: 200}}\n"})})
	for _, test := range []struct {
		path, host string
		header     http.Header
		status     int
	}{
		{"/a", "mock", nil, 200},
		{"/a", "mock", http.Header{}, 200},
		{"/a", "other", nil, 501},
		{"/a", "", nil, 501},
		{"/a", "", http.Header{"Host": {"mock"}}, 200},
		{"/b", "mock", http.Header{"Accept": {"x"}}, 200},
		{"/b", "mock", http.Header{"Other": {"x"}}, 501},
	} {
		hr := httptest.NewRequest("GET", test.path, nil)
		hr.Host, hr.Header = test.host, test.header
		before := fmt.Sprint(test.header)
		res, body, e := send(t, s, hr)
		if res.StatusCode != test.status || test.path == "/a" && test.status == 200 && body != "mock" {
			t.Errorf("%s of %q with %v: got %d: %s", test.path, test.host, test.header, res.StatusCode, body)
		}
		if after := fmt.Sprint(test.header); after != before {
			t.Errorf("the headers of the caller are %s now, and were %s", after, before)
		}
		if e.Exchange.Request.Host != test.host {
			t.Errorf("the journal says %q for %q", e.Exchange.Request.Host, test.host)
		}
	}
}

// What was refused is a warning and says why; what was left to the last says
// what came close.
func TestLogSaysWhy(t *testing.T) {
	var b bytes.Buffer
	s := thingsServer(t, "- {name: five, request: {method: PUT, path: /things/5}, response: {status: 200, body: {id: '5'}}}\n"+
		"- {name: broken, request: {method: GET, path: '/things/{id}', query: {a: {$like: a}, b: {$oneOf: [b, {$absent: true}]}}}, response: {status: 200, body: {id: '{{ query/a | lower }} {{ query/b }}'}}}\n"+
		"- {name: last, order: last, request: {method: PUT, path: '/{rest...}'}, response: {status: 404}}\n")
	s.cfg.Log = logTo(&b)
	for _, test := range []struct {
		call call
		want []string
		not  string
	}{
		{"PUT /things/5\n\n{\"id\": \"5\"}", []string{"level=INFO", "scenario=s#five"}, "near="},
		{"PUT /things/6\n\n{\"id\": \"6\"}", []string{"level=INFO", "scenario=s#last", `near="closest: \"five\" in s\n  scenarios/s.yaml:`, "want /things/5, got /things/6"}, "why="},
		{"PUT /things/5\n\n{\"id\": 5}", []string{"level=WARN", `why="body /id: expected string`}, "scenario="},
		{"GET /things/5?a=b", []string{"level=WARN", "outcome=template", "status=500", "scenario=s#broken", `why="scenarios/s.yaml:`}, "near="},
		{"PATCH /things/5", []string{"level=WARN", "status=405", "why="}, "scenario="},
		{"OPTIONS /things/5", []string{"level=INFO", "status=200"}, "why="},
	} {
		b.Reset()
		ask(t, s, test.call)
		for _, want := range test.want {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%.20s: no %s in %s", test.call, want, b.String())
			}
		}
		if strings.Contains(b.String(), test.not) {
			t.Errorf("%.20s: %s in %s", test.call, test.not, b.String())
		}
	}
}

// One line for each request, and nothing in it that a terminal would obey.
func TestLogHoldsNoControlCharacters(t *testing.T) {
	var b bytes.Buffer
	cfg := oigServer(t, "11.1.2.3").cfg
	cfg.Log = logTo(&b)
	s := newServer(t, cfg)
	lines := 0
	for _, c := range []call{
		"PUT " + taskPath + "%0d%0a%1b[31m%00\nuser: a\n\n" + `{"id": "\u001b[31m\r\n"}`,
		"GET /%0a%1b\nX-A: b",
		"PUT " + causesPath + "\nuser: a\n\n" + `{"policyviolationcause": [{"requestId": "r", "causeId": "c", "action": "\u001b\n"}]}`,
		"PUT " + taskPath + "1\nuser: a\n\n" + `{"id": 1}`,
		"OPTIONS " + taskPath + "1",
	} {
		ask(t, s, c)
		lines++
	}
	text := b.String()
	if strings.Count(text, "\n") != lines || strings.ContainsAny(text, "\x1b\x00\r") {
		t.Errorf("got %q", text)
	}
}

// FuzzServe sends whatever it is given down the road: no panic, and JSON or the
// answer of a scenario.
func FuzzServe(f *testing.F) {
	s := oigServer(f, "11.1.2.3")
	f.Add("PUT", taskPath+"5126", "Authorization", "Basic YTpi", `{"id": "5126"}`)
	f.Add("PUT", causesPath, "Authorization", "Basic YTpi", `{"policyviolationcause": [{"requestId": "a", "causeId": "b", "action": "ACCEPT_RISK", "riskAcceptedExpirationDate": "11-May-30"}]}`)
	f.Add("OPTIONS", taskPath+"a%2Fb", "Content-Type", "application/json; charset=utf-8", "")
	f.Add("HEAD", "//iam/../x?a=b&c=%zz", "Accept-Encoding", "gzip", "")
	f.Add("CONNECT", "a:1", "Cookie", "a=b; c", "[")
	known := map[int]bool{200: true, 400: true, 401: true, 404: true, 405: true, 413: true, 501: true}
	f.Fuzz(func(t *testing.T, method, target, name, value, body string) {
		text := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n%s", method, target, name, value, len(body), body)
		hr, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, hr)
		if !known[w.Code] {
			t.Errorf("status %d", w.Code)
		}
		if got := w.Body.Bytes(); hr.Method != "HEAD" && !json.Valid(got) && !(hr.Method == "OPTIONS" && len(got) == 0) {
			t.Errorf("no JSON: %q", got)
		}
		if ours := w.Header().Get("X-Mock-Error") != ""; ours == (w.Header().Get("X-Mock-Scenario") != "") && hr.Method != "OPTIONS" {
			t.Errorf("whose answer is that? %v", w.Header())
		}
		if w.Code == 404 && w.Header().Get("X-Mock-Scenario") == "" || w.Header().Get("Location") != "" {
			t.Errorf("%d by ourselves, %v", w.Code, w.Header())
		}
	})
}
