package oigtest_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A standIn is a test that is not run by go test: one that may fail, and that
// of the examples.
type standIn struct {
	testing.TB
	name string

	mu       sync.Mutex
	failures []string
	logged   []string
	cleanups []func()
}

// t is the test of the examples.
var t = &standIn{name: "Example"}

func TestMain(m *testing.M) {
	code := m.Run()
	t.end()
	if len(t.failures) > 0 {
		fmt.Printf("the examples:\n%s\n", strings.Join(t.failures, "\n"))
		code = max(code, 1)
	}
	os.Exit(code)
}

// A fatal is what a standIn panics with instead of ending its goroutine.
type fatal string

func (t *standIn) Helper()                  {}
func (t *standIn) Name() string             { return t.name }
func (t *standIn) Context() context.Context { return context.Background() }

func (t *standIn) Cleanup(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, f)
}

func (t *standIn) Logf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.logged = append(t.logged, fmt.Sprintf(format, args...))
}

func (t *standIn) Errorf(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

func (t *standIn) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	panic(fatal(fmt.Sprintf(format, args...)))
}

func (t *standIn) Fatal(args ...any) { t.Fatalf("%s", fmt.Sprint(args...)) }

func (t *standIn) end() {
	for _, f := range slices.Backward(t.cleanups) {
		f()
	}
	t.cleanups = nil
}

// failuresOf runs a test to its end and says how it failed.
func failuresOf(f func(t *standIn)) []string {
	test := &standIn{name: "TestStandIn"}
	defer test.end()
	func() {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(fatal); !ok {
					panic(r)
				}
			}
		}()
		f(test)
	}()
	test.end()
	return test.failures
}
