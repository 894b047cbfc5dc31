package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/mockserver"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/spf13/cobra"
)

// A call is a request as curl's flags describe it.
type call struct {
	method, user string
	headers      []string
	cookies      []string
	data, json   []datum
}

// A datum is a piece of a body, and how curl reads it.
type datum struct {
	text      string
	raw       bool // it is never the name of a file
	dropLines bool // of a file
}

// A dataFlag is one of the flags that add a piece to a body. They share a list,
// since their order counts.
type dataFlag struct {
	datum
	list *[]datum
}

func (f *dataFlag) String() string { return "" }
func (f *dataFlag) Type() string   { return "string" }

func (f *dataFlag) Set(text string) error {
	d := f.datum
	d.text = text
	*f.list = append(*f.list, d)
	return nil
}

func explainCommand() *cobra.Command {
	var flags setFlags
	var c call
	var login, format string
	var all bool
	cmd := &cobra.Command{
		Use:   "explain [flags] URL|PATH",
		Short: "say what would become of a request, and why",
		Long: `explain takes a request as curl does, so that in a line that calls curl the word
curl can be replaced, and says which interaction answers it, or why none does.
Nothing is sent, and nothing changes by asking. It ends with 0 where the
request is answered, with 1 where it is not.`,
		Example: `  oigmock explain -X PUT -u me:secret --json '{"id": "5126"}' /iam/governance/selfservice/api/v1/provtasks/5126
  oigmock explain -u me:secret http://127.0.0.1:8080/iam/governance/selfservice/api/v1/provtasks`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if format != "text" && format != "json" {
				return misusef("--format %q is none of text, json", format)
			}
			r, err := c.request(args[0], cmd.InOrStdin(), cmd.Flags().Changed)
			if err != nil {
				return err
			}
			if err := checkLogin("--login", login); err != nil {
				return err
			}
			s, err := flags.set()
			if err != nil {
				return err
			}
			l := s.load()
			cfg := s.config(l)
			cfg.User = login
			srv, err := newServer(cfg, s, l, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			x := srv.Explain(r)
			if format == "json" {
				err = indented(cmd.OutOrStdout(), x)
			} else {
				hidden := 0
				if !all {
					hidden = x.Fold()
				}
				text := scenarios.Printable(x.String())
				if hidden > 0 {
					text += fmt.Sprintf("\n%s for other paths; --all shows them\n", others(hidden))
				}
				_, err = io.WriteString(cmd.OutOrStdout(), text)
			}
			if err != nil {
				return fmt.Errorf("writing the explanation: %w", err)
			}
			if x.Outcome != mockserver.Answered {
				return errTold
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&c.method, "request", "X", "", "the `METHOD`")
	f.StringArrayVarP(&c.headers, "header", "H", nil, "a header, `'Name: value'`; may be repeated")
	f.StringVarP(&c.user, "user", "u", "", "who calls, `NAME:PASSWORD`")
	f.VarP(&dataFlag{datum{dropLines: true}, &c.data}, "data", "d", "the body: `DATA`, @FILE or @- for what is typed; a form, unless a header says otherwise")
	f.Var(&dataFlag{datum{}, &c.data}, "data-binary", "the body as -d has it, with the ends of lines of a file: `DATA`")
	f.Var(&dataFlag{datum{raw: true}, &c.data}, "data-raw", "the body as -d has it, with @ a letter like any other: `DATA`")
	f.Var(&dataFlag{datum{}, &c.json}, "json", "the body as -d has it, and application/json: `DATA`")
	f.StringArrayVarP(&c.cookies, "cookie", "b", nil, "cookies, `'NAME=VALUE'`; may be repeated")
	f.StringVar(&login, "login", "", "the only login that counts, `NAME:PASSWORD`: what is --user of serve")
	f.BoolVar(&all, "all", false, "where the contract has no such path, show those for other paths, too")
	f.StringVar(&format, "format", "text", "how to print the explanation: `text|json`")
	flags.add(cmd)
	for _, ignored := range []struct{ name, letter string }{
		{"insecure", "k"}, {"silent", "s"}, {"show-error", "S"}, {"include", "i"}, {"verbose", "v"}, {"globoff", "g"},
		{"compressed", ""}, {"location", "L"}, {"fail", "f"},
	} {
		f.BoolP(ignored.name, ignored.letter, false, "curl has it; here it says nothing")
		_ = f.MarkHidden(ignored.name) // the flag is there
	}
	return cmd
}

// request is the call as a server would get it from curl.
func (c *call) request(address string, stdin io.Reader, given func(flag string) bool) (*http.Request, error) {
	u, err := parseTarget(address)
	if err != nil {
		return nil, err
	}
	data := len(c.data) > 0
	if data && given("json") {
		return nil, misusef("a request has --data or --json, not both")
	}
	method, media := c.method, ""
	var body []byte
	switch {
	case data:
		media = "application/x-www-form-urlencoded"
		body, err = readData(c.data, "&", stdin)
	case given("json"):
		media = "application/json"
		body, err = readData(c.json, "", stdin)
	}
	if err != nil {
		return nil, err
	}
	if method == "" {
		method = http.MethodGet
		if media != "" {
			method = http.MethodPost
		}
	}
	r, err := http.NewRequest(method, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, misusef("-X %q is no method", method)
	}
	// The path as it was typed, which NewRequest would write anew.
	r.URL, r.Host = u, u.Host
	if u.Scheme == "https" {
		r.TLS = &tls.ConnectionState{}
	}
	r.Header.Set("Accept", "*/*")
	if media != "" {
		r.Header.Set("Content-Type", media)
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
	}
	if given("json") {
		r.Header.Set("Accept", media)
	}
	if name, password, _ := strings.Cut(c.user, ":"); given("user") {
		r.SetBasicAuth(name, password)
	} else if u.User != nil {
		password, _ := u.User.Password()
		r.SetBasicAuth(u.User.Username(), password)
	}
	for _, cookie := range c.cookies {
		if !strings.Contains(cookie, "=") || strings.ContainsAny(cookie, "\r\n") {
			return nil, misusef("-b: want NAME=VALUE; a file of cookies is not read")
		}
	}
	if len(c.cookies) > 0 {
		r.Header.Set("Cookie", strings.Join(c.cookies, "; "))
	}
	if err := addHeaders(r, c.headers); err != nil {
		return nil, err
	}
	return r, nil
}

// addHeaders reads headers as curl does: "Name: value" replaces what curl
// itself says, "Name:" leaves it out, and "Name;" is an empty one.
func addHeaders(r *http.Request, lines []string) error {
	given := map[string]bool{}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		empty := false
		if !ok {
			name, empty = strings.CutSuffix(line, ";")
		}
		if !ok && !empty || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
			return misusef("-H: want 'Name: value'") // the line may hold a secret
		}
		key := http.CanonicalHeaderKey(name)
		switch {
		case key == "Host":
			r.Host = value
		case value == "" && !empty:
			r.Header.Del(key)
		case given[key]:
			r.Header.Add(key, value)
		default:
			r.Header.Set(key, value)
		}
		given[key] = true
	}
	return nil
}

// maxData is how many bytes of a file are taken. It is more than a server
// takes, since the ends of lines do not count.
const maxData = 16 * mockserver.MaxBody

// readData reads what -d and its like name.
func readData(list []datum, between string, stdin io.Reader) ([]byte, error) {
	var all []byte
	for i, data := range list {
		if i > 0 {
			all = append(all, between...)
		}
		name, file := strings.CutPrefix(data.text, "@")
		if !file || data.raw {
			all = append(all, data.text...)
			continue
		}
		var b []byte
		var err error
		if name == "-" {
			b, err = readMost(stdin, name, maxData)
		} else {
			b, err = readAtMost(name, maxData)
		}
		if err != nil {
			return nil, misusef("reading the body: %w", err)
		}
		if data.dropLines {
			b = slices.DeleteFunc(b, func(c byte) bool { return c == '\r' || c == '\n' || c == 0 })
		}
		all = append(all, b...)
	}
	return all, nil
}

func others(n int) string {
	if n == 1 {
		return "1 other is"
	}
	return fmt.Sprint(n, " others are")
}
