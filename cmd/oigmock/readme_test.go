package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// TestReadme does what README tells a newcomer to do, in its order: each
// block of shell is run, and where a block of JSON or text follows, that must
// come out. Only the address differs: each server picks a free port.
func TestReadme(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "go"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("this test needs %s", tool)
		}
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	oigmock := filepath.Join(dir, "oigmock")
	if out, err := exec.Command("go", "build", "-o", oigmock, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	url, admin := "", ""
	ran := 0
	for _, b := range blocksOf(string(readme)) {
		switch {
		case b.language != "sh" || strings.HasPrefix(b.text, "make "):
			continue
		case strings.HasPrefix(b.text, "go build "): // done above
		case strings.HasPrefix(b.text, "go run ./cmd/oigmock serve"):
			args := strings.Fields(b.text)[3:]
			url, admin = startServer(t, dir, oigmock, append(args, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"))
		default:
			text := strings.ReplaceAll(b.text, "go run ./cmd/oigmock", oigmock)
			text = strings.ReplaceAll(text, "http://127.0.0.1:8080", url)
			text = strings.ReplaceAll(text, "http://127.0.0.1:8081", admin)
			cmd := exec.Command("bash", "-c", text)
			cmd.Dir = dir
			var errors bytes.Buffer
			cmd.Stderr = &errors
			out, err := cmd.Output()
			// explain ends with 1 where nothing answers, and README shows that.
			if err != nil && b.wanted == "" {
				t.Errorf("%s\n%v\n%s%s", b.text, err, out, errors.String())
			}
			b.compare(t, string(out))
		}
		ran++
	}
	if ran < 8 {
		t.Errorf("only %d blocks of shell were found in README", ran)
	}
}

// A block is a fenced block of shell, and the one behind it that says what
// comes out.
type block struct{ language, text, wanted, wantedLanguage string }

var fence = regexp.MustCompile("(?ms)^```([a-z]+)\n(.*?)^```$")

func blocksOf(page string) []block {
	var all []block
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		if n := len(all); n > 0 && all[n-1].language == "sh" && (m[1] == "json" || m[1] == "text") {
			all[n-1].wanted, all[n-1].wantedLanguage = m[2], m[1]
			continue
		}
		all = append(all, block{language: m[1], text: m[2]})
	}
	return all
}

func (b *block) compare(t *testing.T, got string) {
	t.Helper()
	switch b.wantedLanguage {
	case "json":
		var w, g any
		if err := json.Unmarshal([]byte(b.wanted), &w); err != nil {
			t.Fatalf("README: %v in\n%s", err, b.wanted)
		}
		if err := json.Unmarshal([]byte(got), &g); err != nil || !reflect.DeepEqual(w, g) {
			t.Errorf("%s\nwant\n%s\ngot\n%s", b.text, b.wanted, got)
		}
	case "text":
		if strings.TrimSpace(got) != strings.TrimSpace(b.wanted) {
			t.Errorf("%s\nwant\n%s\ngot\n%s", b.text, b.wanted, got)
		}
	}
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// startServer starts oigmock and returns its address and that of the admin
// API, once it has printed them.
func startServer(t *testing.T, dir, oigmock string, args []string) (url, admin string) {
	t.Helper()
	cmd := exec.Command(oigmock, args...)
	cmd.Dir = dir
	var errors bytes.Buffer
	cmd.Stderr = &errors
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		found := address.FindString(lines.Text())
		if found != "" && url == "" {
			url = found
		} else if found != "" {
			go func() { _, _ = io.Copy(io.Discard, out) }()
			return url, found
		}
	}
	t.Fatalf("oigmock %s ended without an address:\n%s", strings.Join(args, " "), errors.String())
	return "", ""
}
