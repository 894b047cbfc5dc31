package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"go/scanner"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/spf13/cobra"
)

const (
	defaultListen = "127.0.0.1:8080"
	defaultAdmin  = "127.0.0.1:8081"
	noAdmin       = "off"

	defaultEntries = 1000
	defaultMemory  = "64MiB"

	maxRemarks = 20 // warnings and notes that are told when files are loaded

	tokenVariable = "OIGMOCK_ADMIN_TOKEN"
	minToken      = 16      // bytes of a token
	maxTokenFile  = 4 << 10 // bytes of a file that holds one
)

// serveFlags are the flags of serve.
type serveFlags struct {
	setFlags
	listen, admin     string
	tokenFile, token  string // the file of the admin API's token, and that itself
	user              string
	cors              []string
	coverage          string
	journal           int
	journalMemory     string
	seed              uint64
	tlsCert, tlsKey   string
	log               string
	quiet, adminGiven bool
}

func serveCommand() *cobra.Command {
	var flags serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "answer as OIG would, until a signal ends it",
		Long: `serve answers on --listen as OIG would, and prints a first call to try.
Files of --scenarios and --schemas that change are loaded anew, all or nothing.
SIGTERM or Ctrl-C ends it when the requests under way are answered; a second
one ends it at once.`,
		Example: `  oigmock serve
  oigmock serve --scenarios library,my-scenarios --user me:secret
  oigmock serve --listen :0 --admin off --clock 2030-05-11T12:00:00Z
  oigmock serve --given 'OIG fails' --given '{"state": "task exists", "params": {"id": "1006"}}'
  oigmock serve --cors http://localhost:3000 --cors http://localhost:5173
  OIGMOCK_ADMIN_TOKEN=... oigmock serve --listen 0.0.0.0:8080 --admin 0.0.0.0:8081`,
		Args: noFolders,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.adminGiven = cmd.Flags().Changed("admin")
			if cmd.Flags().Changed("seed") && flags.seed == 0 {
				return misusef("--seed 0: want a number from 1 on; without the flag one is drawn")
			}
			flags.listen, flags.admin = withHost(flags.listen), withHost(flags.admin)
			return serve(cmd.Context(), &flags, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.listen, "listen", defaultListen, "where to answer: `[HOST]:PORT`; port 0 is any free one, no host is this machine alone, 0.0.0.0 lets others reach it")
	f.StringVar(&flags.admin, "admin", defaultAdmin, "where the admin API answers: `[HOST]:PORT|off`; what others can reach needs a token, in OIGMOCK_ADMIN_TOKEN or a file")
	f.StringVar(&flags.tokenFile, "admin-token-file", "", "a `FILE` with the token that whoever asks the admin API must send")
	f.Uint64Var(&flags.seed, "seed", 0, "of whatever is random: the `NUMBER` that a run printed repeats it (default drawn)")
	f.StringVar(&flags.user, "user", "", "the only login that counts, `NAME:PASSWORD`; without it any does")
	f.StringArrayVar(&flags.cors, "cors", nil, "an `ORIGIN` whose pages may call from a browser, such as http://localhost:3000, or * for any; may be repeated, or separated by commas")
	f.StringVar(&flags.tlsCert, "tls-cert", "", "serve HTTPS with the certificate in this PEM `FILE`")
	f.StringVar(&flags.tlsKey, "tls-key", "", "the key of that certificate, a PEM `FILE`")
	f.StringVar(&flags.log, "log", "text", "how to log a line for each request: `text|json`")
	f.BoolVar(&flags.quiet, "quiet", false, "log no requests")
	f.StringVar(&flags.coverage, "coverage", "", "a `FILE`, .txt or .json, that says at the end what the run exercised, and what not")
	f.IntVar(&flags.journal, "journal", defaultEntries, "how many `ENTRIES` the journal of each session keeps")
	f.StringVar(&flags.journalMemory, "journal-memory", defaultMemory, "how much memory all journals take together: `BYTES` such as 64MiB")
	flags.add(cmd)
	return cmd
}

func serve(ctx context.Context, flags *serveFlags, stdout, stderr io.Writer) error {
	conf, err := flags.check()
	if err != nil {
		return err
	}
	s, err := flags.set()
	if err != nil {
		return err
	}
	out := newTeller(stderr, flags.log)

	// The folders are watched before they are read, so that no change of
	// theirs is missed.
	w := newWatcher(s.folders(), out.complain)
	l := s.load()
	cfg := s.config(l)
	cfg.User, cfg.CORS, cfg.Seed = flags.user, flags.origins(), flags.seed
	if cfg.Journal, err = flags.journals(); err != nil {
		return err
	}
	if err := checkCoverage(flags.coverage); err != nil {
		return err
	}
	if !flags.quiet {
		cfg.Log = out.log
	}
	srv, err := newServer(cfg, s, l, stderr)
	if err != nil {
		return err
	}

	// From here on a signal ends it gracefully, and the next at once.
	signaled, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	answering, err := listen("--listen", flags.listen)
	if err != nil {
		return err
	}
	defer answering.Close()
	admin, err := flags.listenAdmin()
	if err != nil {
		return err
	}
	if admin != nil {
		defer admin.Close()
	}
	serving, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ignore := context.AfterFunc(signaled, func() {
		restore()
		out.tell(slog.LevelInfo, "stopping: the requests under way are answered first; a second signal ends at once", nil)
		end()
	})
	defer ignore() // an end without a signal

	if all := l.remarks(); len(all) > 0 {
		out.tell(slog.LevelWarn, "", all)
	}
	c := curl{base: urlOf(answering.Addr(), conf != nil), login: flags.user}
	c.insecure = conf != nil && !trusted(conf, answering.Addr())
	adminConf := flags.adminTLS(conf, admin)
	if _, err := io.WriteString(stdout, greeting(srv, s, l, c, answering.Addr(), admin, adminConf != nil)); err != nil {
		return fmt.Errorf("printing the address: %w", err)
	}

	go w.run(serving, func() { reload(srv, s, out) })
	ended := make(chan error, 2)
	running := 1
	go func() { ended <- mockserver.Serve(serving, answering, srv, conf, out.log) }()
	if admin != nil {
		running++
		api := srv.Admin(mockserver.AdminConfig{Version: version(), Token: flags.token})
		go func() { ended <- mockserver.Serve(serving, admin, api, adminConf, out.log) }()
	}
	var first error
	for range running {
		if err := <-ended; err != nil && first == nil {
			first = err
			end() // neither goes on without the other
		}
	}
	if err := writeCoverage(flags.coverage, srv.Coverage()); err != nil && first == nil {
		first = err
	}
	return first
}

// journals reads the flags that bound the journals.
func (f *serveFlags) journals() (limits mockserver.JournalLimits, err error) {
	const least = 1 << 20
	bytes, ok := scenarios.ParseBytes(f.journalMemory)
	switch {
	case f.journal < 1:
		return limits, misusef("--journal %d: want a number from 1 on", f.journal)
	case !ok || bytes < least:
		return limits, misusef("--journal-memory %q: want bytes such as 64MiB, 1MiB at least", f.journalMemory)
	}
	return mockserver.JournalLimits{Entries: f.journal, Bytes: bytes}, nil
}

// origins are those of the flags --cors.
func (f *serveFlags) origins() (all []string) {
	for _, list := range f.cors {
		for origin := range strings.SplitSeq(list, ",") {
			all = append(all, strings.TrimSpace(origin))
		}
	}
	return all
}

// checkCoverage reports, before the run, a file that could not be written after
// it.
func checkCoverage(name string) error {
	if name == "" {
		return nil
	}
	if ext := filepath.Ext(name); ext != ".txt" && ext != ".json" {
		return misusef("--coverage %s: want a file that ends in .txt or .json", name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return misusef("--coverage: %w", err)
	}
	return f.Close()
}

// writeCoverage writes what a run exercised, as the name of the file says.
func writeCoverage(name string, c *mockserver.Coverage) error {
	if name == "" {
		return nil
	}
	text := []byte(c.String())
	if filepath.Ext(name) == ".json" {
		var err error
		if text, err = json.MarshalIndent(c, "", "  "); err != nil {
			return fmt.Errorf("coverage: %w", err)
		}
		text = append(text, '\n')
	}
	if err := os.WriteFile(name, text, 0o644); err != nil {
		return fmt.Errorf("coverage: %w", err)
	}
	return nil
}

// check reports flags that make no sense, and reads the certificate. It is
// nil for plain HTTP.
func (f *serveFlags) check() (*tls.Config, error) {
	if f.log != "text" && f.log != "json" {
		return nil, misusef("--log %q is none of text, json", f.log)
	}
	if err := checkAddress("--listen", f.listen); err != nil {
		return nil, err
	}
	if f.admin != noAdmin {
		if err := checkAddress("--admin", f.admin); err != nil {
			return nil, err
		}
		if err := f.readToken(); err != nil {
			return nil, err
		}
		if host, _, _ := net.SplitHostPort(f.admin); f.token == "" && !loopback(host) {
			return nil, needsToken(f.admin)
		}
	}
	if err := checkLogin("--user", f.user); err != nil {
		return nil, err
	}
	for _, origin := range f.origins() {
		if err := mockserver.CheckOrigin(origin); err != nil {
			return nil, misusef("--cors: %w", err)
		}
	}
	switch {
	case f.tlsCert == "" && f.tlsKey == "":
		return nil, nil
	case f.tlsCert == "" || f.tlsKey == "":
		return nil, misusef("HTTPS needs both --tls-cert and --tls-key")
	}
	pair, err := readPair(f.tlsCert, f.tlsKey)
	if err != nil {
		return nil, misusef("--tls-cert, --tls-key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
}

// maxPEM is how many bytes of a certificate, or of a key, are taken.
const maxPEM = 1 << 20

func readPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := readAtMost(certFile, maxPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := readAtMost(keyFile, maxPEM)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(cert, key)
}

// noFolders refuses arguments: whoever gives one mostly means a folder.
func noFolders(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !slices.Contains(args, library) {
		args = append([]string{library}, args...)
	}
	return misusef("serve takes no arguments; folders go to --scenarios %s", strings.Join(args, ","))
}

// withHost puts this machine where an address names no host: that nobody else
// can reach what takes any login must not depend on a few letters.
func withHost(address string) string {
	if strings.HasPrefix(address, ":") {
		return "127.0.0.1" + address
	}
	return address
}

func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return misusef("%s %q: want HOST:PORT such as 127.0.0.1:8080, or :0 for any free port", flag, address)
	}
	return nil
}

// checkLogin does not say what it was given: that is a secret.
func checkLogin(flag, login string) error {
	if name, _, ok := strings.Cut(login, ":"); login != "" && (!ok || name == "") {
		return misusef("%s: want NAME:PASSWORD", flag)
	}
	return nil
}

// loopback tells an address that only this machine reaches.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// needsToken refuses an admin API that anybody in reach could steer.
func needsToken(address string) error {
	return misusef("--admin %s: other machines can reach that, and the admin API steers the mock and shows all that it is sent: set a token of at least %d bytes in %s, or name a file that holds it with --admin-token-file; or stay on this machine, such as %s",
		address, minToken, tokenVariable, defaultAdmin)
}

// readToken reads the token of the admin API, if there is one. No error says
// what was read: that is a secret.
func (f *serveFlags) readToken() error {
	from := tokenVariable
	text := os.Getenv(from)
	if f.tokenFile != "" {
		from = "--admin-token-file " + f.tokenFile
		b, err := readToken(f.tokenFile)
		if err != nil {
			return misusef("--admin-token-file: %w", err)
		}
		text = string(b)
	} else if text == "" {
		return nil
	}
	text = strings.TrimSpace(text)
	switch {
	case len(text) < minToken:
		return misusef("%s: want a token of at least %d bytes: a short one can be guessed", from, minToken)
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return misusef("%s: want a token of visible ASCII without blanks: it is sent in a header", from)
	}
	f.token = text
	return nil
}

// readToken reads a regular file: it neither waits for a pipe nor reads what
// never ends.
func readToken(name string) ([]byte, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return readMost(file, name, maxTokenFile)
}

// parseGiven reads the flags --given.
func parseGiven(list []string) (all []mockserver.ProviderState, err error) {
	for _, text := range list {
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			if text == "" {
				return nil, misusef("--given: want the name of a provider state")
			}
			all = append(all, mockserver.ProviderState{Name: text})
			continue
		}
		var state struct {
			State  string         `json:"state"`
			Params map[string]any `json:"params"`
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		dec.UseNumber()
		if err := dec.Decode(&state); err != nil || state.State == "" || dec.More() {
			return nil, misusef(`--given %s: want the name of a provider state, or {"state": NAME, "params": {...}}`, text)
		}
		all = append(all, mockserver.ProviderState{Name: state.State, Params: state.Params})
	}
	return all, nil
}

// adminTLS is how the admin API is served: what other machines reach is as
// secret as what they reach besides.
func (f *serveFlags) adminTLS(conf *tls.Config, admin net.Listener) *tls.Config {
	if admin == nil || isLoopback(admin.Addr()) {
		return nil
	}
	return conf
}

func isLoopback(a net.Addr) bool {
	at, ok := a.(*net.TCPAddr)
	return ok && at.IP.IsLoopback()
}

func listen(flag, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err
		}
		var call *os.SyscallError
		if errors.As(err, &call) {
			err = call.Err
		}
		return nil, fmt.Errorf("cannot listen on %s: %w; choose another address with %s HOST:PORT, port 0 is any free one", address, err, flag)
	}
	return l, nil
}

func (f *serveFlags) listenAdmin() (net.Listener, error) {
	if f.admin == noAdmin {
		return nil, nil
	}
	l, err := listen("--admin", f.admin)
	if err != nil {
		hint := ""
		if !f.adminGiven {
			hint = ", or do without the admin API: --admin off"
		}
		return nil, fmt.Errorf("admin API: %w%s", err, hint)
	}
	if f.token == "" && !isLoopback(l.Addr()) { // localhost may be anything
		l.Close()
		return nil, needsToken(f.admin)
	}
	return l, nil
}

// newServer makes a server of a set. Where the set has faults it tells all of
// them.
func newServer(cfg mockserver.Config, s *set, l *loaded, stderr io.Writer) (*mockserver.Server, error) {
	l.wantFiles()
	faults := l.faults()
	if len(faults) == 0 {
		srv, err := mockserver.New(cfg)
		if err == nil {
			l.add(srv.Remarks())
			return srv, nil
		}
		if errors.Is(err, mockserver.ErrUnknownState) { // the files are fine
			return nil, misusef("--given: %w", err)
		}
		faults = linesOf(err)
	} else {
		s.check(l)
		faults = l.faults()
	}
	_, _ = io.WriteString(stderr, strings.Join(faults, "\n")+"\n") // there is nowhere else to tell it
	return nil, errTold
}

func linesOf(err error) []string {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []string{oneLine(err.Error())}
	}
	var lines []string
	for _, e := range list {
		lines = append(lines, oneLine(e.Error()))
	}
	return lines
}

// reload reads all files anew. With a fault what was served is served on.
func reload(srv *mockserver.Server, s *set, out *teller) {
	l := s.load()
	faults := l.faults()
	if len(faults) == 0 {
		if err := srv.Load(l.contracts[0].Contract, l.scenarios, l.contracts[1:]...); err != nil {
			faults = linesOf(err)
		}
	} else {
		s.check(l)
		faults = l.faults()
	}
	if len(faults) > 0 {
		out.tell(slog.LevelError, "not loaded anew, what was served is served on", faults)
		return
	}
	l.add(srv.Remarks())
	out.tell(slog.LevelInfo, "loaded anew: "+count(srv.Scenarios(), "scenario"), l.remarks())
}

// greeting is what is printed when the server is ready.
func greeting(srv *mockserver.Server, s *set, l *loaded, c curl, at net.Addr, admin net.Listener, secure bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "oigmock is OIG %s at %s\n", s.releases[0], c.base)
	for _, release := range s.releases[1:] {
		fmt.Fprintf(&b, "and %s at %s/__release/%s\n", release, c.base, release)
	}
	if tcp, ok := at.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		b.WriteString("reachable from other machines")
		if c.login == "" {
			b.WriteString(", and any login is taken; --user NAME:PASSWORD lets one in")
		}
		b.WriteString("\n")
	}
	if admin != nil {
		fmt.Fprintf(&b, "admin API at %s\n", urlOf(admin.Addr(), secure))
		if !isLoopback(admin.Addr()) {
			b.WriteString("reachable from other machines by who has the token")
			if !secure {
				b.WriteString(", which whoever listens in between can read; --tls-cert hides it")
			}
			b.WriteString("\n")
		}
	}
	fmt.Fprintf(&b, "%s, %s with %s\n", count(srv.Operations(), "operation"), count(srv.Scenarios(), "scenario"), count(srv.Interactions(), "interaction"))
	if s.clock.words != "" {
		fmt.Fprintf(&b, "the clock %s\n", s.clock.words)
	}
	fmt.Fprintf(&b, "seed %d\n", srv.Seed())
	if line := c.line(srv, s, l); line != "" {
		fmt.Fprintf(&b, "try: %s\n", line)
	} else {
		b.WriteString("nothing is answered yet: no scenario has an example to try\n")
	}
	return b.String()
}

// urlOf is the address of a listener as somebody on this machine types it.
func urlOf(a net.Addr, secure bool) string {
	scheme := "http://"
	if secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(hostOf(a), strconv.Itoa(portOf(a)))
}

func hostOf(a net.Addr) string {
	if at, ok := a.(*net.TCPAddr); ok && !at.IP.IsUnspecified() {
		return at.IP.String()
	}
	return "localhost"
}

func portOf(a net.Addr) int {
	if at, ok := a.(*net.TCPAddr); ok {
		return at.Port
	}
	return 0
}

// trusted reports whether a client of this machine takes the certificate for
// that address without being told to.
func trusted(conf *tls.Config, a net.Addr) bool {
	pair := conf.Certificates[0]
	leaf := pair.Leaf
	others := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			others.AddCert(c)
		}
	}
	if leaf == nil {
		return false
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: hostOf(a), Intermediates: others})
	return err == nil
}

// A teller says what happens on standard error: lines that an editor can
// follow, or records where the log is JSON. Its log is that of the requests.
type teller struct {
	w    io.Writer
	log  *slog.Logger
	json bool
}

func newTeller(w io.Writer, format string) *teller {
	if format == "json" {
		return &teller{w, slog.New(slog.NewJSONHandler(w, nil)), true}
	}
	return &teller{w, slog.New(newLineHandler(w)), false}
}

// tell says a thing, "" for none, and the lines that go with it.
func (t *teller) tell(level slog.Level, what string, lines []string) {
	if t.json {
		var attrs []slog.Attr
		if len(lines) > 0 {
			attrs = append(attrs, slog.Any("found", lines))
		}
		t.log.LogAttrs(context.Background(), level, cmp.Or(what, "found"), attrs...)
		return
	}
	if what != "" {
		lines = append([]string{what}, lines...)
	}
	_, _ = io.WriteString(t.w, strings.Join(lines, "\n")+"\n") // in one piece; there is nowhere else to tell it
}

func (t *teller) complain(err error) {
	t.tell(slog.LevelWarn, oneLine(err.Error()), nil)
}
