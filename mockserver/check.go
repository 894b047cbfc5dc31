package mockserver

import (
	"cmp"
	"fmt"
	"go/token"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
	"github.com/oigmock/oigmock/schemas/payload"
)

// A Level says how bad a Finding is.
type Level uint8

const (
	LevelFault   Level = iota // does not start
	LevelWarning              // starts, and is likely to be a mistake
	LevelNote                 // worth knowing, and often meant
)

func (l Level) String() string { return [...]string{"fault", "warning", "note"}[l] }

// A Finding is something about a contract and scenarios that somebody should
// look at, and the line to edit.
type Finding struct {
	Pos   token.Position
	Level Level
	Rule  string // "language", "records", "example", "contract", "response", "shadowed", "outside", "release", "schema"
	Text  string
}

func (f Finding) String() string {
	text := f.Pos.String() + ": "
	if f.Level != LevelFault {
		text += f.Level.String() + ": "
	}
	return text + f.Text
}

// SortFindings sorts by file, place and level, and drops what is said twice.
func SortFindings(list []Finding) []Finding {
	slices.SortFunc(list, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.Pos.Filename, b.Pos.Filename), a.Pos.Line-b.Pos.Line, a.Pos.Column-b.Pos.Column,
			int(a.Level)-int(b.Level), strings.Compare(a.Text, b.Text))
	})
	return slices.Compact(list)
}

// Check asks whether a contract and scenarios fit together, as a server of
// that configuration would see them. Of cfg it reads Contract, Scenarios,
// Release, Clock and Now. What is beside seeds records for those scenarios, and
// is not checked itself.
func Check(cfg Config, beside ...*scenarios.Scenario) []Finding {
	now := time.Now
	if cfg.Now != nil {
		now = cfg.Now
	}
	at := cfg.Clock.At(now())
	c := newCatalog(cfg.Contract, cfg.Scenarios, cfg.Release, at, nil)
	if len(beside) == 0 {
		return c.check(at)
	}
	list, others := slices.Clone(c.list), map[string]bool{}
	for _, s := range beside {
		if s.Holds(cfg.Release) {
			list = append(list, s)
			others[s.Pos.Filename] = true
		}
	}
	return slices.DeleteFunc(c.checkBeside(list, scenarios.Tree{}, at), func(f Finding) bool { return others[f.Pos.Filename] })
}

// knownReleases are the releases of OIG that have this API.
var knownReleases = []string{"11.1.2.3", "12.2.1.3", "12.2.1.4", "14.1.2"}

func (c *catalog) check(now time.Time) []Finding {
	return c.checkBeside(c.list, scenarios.Tree{}, now)
}

// checkBeside checks the catalog's scenarios as some of a list, where a session
// remembers something besides what is seeded.
func (c *catalog) checkBeside(list []*scenarios.Scenario, besides scenarios.Tree, now time.Time) []Finding {
	env := scenarios.Env{Now: now, URL: "http://localhost:8080"}
	var mu sync.Mutex
	var all []Finding
	for _, err := range c.unserved {
		all = append(all, Finding{token.Position{Filename: "contract"}, LevelFault, "schema", err.Error()})
	}
	if c.contract != nil {
		for _, w := range c.contract.Warnings() {
			all = append(all, Finding{w.Pos, LevelWarning, "schema", w.Msg})
		}
	}
	if c.tooMany != nil {
		all = append(all, *c.tooMany)
	}
	worlds := newWorlds(list, env)
	for _, s := range c.list {
		for _, r := range s.Releases {
			if !slices.Contains(knownReleases, r) {
				all = append(all, Finding{s.Pos, LevelWarning, "release",
					fmt.Sprintf("releases: %s is no release of OIG that is known here: %s", r, strings.Join(knownReleases, ", "))})
			}
		}
		if len(s.Given) > 0 {
			all = append(all, worlds.of(s).faults...)
		}
	}
	all = append(all, c.checkRecords(list, besides)...)
	// Each interaction is judged on its own, so all processors can help.
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			ck := checker{c: c, env: env, worlds: worlds, left: maxCompared, stagings: maxStagings,
				trial: scenarios.NewTrial(&scenarios.Request{}, env)}
			for i := w; i < len(c.all); i += workers {
				ck.entry(c.all[i])
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, ck.found...)
		})
	}
	wg.Wait()
	return SortFindings(all)
}

type checker struct {
	c        *catalog
	env      scenarios.Env
	trial    *scenarios.Trial
	found    []Finding
	left     int // comparisons of interactions with one another
	spent    int // steps of work on them
	stagings int // steps of work to make `when` hold; below 0: it is told that none are left

	worlds   *worlds
	world    world // of the scenario
	scenario *scenarios.Scenario
	forced   bool // the records are made up for the example
}

// maxCompared bounds the search for shadowed interactions where very many ask
// for the same values: it would be quadratic.
const (
	maxCompared = 1_000_000
	maxSpent    = 40_000_000 // steps of up to 50 ns, of each processor
)

func (k *checker) add(pos token.Position, level Level, rule, format string, args ...any) {
	k.found = append(k.found, Finding{pos, level, rule, fmt.Sprintf(format, args...)})
}

func (k *checker) entry(e *entry) {
	if k.scenario != e.scenario {
		k.scenario, k.world = e.scenario, k.worlds.of(e.scenario)
	}
	if len(k.world.faults) > 0 {
		return // that is told of the scenario
	}
	env := k.env
	env.Records, env.Given = k.world.records, k.world.given
	rt, method := k.c.home(e.Interaction)
	if len(e.When) > 0 && k.stagings <= 0 {
		if k.stagings == 0 {
			k.stagings--
			k.add(e.Pos, LevelWarning, "example", "so much is asked of records that from here on no examples are made of interactions with \"when\", and they are not checked")
		}
		return
	}
	ex, err := e.Stage(method, env, maxStaging)
	if err != nil {
		k.found = append(k.found, faultOf(err, e.Pos, "example"))
		return
	}
	if ex.Work > 0 {
		k.stagings = max(k.stagings-ex.Work, 0)
	}
	env.User, env.Records, k.forced = ex.User, ex.Records, ex.Forced
	k.trial.Begin(ex.Request, env)
	why := ex.Refused
	if len(why)+len(ex.Unmet)+len(ex.Short) == 0 && !k.trial.Accepts(e.Interaction) {
		why = k.trial.Mismatches(e.Interaction)
	}
	if len(why) > 0 {
		for _, m := range why {
			k.add(m.Pos, LevelFault, "example", "%s: the example is not accepted: want %s, got %s", m.At, m.Want, m.Got)
		}
		return
	}
	if found := k.c.route(ex.Request.Path); found != nil {
		rt = found
	}
	t := k.c.outside
	if rt != nil && rt.tables[ex.Request.Method] != nil {
		t = rt.tables[ex.Request.Method]
	}
	k.place(e, rt, ex.Request)
	if len(ex.Short) > 0 {
		k.add(ex.Short[0].Pos, LevelWarning, "example", "%s: the example repeats what is remembered, and no seed has it, so neither it nor the answer is checked", ex.Short[0].At)
		return
	}
	k.request(e, t.operation, ex.Request)
	if len(ex.Unmet) > 0 {
		k.add(ex.Unmet[0].Pos, LevelWarning, "example", "\"when\" could not be made to hold for the example, so the answer is not checked")
		return
	}
	k.response(e, k.only(e, rt, t), ex.Request, env)
	k.shadow(e, t, ex.Request, env)
}

// home is the route an interaction is meant for, and a method for an example
// where it names none.
func (c *catalog) home(i *scenarios.Interaction) (*route, string) {
	if i.Request.Path != nil {
		for _, rt := range c.routes {
			if rt.path.Meets(i.Request.Path) {
				methods := strings.Split(rt.methods(), ", ")
				return rt, methods[0]
			}
		}
	}
	return nil, http.MethodGet
}

// place tells of a path or a method that the contract does not have.
func (k *checker) place(e *entry, rt *route, r *scenarios.Request) {
	if k.c.contract == nil || k.c.operations == 0 {
		return
	}
	switch path := e.Request.Path; {
	case rt == nil && (path == nil || slices.ContainsFunc(k.c.routes, func(rt *route) bool { return rt.path.Meets(path) })):
		// Its example lies outside, and it answers much besides.
	case rt != nil && path != nil && path.Wild():
		// Its example is for one of many paths, and others may have the method.
	case rt == nil:
		k.add(e.Pos, LevelWarning, "outside", "%q answers %s %s, which the contract of this release does not have", e.Name, r.Method, r.Path)
	case rt.tables[r.Method] == nil:
		k.add(e.Pos, LevelWarning, "outside", "%q answers %s, and of %s the contract has %s; what it lacks is only asked of an interaction that names one method, such as method: %s",
			e.Name, r.Method, rt.template, rt.methods(), r.Method)
	case rt.tables[r.Method].operation == nil:
		k.add(e.Pos, LevelWarning, "outside", "%q answers %s, and of %s the contract has %s", e.Name, r.Method, rt.template, rt.methods())
	}
}

// request holds the example against the contract.
func (k *checker) request(e *entry, op *schemas.Operation, r *scenarios.Request) {
	m := &e.Request
	if m.Body == nil && m.Text == nil && m.Form == nil || e.Order == scenarios.First || e.Adds {
		return // the example says nothing of the body, or the contract is not asked
	}
	bad := check(op, r)
	switch {
	case m.Payload == scenarios.Invalid && len(bad) == 0 && op != nil:
		k.add(e.Pos, LevelFault, "contract", "%q answers what breaks the contract, and its example does not", e.Name)
		return
	case m.Payload != scenarios.Valid:
		return
	}
	for _, v := range bad {
		pos := e.Pos
		if m.Body != nil && !strings.HasPrefix(v.At, "header") {
			pos = m.Body.PosAt(v.At)
		}
		k.violation(pos, LevelFault, v, "the example", r.JSON())
	}
}

func (k *checker) violation(pos token.Position, level Level, v schemas.Violation, what string, body payload.Value) {
	at := "body " + v.At
	if v.At == "" {
		at = "body"
	} else if v.At[0] != '/' {
		at = v.At
	}
	schema := v.Schema
	if schema == "" {
		schema = "the contract"
	}
	why := v.Why + signless(v, body)
	if level != LevelFault {
		why += madeUp
	}
	k.add(pos, level, "contract", "%s: %s breaks %s: %s", at, what, schema, why)
}

// signless is a hint where an object that is none of the contract's has one
// member that is called as an operator is, without the sign.
func signless(v schemas.Violation, body payload.Value) string {
	if !strings.HasSuffix(v.Why, "but got object") {
		return ""
	}
	if v.At != "" {
		unescape := strings.NewReplacer("~1", "/", "~0", "~")
		for step := range strings.SplitSeq(strings.TrimPrefix(v.At, "/"), "/") {
			body = body.At(unescape.Replace(step))
		}
	}
	if body.Kind() != payload.Object || body.Len() != 1 {
		return ""
	}
	for name := range body.Members() {
		if scenarios.IsOperator("$" + name) {
			return fmt.Sprintf("; did you mean the operator %q?", "$"+name)
		}
	}
	return ""
}

// only is the one operation that an interaction answers; nil where it answers
// others too, or what lies outside the contract.
func (k *checker) only(e *entry, rt *route, t *table) *schemas.Operation {
	if rt == nil || e.Request.Path == nil || !rt.path.Covers(e.Request.Path) {
		return nil
	}
	if _, named := e.Request.Method.Literal(); !named && strings.Contains(rt.methods(), ",") {
		return nil
	}
	return t.operation
}

// response renders the answer to the example and holds it against the
// contract.
func (k *checker) response(e *entry, op *schemas.Operation, r *scenarios.Request, env scenarios.Env) {
	for i := range e.turns {
		k.turn(e, &e.turns[i], op, r, env)
	}
}

func (k *checker) turn(e *entry, t *turn, op *schemas.Operation, r *scenarios.Request, env scenarios.Env) {
	trial := scenarios.NewTrial(r, env)
	out, err := trial.Perform(e.Interaction, t.ResponseTemplate)
	level := LevelFault
	if k.forced && len(trial.Looked()) > 0 { // real records may have more in them
		level = LevelWarning
	}
	if err != nil {
		f := faultOf(err, t.Pos, "response")
		if f.Level = level; level != LevelFault {
			f.Text += madeUp
		}
		k.found = append(k.found, f)
		return
	}
	if e.Adds || op == nil {
		return
	}
	body := scenarios.Request{Body: out.Body}
	bad := op.CheckResponse(out.Status, body.JSON())
	for _, v := range bad {
		pos := t.Pos
		if t.Body != nil {
			pos = t.Body.PosAt(v.At)
		}
		k.violation(pos, level, v, "the response", body.JSON())
	}
}

const madeUp = "; nothing that is seeded lets its \"when\" hold, so only what that asks was set for the example"

// shadow tells of an interaction that is never reached, asking as decide does:
// what comes first, then what is ordinary, then what is last. Of one order it
// is who answers the interaction's own example; of an order that comes before,
// who answers all that it can.
func (k *checker) shadow(e *entry, t *table, r *scenarios.Request, env scenarios.Env) {
	if e.Adds || k.left <= 0 {
		return
	}
	const tooMany = "so many interactions ask for the same values, or cost so much to compare, that from here on it is not told which of them are never reached"
	answers := func(bad bool) *entry {
		k.trial.Begin(r, env)
		defer func() {
			if k.spent += k.trial.Spent(); k.spent > maxSpent && k.left > 0 {
				k.left = 0
				k.add(e.Pos, LevelWarning, "shadowed", tooMany)
			}
		}()
		for _, l := range []*layer{&t.first, &t.ordinary, &t.last} {
			winner := l.find(k.trial, func(o *entry) bool {
				if !k.trial.Accepts(o.Interaction) {
					return false
				}
				if k.left--; k.left == 0 {
					k.add(e.Pos, LevelWarning, "shadowed", tooMany)
				}
				switch {
				case o == e:
					return true
				case k.apart(o, e):
					return false
				case o.Order != scenarios.First && !o.takes(bad):
					return false
				case o.Order != e.Order:
					return takesAll(o, e)
				}
				return !o.Request.AsksMoreThan(&e.Request)
			})
			if winner != nil {
				return winner
			}
		}
		return e // its example, for one, costs too much to compare
	}
	kinds := []bool{false} // of payloads it is there for: does it break the contract?
	switch {
	case e.Order == scenarios.First: // the contract is not asked
	case e.Request.Payload == scenarios.Invalid:
		kinds = []bool{true}
	case e.Request.Payload == scenarios.Any && t.operation != nil && t.operation.TakesBody():
		kinds = []bool{false, true}
	}
	var winners []*entry
	for _, bad := range kinds {
		winner := answers(bad)
		if winner == e {
			return
		}
		if !slices.Contains(winners, winner) {
			winners = append(winners, winner)
		}
	}
	level := LevelFault
	target := r.Path
	if r.Query != "" {
		target += "?" + r.Query
	}
	text := fmt.Sprintf("%q is never reached: ", e.Name)
	for i, w := range winners {
		if i > 0 {
			text += " and, of what breaks the contract, "
		}
		text += fmt.Sprintf("%q at %s", w.Name, w.Pos)
		if w.scenario.Origin != e.scenario.Origin {
			level = LevelNote // a later source is there to override an earlier one
		}
	}
	if len(winners) == 1 {
		text += " comes first, and answers "
	} else {
		text += " come first, and answer "
	}
	text += r.Method + " " + target
	if len(r.Body) > 0 {
		text += " with " + scenarios.CutText(string(r.Body), 300)
	}
	k.add(e.Pos, level, "shadowed", "%s", text)
}

// takesAll reports whether one interaction takes whatever another one can: it
// asks for nothing but method and path, and there for no more than the other.
func takesAll(o, e *entry) bool {
	m := &o.Request
	if len(m.Asks()) > 0 || m.Params != nil || m.PathText != nil {
		return false
	}
	if m.Method != nil {
		mine, plain := m.Method.Literal()
		if other, named := e.Request.Method.Literal(); !plain || !named || mine != other {
			return false
		}
	}
	other := e.Request.Path
	if other == nil { // or it has an operator, which may take any
		other = anyPath
	}
	return m.Path == nil || m.Path.Covers(other)
}

// apart reports whether something besides the request keeps an interaction from
// answering some of the time when another one could: it sleeps, asks of records
// what the other does not ask, or does not take part.
func (k *checker) apart(o, e *entry) bool {
	if o.Chance > 0 || o.Beyond != nil {
		return true
	}
	if s, by := o.scenario, e.scenario; s != by {
		if !wakes(s, by) {
			return true
		}
		if k.c.release == "" && len(s.Releases) > 0 && (len(by.Releases) == 0 ||
			slices.ContainsFunc(by.Releases, func(r string) bool { return !slices.Contains(s.Releases, r) })) {
			return true
		}
	}
	return !o.HoldsWhere(e.Interaction)
}

var anyPath, _ = scenarios.ParsePath("/{any...}")
