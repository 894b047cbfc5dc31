package payload

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	long := strings.Repeat("7", 5000)
	for _, c := range []struct {
		a, b    string
		compare int
	}{
		{"1", "1.0", 0},
		{"1", "10e-1", 0},
		{"1", "0.1E+1", 0},
		{"0", "-0", 0},
		{"0", "-0.00e99", 0},
		{"1200", "1.2e3", 0},
		{"0.00120", "12e-4", 0},
		{"100", "1e2", 0},
		{"1e400", "10e399", 0},
		{"1e999999999999999998", "10e999999999999999997", 0},
		{"5126", "5126.0000000000000000000001", -1},
		{"9007199254740993", "9007199254740992", 1}, // one float64
		{"-2", "1", -1},
		{"-2", "-10", 1},
		{"-1", "0", -1},
		{"0", "0.0001", -1},
		{"0", "-0.0001", 1},
		{"9", "10", -1},
		{"0.9", "0.10", 1},
		{"1.05", "1.5", -1},
		{"12", "12.5", -1},
		{"123e-2", "1.229", 1},
		{long, long + ".0", 0},
		{long + "1", long + "2", -1},

		// No numbers: only the same spelling is equal.
		{"abc", "abc", 0},
		{"01", "1", 1},
		{"+1", "1", 1},
		{"1.", "1", 1},
		{"", "0", 1},
		{"NaN", "Infinity", 1},
		{"1e1000000000000000000", "10e999999999999999999", 1},
	} {
		if got := CompareNumbers(c.a, c.b); got != c.compare {
			t.Errorf("CompareNumbers(%.30s, %.30s) = %d, want %d", c.a, c.b, got, c.compare)
		}
		if got := CompareNumbers(c.b, c.a); got != -c.compare {
			t.Errorf("CompareNumbers(%.30s, %.30s) = %d, want %d", c.b, c.a, got, -c.compare)
		}
		if got := EqualNumbers(c.a, c.b); got != (c.compare == 0) {
			t.Errorf("EqualNumbers(%.30s, %.30s) = %v", c.a, c.b, got)
		}
		a, b := CanonicalNumber(nil, c.a), CanonicalNumber(nil, c.b)
		if got := string(a) == string(b); got != (c.compare == 0) {
			t.Errorf("CanonicalNumber of %.30s and %.30s: %.30s and %.30s", c.a, c.b, a, b)
		}
	}
}

func TestCanonicalNumber(t *testing.T) {
	for number, want := range map[string]string{
		"0": "0", "-0.0e5": "0", "5126": "5126", "5126.0": "5126", "-1200": "-12e2", "0.05": "5e-2", "1.5e3": "15e2", "x": "x",
	} {
		if got := string(CanonicalNumber([]byte("is "), number)); got != "is "+want {
			t.Errorf("CanonicalNumber(%s) = %q, want %s", number, got, want)
		}
	}
	dst := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { CanonicalNumber(dst, "-12.500e10"); EqualNumbers("1.50", "15e-1") }); n > 0 {
		t.Errorf("CanonicalNumber and EqualNumbers allocate %v times", n)
	}
}

func TestIsInteger(t *testing.T) {
	for number, want := range map[string]bool{
		"7": true, "-7": true, "0": true, "-0.0": true, "0e-5": true, "1.0": true, "1e2": true, "1.5e1": true, "100e-2": true,
		"1.5": false, "1e-2": false, "0.1": false, "105e-1": false, "1.55e1": false, "": false, "x": false, "1.": false,
	} {
		if got := IsInteger(number); got != want {
			t.Errorf("IsInteger(%q) = %v", number, got)
		}
	}
}

func TestValidNumber(t *testing.T) {
	for s, want := range map[string]bool{
		"0": true, "-0": true, "10": true, "0.10": true, "1e5": true, "1E+05": true, "-1.25e-400": true, strings.Repeat("1", 64): true,
		"": false, "-": false, "+1": false, "01": false, "-01": false, ".5": false, "1.": false, "1e": false, "1e+": false, "0x1": false,
		" 1": false, "1 ": false, "1e401": false, "1_000": false, "Infinity": false, strings.Repeat("1", 65): false, "١": false,
	} {
		if got := ValidNumber(s); got != want {
			t.Errorf("ValidNumber(%q) = %v", s, got)
		}
	}
}

// Numbers spelled in different ways keep their order.
func TestNumberOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	spell := func() string {
		s := []byte{}
		if random.IntN(2) == 0 {
			s = append(s, '-')
		}
		s = append(s, "0123456789"[random.IntN(3)])
		if s[len(s)-1] != '0' && random.IntN(2) == 0 {
			s = append(s, '0')
		}
		if random.IntN(2) == 0 {
			s = append(s, []string{".0", ".1", ".10", ".01"}[random.IntN(4)]...)
		}
		if random.IntN(2) == 0 {
			s = append(s, []string{"e0", "e1", "E-1", "e+2"}[random.IntN(4)]...)
		}
		return string(s)
	}
	for range 20_000 {
		checkNumbers(t, spell(), spell())
	}
}

func checkNumbers(t *testing.T, a, b string) {
	t.Helper()
	if !ValidNumber(a) || !ValidNumber(b) {
		return
	}
	x, xOK := new(big.Rat).SetString(a)
	y, yOK := new(big.Rat).SetString(b)
	if !xOK || !yOK {
		t.Fatalf("ValidNumber takes %q and %q, math/big does not", a, b)
	}
	if got, want := CompareNumbers(a, b), x.Cmp(y); got != want || EqualNumbers(a, b) != (want == 0) {
		t.Fatalf("CompareNumbers(%s, %s) = %d, want %d", a, b, got, want)
	}
	if got, want := IsInteger(a), x.IsInt(); got != want {
		t.Fatalf("IsInteger(%s) = %v", a, got)
	}
	ca, cb := string(CanonicalNumber(nil, a)), string(CanonicalNumber(nil, b))
	if (ca == cb) != (x.Cmp(y) == 0) || !EqualNumbers(a, ca) || string(CanonicalNumber(nil, ca)) != ca {
		t.Fatalf("CanonicalNumber of %s and %s: %s and %s", a, b, ca, cb)
	}
}

func FuzzNumber(f *testing.F) {
	for _, s := range [][2]string{
		{"1.0", "1"}, {"10e-1", "1"}, {"-0", "0"}, {"0.1", "0.01e1"}, {"1e400", "1e-400"}, {"9.99", "10"}, {"01", "1"}, {"1.", "-"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := CompareNumbers(a, b); got != -CompareNumbers(b, a) || EqualNumbers(a, b) != (got == 0) || !EqualNumbers(a, a) {
			t.Fatalf("CompareNumbers(%q, %q) = %d", a, b, got)
		}
		if d, err := Scan([]byte(a)); ValidNumber(a) != (err == nil && d.Root().Literal() == a) {
			t.Fatalf("ValidNumber(%q) = %v, Scan: %v", a, ValidNumber(a), err)
		}
		checkNumbers(t, a, b)
	})
}
