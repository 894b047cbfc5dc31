package mockserver

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"
	"github.com/oigmock/oigmock/scenarios"
)

// crossing are templates that hide and cross one another.
func crossing(t testing.TB) *catalog {
	files := map[string]string{}
	for i, template := range []string{
		"/a", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/{y}", "/{x}/b/c", "/{x}", "/{x}/{y}/{z}/{w}", "/a/b/c/d.e-f_g~h",
		"/iam/governance/selfservice/api/v1/provtasks/{taskid}", "/iam/governance/selfservice/api/v1/provtasks/self", "/a/{user}/now/{self}",
	} {
		for _, method := range []string{"GET", "PUT"} {
			files[fmt.Sprintf("f%d.%s.response.json", i, strings.ToLower(method))] = schema(method+" "+template, `"properties": {"a": {"type": "string"}}`)
		}
	}
	return newCatalog(contractOf(t, files), nil, "", atNoon(), tellRoute)
}

func tellRoute(w http.ResponseWriter, _ *http.Request, _ *catalog, rt *route) {
	w.Header().Set("Route", "none")
	if rt != nil {
		w.Header().Set("Route", rt.template)
	}
	w.WriteHeader(http.StatusTeapot)
}

// canonical is a path with just what must be encoded: mux compares texts, and
// the catalog what they mean.
func canonical(path string) string {
	segments := strings.Split(path, "/")
	for i, s := range segments {
		if decoded, err := url.PathUnescape(s); err == nil {
			segments[i] = url.PathEscape(decoded)
		}
	}
	return strings.Join(segments, "/")
}

// muxAlone has the routes of a catalog as mux finds them by itself.
func muxAlone(c *catalog) *mux.Router {
	m := mux.NewRouter().SkipClean(true).UseEncodedPath()
	for _, rt := range c.routes {
		m.Handle(rt.template, rt.handler)
	}
	return m
}

// sameRoute asks the catalog's router and mux alone for a path.
func sameRoute(t *testing.T, c *catalog, method, path string) {
	t.Helper()
	u, err := url.ParseRequestURI(path)
	if err != nil || u.Host != "" || !strings.HasPrefix(path, "/") {
		return // net/http refuses it, or it is a whole URL
	}
	ask := func(router *mux.Router, u *url.URL) (int, string) {
		w := httptest.NewRecorder()
		router.ServeHTTP(w, &http.Request{Method: method, URL: u, Header: http.Header{}, RequestURI: path})
		return w.Code, w.Header().Get("Route")
	}
	status, got := ask(c.router, u)
	if status != http.StatusTeapot {
		t.Fatalf("%s %q: mux answers by itself: %d", method, path, status)
	}
	plain, err := url.ParseRequestURI(canonical(wirePath(u)))
	if err != nil {
		t.Fatal(err)
	}
	want := "none"
	if status, found := ask(muxAlone(c), plain); status == http.StatusTeapot {
		want = found
	}
	if got != want {
		t.Errorf("%s %q: got %s, mux alone has %s", method, path, got, want)
	}
	rt := c.route(wirePath(u))
	if name := "none"; rt != nil && rt.template != got || rt == nil && got != name {
		t.Errorf("%q: asked by name it is another route than %s", path, got)
	}
	// What the patterns of scenarios say of the path is the same.
	match := ""
	for _, r := range c.routes {
		if r.path.Match(wirePath(u)) {
			match = r.template
			break
		}
	}
	if match != got && !(match == "" && got == "none") {
		t.Errorf("%q: got %s, and as a pattern %s", path, got, match)
	}
}

var oddPaths = []string{
	"/", "//", "/a", "/a/", "//a", "/a//", "/a/b", "/a/b/", "/a/b/c", "/a//c", "/b/b/c", "/x", "/x/", "/a/x/c", "/a/b/c/d.e-f_g~h", "/a/b/c/dxe-f_g~h", "/1/2/3/4", "/1/2/3/4/5",
	"/%61", "/a/%62", "/a/%2F", "/a%2Fb", "/a/b%2Fc", "/a/%2e%2e/c", "/a/../a", "/a/./b", "/a/%00", "/a/%0A", "/a/ü", "/a/%C3%BC", "/a/ü%2Fc", "/a/%FF", "/a/;b=c", "/a/b;c", "/a/b,c",
	"/a/{x}", "/a/%7Bx%7D", "/a/b?c=d", "/a/+", "/a/%20", "/a/:b", "/a/@", "/a/b&c", "/a/'", "/a/\"", "/a/\\b", "/a/%5Cb", "/a/|", "/a/[b]", "/a/^", "/a/`", "/a/<b>", "/a/%25", "/a/%252F", "/A", "/a/*",
	"/iam/governance/selfservice/api/v1/provtasks/5126", "/iam/governance/selfservice/api/v1/provtasks/self", "/iam//governance/selfservice/api/v1/provtasks/5126",
}

func TestRoutesAreThoseOfMux(t *testing.T) {
	c := crossing(t)
	paths := slices.Clone(oddPaths)
	for _, rt := range c.routes {
		filled := strings.NewReplacer("{x}", "1", "{y}", "2", "{z}", "3", "{w}", "4", "{taskid}", "5", "{user}", "6", "{self}", "7").Replace(rt.template)
		if got := c.route(filled); got != rt {
			t.Errorf("%s does not lead to %s", filled, rt.template)
		}
		paths = append(paths, rt.template, filled, filled+"/", "/"+filled, strings.Replace(filled, "/", "//", 2))
	}
	for _, method := range []string{"GET", "PUT", "POST", "HEAD", "OPTIONS", "BREW"} {
		for _, path := range paths {
			sameRoute(t, c, method, path)
		}
	}
	if len(c.routes) != 12 || c.operations != 24 || len(c.unserved) > 0 {
		t.Errorf("%d routes, %d operations, %v", len(c.routes), c.operations, c.unserved)
	}
}

func FuzzRoute(f *testing.F) {
	c := crossing(f)
	for _, p := range oddPaths {
		f.Add("GET", p)
	}
	f.Fuzz(func(t *testing.T, method, path string) { sameRoute(t, c, method, path) })
}

// Whatever a contract calls its paths and parameters, its routes can be made,
// or a fault says why not.
func TestOddTemplates(t *testing.T) {
	long := "/" + strings.Repeat("a/", 40) + "{x}"
	for _, test := range []struct {
		templates []string
		found     string // a path
		fault     string
	}{
		{[]string{"GET /{user}/{now}"}, "/a/b", ""},
		{[]string{"GET /{body}"}, "/a", ""},
		{[]string{"GET " + long}, strings.Replace(long, "{x}", "1", 1), ""},
		{[]string{"GET /" + strings.Repeat("a/", 80) + "b"}, "", "cannot be served: a path of 81 segments; 64 are taken"},
		{[]string{"GET /" + strings.TrimSuffix(strings.Repeat("{x}/", 20), "/")}, "", "more than 16 parameters"},
		{[]string{"GET /.a/-/~"}, "/.a/-/~", ""},
	} {
		files := map[string]string{}
		for i, op := range test.templates {
			n := 0
			for strings.Contains(op, "{x}") {
				op = strings.Replace(op, "{x}", fmt.Sprintf("{x%d}", n), 1)
				n++
			}
			files[fmt.Sprintf("f%d.response.json", i)] = schema(op, `"properties": {"a": {"type": "string"}}`)
		}
		contract := contractOf(t, files)
		_, err := New(Config{Contract: contract})
		if test.fault != "" {
			if err == nil || !strings.Contains(err.Error(), test.fault) {
				t.Errorf("%.60s: got %v, want %s", test.templates[0], err, test.fault)
			}
			continue
		}
		if err != nil {
			t.Errorf("%.60s: %v", test.templates[0], err)
			continue
		}
		if c := newCatalog(contract, nil, "", atNoon(), nil); c.route(test.found) == nil {
			t.Errorf("%s leads nowhere", test.found)
		}
	}
}

// Two releases may call the parameter of a path differently: it is one route.
func TestParametersOfTwoReleases(t *testing.T) {
	c := newCatalog(contractOf(t, map[string]string{
		"a.response.json": schema("GET /a/{x}", `"x-releases": ["11.1.2.3"], "properties": {"a": {"type": "string"}}`),
		"b.response.json": schema("PUT /a/{y}", `"x-releases": ["12.2.1.4"], "properties": {"a": {"type": "string"}}`),
		"c.response.json": schema("PUT /a/{z}", `"x-releases": ["14.1.2"], "properties": {"a": {"type": "string"}}`),
	}), nil, "", atNoon(), tellRoute)
	if len(c.routes) != 1 || c.routes[0].allow != "GET, HEAD, OPTIONS, PUT" {
		t.Errorf("%d routes, Allow: %s", len(c.routes), c.routes[0].allow)
	}
	found := c.check(noon)
	if len(found) != 1 || found[0].Text != "PUT /a/{z} cannot be served beside /a/{x}: the paths are the same" {
		t.Errorf("got %v", found)
	}
	sameRoute(t, c, "GET", "/a/b")
}

// An empty contract of a catalog leads nowhere, and panics nowhere.
func TestRouteWithoutContract(t *testing.T) {
	c := newCatalog(nil, []*scenarios.Scenario{}, "", atNoon(), nil)
	for _, p := range oddPaths {
		if c.route(p) != nil {
			t.Errorf("%s leads somewhere", p)
		}
	}
}
