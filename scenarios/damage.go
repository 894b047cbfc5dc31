package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oigmock/oigmock/schemas/didyoumean"
	"gopkg.in/yaml.v3"
)

// Damage is what happens to an answer on its way: the key "fault".
type Damage struct {
	Kind   DamageKind
	Bytes  int           // of the body that go out before reset, close and truncate cut it; -1: nothing goes out, no headers either
	Chunks int           // of dribble
	Over   time.Duration // of dribble
	Rate   int           // of bandwidth, in bytes a second
}

// A DamageKind is one sort of damage, as files call it.
type DamageKind string

const (
	Reset            DamageKind = "reset"              // the connection ends with an RST
	Close            DamageKind = "close"              // it is closed, in the midst of a body whose length was not told
	Truncate         DamageKind = "truncate"           // fewer bytes than Content-Length says, then it is closed
	Hang             DamageKind = "hang"               // nothing comes at all, until the client goes away
	Garbage          DamageKind = "garbage"            // random bytes instead of HTTP
	MalformedChunk   DamageKind = "malformed-chunk"    // a chunk whose length is no number
	WrongContentType DamageKind = "wrong-content-type" // the body is called something else
	Maintenance      DamageKind = "maintenance"        // the HTML page of a front end, 503
	Dribble          DamageKind = "dribble"            // the body in so many pieces, over a time
	Bandwidth        DamageKind = "bandwidth"          // the body at so many bytes a second
)

func (d *Damage) String() string {
	switch {
	case d.Kind == Dribble:
		return fmt.Sprintf("dribble %d chunks over %s", d.Chunks, FormatDuration(d.Over))
	case d.Kind == Bandwidth:
		return fmt.Sprintf("bandwidth %d bytes/s", d.Rate)
	case d.Bytes >= 0 && (d.Kind == Reset || d.Kind == Close || d.Kind == Truncate):
		return string(d.Kind) + " after " + strconv.Itoa(d.Bytes) + " bytes"
	}
	return string(d.Kind)
}

// The kinds that a file names alone, and those that it names with a number or
// more.
var (
	bareDamage   = []DamageKind{Reset, Close, Hang, Garbage, MalformedChunk, WrongContentType, Maintenance}
	mappedDamage = []DamageKind{Reset, Close, Truncate, Dribble, Bandwidth}
)

const maxChunks = 1000 // of a dribble

func (p *parser) damage(n *yaml.Node) *Damage {
	d := &Damage{Bytes: -1}
	switch {
	case n.Kind == yaml.AliasNode: // a fault of its own
		return d
	case n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null":
		d.Kind = DamageKind(n.Value)
		switch all := damageKinds(); {
		case slices.Contains(bareDamage, d.Kind):
		case slices.Contains(mappedDamage, d.Kind):
			p.fault(n, "fault: %s needs to know more: %s", d.Kind, damageForm[d.Kind])
		default:
			p.fault(n, "fault %s is none of %s%s", quote(n.Value), strings.Join(all, ", "), didyoumean.Hint(n.Value, all))
		}
		return d
	case n.Kind != yaml.MappingNode || len(n.Content) != 2:
		got := nodeWords(n)
		if len(n.Content) > 2 && n.Kind == yaml.MappingNode {
			got = "several at once"
		}
		p.fault(n, "fault: want one, such as reset or {truncate: 100}, got %s", got)
		return d
	}
	p.entries(n, "fault", func(name string, k, v *yaml.Node) {
		d.Kind = DamageKind(name)
		switch d.Kind {
		case Reset, Close, Truncate:
			d.Bytes = p.bytes(v, name)
		case Bandwidth:
			text, ok := strings.CutSuffix(v.Value, "/s")
			if d.Rate, _ = ParseBytes(text); v.Kind != yaml.ScalarNode || !ok || d.Rate <= 0 {
				p.fault(v, "bandwidth: want bytes a second such as 16KiB/s, got %s", nodeWords(v))
			}
		case Dribble:
			if v.Kind != yaml.MappingNode || len(v.Content) != 4 {
				p.fault(v, "dribble: want %s", damageForm[Dribble])
				return
			}
			p.entries(v, name, func(name string, k, v *yaml.Node) {
				var err error
				switch name {
				case "chunks":
					if d.Chunks, err = strconv.Atoi(v.Value); v.Kind != yaml.ScalarNode || err != nil || d.Chunks < 1 || d.Chunks > maxChunks {
						p.fault(v, "chunks: want a number from 1 to %d, got %s", maxChunks, nodeWords(v))
					}
				case "over":
					if d.Over, err = ParseDuration(v.Value); v.Kind != yaml.ScalarNode || err != nil || d.Over > MaxDelay {
						p.fault(v, "over: want a time such as 2s, up to %.0f minutes, got %s", MaxDelay.Minutes(), nodeWords(v))
					}
				default:
					p.unknown(k, "dribble", name, dribbleKeys)
				}
			})
		default:
			if slices.Contains(bareDamage, d.Kind) {
				p.fault(k, "fault: %s stands alone: fault: %s", name, name)
				return
			}
			all := damageKinds()
			p.fault(k, "fault %s is none of %s%s", quote(name), strings.Join(all, ", "), didyoumean.Hint(name, all))
		}
	})
	return d
}

var damageForm = map[DamageKind]string{
	Truncate:  "{truncate: 100}, the bytes of the body that go out",
	Dribble:   "{dribble: {chunks: 5, over: 2s}}",
	Bandwidth: "{bandwidth: 16KiB/s}",
}

// damageKinds are all kinds, as files call them.
func damageKinds() (all []string) {
	for _, k := range append(slices.Clone(bareDamage), mappedDamage...) {
		if !slices.Contains(all, string(k)) {
			all = append(all, string(k))
		}
	}
	return all
}

func (p *parser) bytes(n *yaml.Node, what string) int {
	size, ok := ParseBytes(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		p.fault(n, "%s: want a number of bytes such as 100 or 16KiB, got %s", what, nodeWords(n))
	}
	return size
}

// ParseBytes reads a number of bytes: 100, 16KiB or 1MiB.
func ParseBytes(text string) (int, bool) {
	unit := 1
	for _, u := range []struct {
		name  string
		bytes int
	}{{"KiB", 1 << 10}, {"MiB", 1 << 20}} {
		if short, ok := strings.CutSuffix(text, u.name); ok {
			text, unit = short, u.bytes
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n > (1<<30)/uint64(unit) {
		return 0, false
	}
	return int(n) * unit, true
}

func (d *Damage) write() *yaml.Node {
	flow := func(content ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: content}
	}
	number := func(n int) *yaml.Node { return numberNode(strconv.Itoa(n)) }
	kind := textNode(string(d.Kind))
	switch {
	case d.Kind == Dribble:
		return flow(kind, flow(textNode("chunks"), number(d.Chunks), textNode("over"), textNode(FormatDuration(d.Over))))
	case d.Kind == Bandwidth:
		return flow(kind, textNode(strconv.Itoa(d.Rate)+"/s"))
	case d.Bytes >= 0:
		return flow(kind, number(d.Bytes))
	}
	return kind
}
