package scenarios

import (
	"reflect"
	"testing"
	"unsafe"

	"github.com/oigmock/oigmock/schemas/payload"
)

// A scope that begins anew has forgotten all of the request before: each of its
// fields is as in a new one, but for room that is used again.
func TestScopeForgets(t *testing.T) {
	env := Env{Now: noon, User: "ann"}
	r := NewRequest("GET", "/a", nil, nil)
	used := scope{
		env: Env{URL: "x"}, req: &Request{}, named: []string{"a"}, changed: []string{"a"}, looked: []string{"a"}, fresh: "1", signed: "a", of: &Scenario{},
		item: payload.Text("a"), key: payload.Text("a"), mode: inWords, n: 1, list: []Mismatch{{}}, room: "a", at: []step{{}},
		strict: true, like: true, hidden: 1, dynamic: true, timed: true, status: 1, err: &Fault{Why: "a"}, work: 1,
	}
	used.tree.next, used.let.next = 7, 7
	used.params[0] = "a"
	// A field that is added is to be added here, and in begin.
	for i := range reflect.TypeFor[scope]().NumField() {
		if reflect.ValueOf(used).Field(i).IsZero() {
			t.Errorf("%s is not used", reflect.TypeFor[scope]().Field(i).Name)
		}
	}
	used.begin(r, env, allWork)
	fresh := scope{env: env, req: r, work: allWork}
	a, b := reflect.ValueOf(&used).Elem(), reflect.ValueOf(&fresh).Elem()
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		x := reflect.NewAt(a.Field(i).Type(), unsafe.Pointer(a.Field(i).UnsafeAddr())).Elem()
		y := reflect.NewAt(b.Field(i).Type(), unsafe.Pointer(b.Field(i).UnsafeAddr())).Elem()
		switch {
		case name == "params": // stale, and not read
		case x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0:
		case !reflect.DeepEqual(x.Interface(), y.Interface()):
			t.Errorf("%s is %v, want %v", name, x.Interface(), y.Interface())
		}
	}
}
