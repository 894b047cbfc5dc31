package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// soak makes the long proofs longer: make soak says 20, which is the whole of
// them.
var soak = flag.Int("soak", 1, "how many twentieths of the long proofs are run")

// A million requests with bodies of 10 kB do not fill the memory: it levels
// off, and what the journals dropped is counted. The requests come from 64
// clients, and to 64 sessions, whose journals together would hold far more
// than there is room for.
func TestMemoryLevelsOff(t *testing.T) {
	const clients = 64
	each := *soak * 50_000 / clients
	binary := filepath.Join(t.TempDir(), "oigmock")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, where := range []struct {
		name, prefix string
		evicted      uint64 // at least
		most         int    // bytes beyond what it had before
	}{
		{"one session", "", uint64(clients*each - 1000), 100 << 20},
		{"64 sessions", "/__session/%d", 1, 100 << 20},
	} {
		t.Run(where.name, func(t *testing.T) {
			p := startBinary(t, binary, "serve", "--release", "11.1.2.3", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--quiet")
			note := strings.Repeat("x", 10_000)
			body := []byte(`{"id": "5126", "fields": [{"name": "Process Instance.Task Details.Note", "value": "` + note + `"}]}`)
			transport := &http.Transport{MaxIdleConnsPerHost: clients}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			put := func(n int) error {
				prefix := where.prefix
				if prefix != "" {
					prefix = fmt.Sprintf(prefix, n)
				}
				r, err := http.NewRequest(http.MethodPut, p.url+prefix+"/iam/governance/selfservice/api/v1/provtasks/5126", bytes.NewReader(body))
				if err != nil {
					return err
				}
				r.Header.Set("Content-Type", "application/json")
				r.SetBasicAuth("somebody", "secret")
				res, err := client.Do(r)
				if err != nil {
					return err
				}
				_, err = io.Copy(io.Discard, res.Body)
				res.Body.Close()
				if err == nil && res.StatusCode != http.StatusOK {
					err = fmt.Errorf("answered with %s", res.Status)
				}
				return err
			}
			if err := put(0); err != nil {
				t.Fatal(err)
			}
			base := p.memory(t, "VmRSS")
			var wg sync.WaitGroup
			var failed atomic.Bool
			for n := range clients {
				wg.Go(func() {
					for i := 0; i < each && !failed.Load(); i++ {
						if err := put(n); err != nil {
							failed.Store(true)
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			high := p.memory(t, "VmHWM")
			t.Logf("%d requests: %d MiB before, %d MiB at most", clients*each, base>>20, high>>20)
			if high > base+where.most {
				t.Errorf("%d bytes before, %d at most", base, high)
			}
			evicted := uint64(0)
			for n := range clients {
				query := ""
				if where.prefix != "" {
					query = fmt.Sprintf("?session=%d", n)
				} else if n > 0 {
					break
				}
				evicted += p.evicted(t, query)
			}
			t.Logf("%d entries were evicted", evicted)
			if kept := uint64(32 << 20 / 10_000); evicted < where.evicted || uint64(clients*each) > kept && evicted < uint64(clients*each)-kept {
				t.Errorf("%d entries were evicted", evicted)
			}
		})
	}
}

// A running is the program on its own, as users run it.
type running struct {
	cmd        *exec.Cmd
	url, admin string
}

var printedURL = regexp.MustCompile(`at (http://\S+)`)

func startBinary(t *testing.T, binary string, args ...string) *running {
	t.Helper()
	p := &running{cmd: exec.Command(binary, args...)}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		if err := p.cmd.Wait(); err != nil {
			t.Errorf("its end: %v", err)
		}
	})
	lines := bufio.NewScanner(out)
	for (p.url == "" || p.admin == "") && lines.Scan() {
		m := printedURL.FindStringSubmatch(lines.Text())
		switch {
		case m == nil:
		case strings.HasPrefix(lines.Text(), "admin"):
			p.admin = m[1]
		default:
			p.url = m[1]
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
	if p.admin == "" {
		t.Fatal("it did not say where it answers")
	}
	return p
}

// memory is a line of /proc/PID/status, in bytes.
func (p *running) memory(t *testing.T, line string) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), line+":")
	kib, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

func (p *running) evicted(t *testing.T, query string) uint64 {
	t.Helper()
	res, err := http.Get(p.admin + "/journal" + query)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var page struct {
		Evicted uint64 `json:"evicted"`
	}
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil {
		t.Fatal(err)
	}
	return page.Evicted
}
