package mockserver

// A use is what one request made use of.
type use struct {
	operation string // "" outside the contract
	status    int
	entry     *entry          // that answered; nil for none
	adds      []*entry        // that added to the answer
	rooms     map[string]bool // of records, that the files seed: no others are counted
	looked    []string        // rooms of records
	changed   []string        // addresses of records
}

// usage is how often what was used. Its owner's lock guards it.
type usage struct {
	statuses     map[operationStatus]int
	interactions map[string]int // by FILE#NAME
	added        map[string]int // those that were added to the session
	looked       map[string]int // by room of records
	changed      map[string]int
}

func (u *usage) answers(e *entry) {
	switch {
	case e.scenario.Origin != addedOrigin:
		inc(&u.interactions, e.origin[0])
	case len(u.added) < maxAddedUses || u.added[e.origin[0]] > 0:
		inc(&u.added, e.origin[0])
	}
}

// maxAddedUses bounds the interactions whose use is counted for one session:
// files bound all others.
const maxAddedUses = 10_000

type operationStatus struct {
	operation string
	status    int
}

func (u *usage) count(x *use) {
	if x.operation != "" {
		inc(&u.statuses, operationStatus{x.operation, x.status})
	}
	if x.entry != nil {
		u.answers(x.entry)
	}
	for _, e := range x.adds {
		u.answers(e)
	}
	for _, room := range x.looked {
		if x.rooms[room] {
			inc(&u.looked, room)
		}
	}
	for _, at := range x.changed {
		if room := roomOf(at); x.rooms[room] {
			inc(&u.changed, room)
		}
	}
}

// roomOf is the first step of an address.
func roomOf(address string) string {
	for i := range len(address) {
		if address[i] == '/' {
			return address[:i]
		}
	}
	return address
}

func inc[K comparable](m *map[K]int, key K) {
	if *m == nil {
		*m = map[K]int{}
	}
	(*m)[key]++
}

// merge adds what another counted, but for what was added to its session.
func (u *usage) merge(o *usage) {
	add(&u.statuses, o.statuses)
	add(&u.interactions, o.interactions)
	add(&u.looked, o.looked)
	add(&u.changed, o.changed)
}

func add[K comparable](m *map[K]int, o map[K]int) {
	for key, n := range o {
		if *m == nil {
			*m = map[K]int{}
		}
		(*m)[key] += n
	}
}
