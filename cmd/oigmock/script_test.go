package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands of the scripts, besides those of testscript:
//
//	exits CODE PROGRAM [ARG...]   runs a program and wants that exit code
//	serve NAME [FLAG...]          starts oigmock serve on a free port, and sets $URL, $ADDR, $ADMIN and $TRY
//	                              from what it prints
//	seen NAME REGEXP              waits for a line on its standard error, behind the last that was seen
//	signal NAME                   sends SIGTERM
//	ended NAME HOW                waits for its end: an exit code, or the name of a signal; stdout and
//	                              stderr are then all that it printed
//	halt NAME                     signal, and ended with 0
//	http [-ca FILE] METHOD URL [-u NAME:PASSWORD] [-H 'NAME: VALUE'] [-d BODY|@FILE]
//	                              prints status, some headers, and the body
//	begin METHOD URL ...          the same up to the moment when the server has the request in hand
//	finish                        waits for its answer and prints it
//	certificate                   makes cert.pem and key.pem for this machine
//	swap LINK TARGET              makes LINK point to TARGET, in one step
//	keep NAME REGEXP              sets $NAME to what the regular expression, or its group, finds in stdout
//	sarif FILE                    wants a file that keeps to what SARIF 2.1.0 asks for
var commands = map[string]func(*testscript.TestScript, bool, []string){
	"exits":  exits,
	"serve":  startServe,
	"seen":   seen,
	"signal": func(ts *testscript.TestScript, _ bool, args []string) { processOf(ts, args, 1).signal(ts) },
	"ended":  func(ts *testscript.TestScript, _ bool, args []string) { processOf(ts, args, 2).ended(ts, args[1]) },
	"halt": func(ts *testscript.TestScript, _ bool, args []string) {
		p := processOf(ts, args, 1)
		p.signal(ts)
		p.ended(ts, "0")
	},
	"http":        func(ts *testscript.TestScript, _ bool, args []string) { answerTo(ts, args, nil).print(ts) },
	"begin":       begin,
	"finish":      func(ts *testscript.TestScript, _ bool, _ []string) { (<-worldOf(ts).answers).print(ts) },
	"certificate": certificate,
	"swap":        swap,
	"keep":        keep,
	"sarif":       sarif,
}

// A world is what a script has made.
type world struct {
	processes map[string]*process
	answers   chan answer
}

type worldKey struct{}

func setup(env *testscript.Env) error {
	w := &world{processes: map[string]*process{}, answers: make(chan answer, 1)}
	env.Values[worldKey{}] = w
	env.Defer(func() {
		for _, p := range w.processes {
			_ = p.cmd.Process.Kill() // most have ended
			<-p.done
		}
	})
	env.Setenv("GORACE", "atexit_sleep_ms=10")
	env.Setenv("OP", "/iam/governance/selfservice/api/v1")
	return nil
}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := "0"
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = strconv.Itoa(exit.ExitCode())
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if code != args[0] {
		ts.Fatalf("exit code %s, want %s", code, args[0])
	}
}

// A process is a server that runs beside the script.
type process struct {
	cmd  *exec.Cmd
	out  *lines // standard output
	err  *lines
	done chan struct{} // closed at its end
}

// lines collects what a process prints, and lets somebody wait for more.
type lines struct {
	mu    sync.Mutex
	more  sync.Cond
	all   []string
	ended bool
	next  int // the first that wait has not seen
}

func collect(r io.Reader) *lines {
	l := &lines{}
	l.more.L = &l.mu
	go func() {
		for in := bufio.NewReader(r); ; {
			line, err := in.ReadString('\n')
			l.mu.Lock()
			if line != "" {
				l.all = append(l.all, line)
			}
			l.ended = err != nil
			l.more.Broadcast()
			l.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return l
}

// wait returns the next line that matches. It reports false when the process
// ends without one.
func (l *lines) wait(re *regexp.Regexp) (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for l.next < len(l.all) {
			line := l.all[l.next]
			l.next++
			if line = strings.TrimRight(line, "\r\n"); re.MatchString(line) {
				return line, true
			}
		}
		if l.ended {
			return "", false
		}
		l.more.Wait()
	}
}

// text is all that was printed. It waits for the end.
func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for !l.ended {
		l.more.Wait()
	}
	return strings.Join(l.all, "")
}

func processOf(ts *testscript.TestScript, args []string, want int) *process {
	if len(args) != want {
		ts.Fatalf("want %d arguments", want)
	}
	p := worldOf(ts).processes[args[0]]
	if p == nil {
		ts.Fatalf("no server is called %s", args[0])
	}
	return p
}

func startServe(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if neg || len(args) == 0 || w.processes[args[0]] != nil {
		ts.Fatalf("usage: serve NAME [FLAG...], with a new name")
	}
	program, err := exec.LookPath("oigmock") // testscript.Main puts it into the path of the test
	ts.Check(err)
	flags := append([]string{"serve"}, args[1:]...)
	given := strings.Join(args[1:], " ")
	if !strings.Contains(given, "--listen") {
		flags = append(flags, "--listen", "127.0.0.1:0")
	}
	if !strings.Contains(given, "--admin") {
		flags = append(flags, "--admin", "off")
	}
	cmd := exec.Command(program, flags...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "GORACE="+ts.Getenv("GORACE"), "SSL_CERT_FILE="+ts.Getenv("SSL_CERT_FILE"),
		"OIGMOCK_ADMIN_TOKEN="+ts.Getenv("OIGMOCK_ADMIN_TOKEN"))
	outRead, outWrite, err := os.Pipe()
	ts.Check(err)
	errRead, errWrite, err := os.Pipe()
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = outWrite, errWrite
	ts.Check(cmd.Start())
	_ = outWrite.Close() // the process has its own
	_ = errWrite.Close()
	p := &process{cmd: cmd, out: collect(outRead), err: collect(errRead), done: make(chan struct{})}
	w.processes[args[0]] = p
	go func() {
		_ = cmd.Wait() // how it ended is in ProcessState
		close(p.done)
	}()
	deadline := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer deadline.Stop()

	address := regexp.MustCompile(`^(oigmock is OIG|admin API at|try: |nothing is answered)`)
	for {
		line, ok := p.out.wait(address)
		line = strings.TrimSpace(line)
		_, at, _ := strings.Cut(line, " at ")
		switch {
		case !ok:
			ts.Fatalf("serve ended before it printed its address:\n%s%s", p.out.text(), p.err.text())
		case strings.HasPrefix(line, "oigmock"):
			ts.Setenv("URL", at)
			_, host, _ := strings.Cut(at, "://")
			ts.Setenv("ADDR", host)
			continue
		case strings.HasPrefix(line, "admin"):
			ts.Setenv("ADMIN", at)
			continue
		}
		ts.Setenv("TRY", strings.TrimPrefix(line, "try: "))
		return
	}
}

// patience is how long a script waits for what must come. It is only ever
// spent by a test that fails.
const patience = time.Minute

func seen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: seen NAME REGEXP")
	}
	p := processOf(ts, args[:1], 1)
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	deadline := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer deadline.Stop()
	line, ok := p.err.wait(re)
	if !ok {
		ts.Fatalf("the server ended without a line like %s; it said:\n%s", args[1], p.err.text())
	}
	ts.Logf("%s", line)
}

func (p *process) signal(ts *testscript.TestScript) {
	ts.Check(p.cmd.Process.Signal(syscall.SIGTERM))
}

func (p *process) ended(ts *testscript.TestScript, how string) {
	deadline := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	defer deadline.Stop()
	<-p.done
	fmt.Fprint(ts.Stdout(), p.out.text())
	fmt.Fprint(ts.Stderr(), p.err.text())
	got := strconv.Itoa(p.cmd.ProcessState.ExitCode())
	if status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		got = status.Signal().String()
	}
	if got != how {
		ts.Fatalf("the server ended with %s, want %s", got, how)
	}
}

// An answer is what came of a request.
type answer struct {
	text string
	err  error
}

func (a answer) print(ts *testscript.TestScript) {
	ts.Check(a.err)
	text := a.text
	if url := ts.Getenv("URL"); url != "" {
		text = strings.ReplaceAll(text, url, "$URL") // it is another one each time
	}
	fmt.Fprint(ts.Stdout(), text)
}

// shown are the headers that are printed.
var shown = []string{"Access-Control-Allow-Credentials", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "Allow", "Content-Type", "Responsetime", "Www-Authenticate", "X-Mock-Error", "X-Mock-Scenario"}

// answerTo sends a request. inHand, if any, is called when the server has
// begun to read the body, which is when its handler runs.
func answerTo(ts *testscript.TestScript, args []string, inHand func()) answer {
	r, roots := parseRequest(ts, args)
	return send(r, roots, inHand)
}

func parseRequest(ts *testscript.TestScript, args []string) (*http.Request, *x509.CertPool) {
	var roots *x509.CertPool
	if len(args) > 2 && args[0] == "-ca" {
		roots = x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(ts.ReadFile(args[1])))
		args = args[2:]
	}
	if len(args) < 2 || len(args)%2 != 0 {
		ts.Fatalf("usage: http [-ca FILE] METHOD URL [-u NAME:PASSWORD] [-H 'NAME: VALUE'] [-d BODY|@FILE]")
	}
	r, err := http.NewRequest(args[0], args[1], nil)
	ts.Check(err)
	for i := 2; i < len(args); i += 2 {
		value := args[i+1]
		switch args[i] {
		case "-u":
			name, password, _ := strings.Cut(value, ":")
			r.SetBasicAuth(name, password)
		case "-H":
			name, text, _ := strings.Cut(value, ":")
			r.Header.Add(name, strings.TrimSpace(text))
		case "-d":
			if name, ok := strings.CutPrefix(value, "@"); ok {
				value = ts.ReadFile(name)
			}
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(value)), int64(len(value))
			if r.Header.Get("Content-Type") == "" {
				r.Header.Set("Content-Type", "application/json")
			}
		default:
			ts.Fatalf("http has no flag %s", args[i])
		}
	}
	return r, roots
}

func send(r *http.Request, roots *x509.CertPool, inHand func()) answer {
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots}}
	if inHand != nil {
		transport.ExpectContinueTimeout = patience
		r.Header.Set("Expect", "100-continue")
		r = r.WithContext(httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{Got100Continue: inHand}))
	}
	client := &http.Client{Transport: transport, Timeout: patience}
	response, err := client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{err: err}
	}
	var b strings.Builder
	fmt.Fprintln(&b, response.StatusCode)
	for _, name := range shown {
		if values := response.Header[name]; len(values) > 0 {
			fmt.Fprintf(&b, "%s: %s\n", name, strings.Join(values, ", "))
		}
	}
	fmt.Fprintf(&b, "\n%s\n", body)
	return answer{text: b.String()}
}

func begin(ts *testscript.TestScript, _ bool, args []string) {
	r, roots := parseRequest(ts, args)
	answers := worldOf(ts).answers
	arrived := make(chan struct{})
	go func() {
		answers <- send(r, roots, sync.OnceFunc(func() { close(arrived) }))
	}()
	select {
	case <-arrived:
	case a := <-answers:
		ts.Fatalf("answered at once: %s %v", a.text, a.err)
	}
}

func certificate(ts *testscript.TestScript, _ bool, _ []string) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "a test of oigmock"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		DNSNames:     []string{"localhost"},
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	ts.Check(err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

func swap(ts *testscript.TestScript, _ bool, args []string) {
	link := ts.MkAbs(args[0])
	ts.Check(os.Symlink(args[1], filepath.Join(filepath.Dir(link), ".new")))
	ts.Check(os.Rename(filepath.Join(filepath.Dir(link), ".new"), link))
}

// keep remembers what was printed and is another thing each time.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME REGEXP")
	}
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	found := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if found == nil {
		ts.Fatalf("nothing like %s was printed", args[1])
	}
	ts.Setenv(args[0], found[len(found)-1])
}

// sarif holds a file against what the standard asks of the parts that we
// write.
func sarif(ts *testscript.TestScript, _ bool, args []string) {
	var log struct {
		Version string
		Schema  string `json:"$schema"`
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name  string
					Rules []struct{ ID string }
				}
			}
			ColumnKind string
			Results    []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &log))
	if log.Version != "2.1.0" || log.Schema == "" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name == "" || log.Runs[0].Results == nil {
		ts.Fatalf("no SARIF 2.1.0 with one run, a tool and results: %+v", log)
	}
	run := log.Runs[0]
	rules := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		if rules[r.ID] || r.ID == "" {
			ts.Fatalf("the rule %q is there twice, or has no name", r.ID)
		}
		rules[r.ID] = true
	}
	for _, r := range run.Results {
		if !rules[r.RuleID] || r.Message.Text == "" || len(r.Locations) != 1 || r.Level != "error" && r.Level != "warning" && r.Level != "note" {
			ts.Fatalf("a result lacks something: %+v", r)
		}
		at := r.Locations[0].PhysicalLocation
		if u, err := url.Parse(at.ArtifactLocation.URI); err != nil || u.IsAbs() || u.Path == "" || strings.HasPrefix(u.Path, "/") {
			ts.Fatalf("%q is no relative URI", at.ArtifactLocation.URI)
		}
		if at.Region != nil && (at.Region.StartLine < 1 || at.Region.StartColumn < 1) {
			ts.Fatalf("lines and columns count from 1: %+v", *at.Region)
		}
	}
}
