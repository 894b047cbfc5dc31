package payload

import (
	"strings"
	"testing"
	"time"
)

func form(t testing.TB, pattern string) *DateFormat {
	t.Helper()
	f, err := ParseDateFormat(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestDateParse(t *testing.T) {
	for _, c := range []struct {
		form, text string
		want       string // in UTC; "" if it is no such date
	}{
		{"dd-MMM-yy", "11-May-16", "2016-05-11T00:00:00Z"},
		{"dd-MMM-yy", "02-OCT-16", "2016-10-02T00:00:00Z"},
		{"dd-MMM-yy", "29-feb-16", "2016-02-29T00:00:00Z"},
		{"dd-MMM-yy", "01-Jan-69", "1969-01-01T00:00:00Z"},
		{"dd-MMM-yy", "31-Dec-68", "2068-12-31T00:00:00Z"},
		{"dd-MMM-yy", "7-May-16", ""},
		{"dd-MMM-yy", "31-Feb-16", ""},
		{"dd-MMM-yy", "29-Feb-15", ""},
		{"dd-MMM-yy", "00-May-16", ""},
		{"dd-MMM-yy", "11-May-2016", ""},
		{"dd-MMM-yy", "11-Foo-16", ""},
		{"dd-MMM-yy", "11-September-16", ""},
		{"dd-MMM-yy", "11-May-6", ""},
		{"dd-MMM-yy", " 1-May-16", ""},
		{"dd-MMM-yy", "11-May-16 ", ""},
		{"dd-MMM-yy", "11 May 16", ""},
		{"dd-MMM-yy", "", ""},

		{"M/d/yy", "5/11/16", "2016-05-11T00:00:00Z"},
		{"M/d/yy", "05/1/16", "2016-05-01T00:00:00Z"},
		{"M/d/yy", "13/1/16", ""},
		{"M/d/yy", "0/1/16", ""},
		{"M/d/yy", "5/011/16", ""},
		{"M/d/yy", "5//16", ""},

		{"yyyy-MM-dd", "2016-02-21", "2016-02-21T00:00:00Z"},
		{"yyyy-MM-dd", "2016-2-21", ""},
		{"yyyy-MM-dd", "16-02-21", ""},
		{"yyyy-MM-dd", "+016-02-21", ""},

		{"iso", "2019-04-20T21:12:16Z", "2019-04-20T21:12:16Z"},
		{"iso", "2019-04-20T21:12:16.5Z", "2019-04-20T21:12:16.5Z"},
		{"iso", "2019-04-20T21:12:16.1234567899Z", "2019-04-20T21:12:16.123456789Z"},
		{"iso", "2019-04-20T21:12:16+05:30", "2019-04-20T15:42:16Z"},
		{"iso", "2019-04-20T21:12:16-08:00", "2019-04-21T05:12:16Z"},
		{"iso", "2019-04-20T24:00:00Z", ""},
		{"iso", "2019-04-20T23:59:60Z", ""},
		{"iso", "2019-04-20T21:12:16.Z", ""},
		{"iso", "2019-04-20T21:12:16,5Z", ""},
		{"iso", "2019-04-20T21:12:16", ""},
		{"iso", "2019-04-20t21:12:16z", ""},
		{"iso", "2019-04-20 21:12:16Z", ""},
		{"iso", "2019-04-20T21:12:16+0530", ""},
		{"iso", "2019-04-20T21:12:16+24:00", ""},
		{"iso", "2019-04-20", ""},
		{"iso", "0000-01-01T00:00:00+01:00", ""}, // a year before 0
		{"iso", "9999-12-31T23:59:59-01:00", ""}, // a year after 9999

		{"epoch", "1460356450695", "2016-04-11T06:34:10.695Z"},
		{"epoch", "0", "1970-01-01T00:00:00Z"},
		{"epoch", "-1", "1969-12-31T23:59:59.999Z"},
		{"epoch", "-0", ""},
		{"epoch", "+1", ""},
		{"epoch", "01", ""},
		{"epoch", "1.5", ""},
		{"epoch", "1e12", ""},
		{"epoch", "", ""},
		{"epoch", "9223372036854775807", ""},
		{"epoch", "99999999999999999999", ""},

		{"java", "Mon Apr 04 15:57:00 IST 2016", "2016-04-04T10:27:00Z"},
		{"java", "mon APR 04 15:57:00 UTC 2016", "2016-04-04T15:57:00Z"},
		{"java", "Mon Apr 04 15:57:00 PDT 2016", "2016-04-04T22:57:00Z"},
		{"java", "Mon Apr 04 15:57:00 GMT+05:30 2016", "2016-04-04T10:27:00Z"},
		{"java", "Tue Apr 04 15:57:00 IST 2016", ""}, // a Monday
		{"java", "Mon Apr 4 15:57:00 IST 2016", ""},
		{"java", "Mon Apr 04 15:57:00 XXX 2016", ""},
		{"java", "Mon Apr 04 15:57:00 2016", ""},

		{"d MMMM yyyy, h:mm a", "4 april 2016, 3:07 pm", "2016-04-04T15:07:00Z"},
		{"d MMMM yyyy, h:mm a", "04 May 2016, 12:00 AM", "2016-05-04T00:00:00Z"},
		{"d MMMM yyyy, h:mm a", "4 May 2016, 12:00 PM", "2016-05-04T12:00:00Z"},
		{"d MMMM yyyy, h:mm a", "4 May 2016, 0:00 AM", ""},
		{"d MMMM yyyy, h:mm a", "4 May 2016, 13:00 PM", ""},
		{"d MMMM yyyy, h:mm a", "4 Apr 2016, 3:07 PM", ""},
		{"yyyyMMddHHmmssSSSZ", "20160404155700123-0730", "2016-04-04T23:27:00.123Z"},
		{"yyyyMMddHHmmssSSSZ", "20160404155700123Z", ""},
		{"yyyy-MM-dd HH:mm:ss.S", "2016-04-04 15:57:00.1", "2016-04-04T15:57:00.1Z"},
		{"yyyy-MM-dd HH:mm:ss.S", "2016-04-04 15:57:00.12", ""},
		{"EEEE dd.MM.yyyy", "Monday 04.04.2016", "2016-04-04T00:00:00Z"},
		{"yyyy-MM-dd'T'HHX", "2016-04-04T15+02", "2016-04-04T13:00:00Z"},
		{"yyyy-MM-dd'T'HHXX", "2016-04-04T15+0230", "2016-04-04T12:30:00Z"},
		{"HH 'o''clock' a", "15 o'clock PM", "1970-01-01T15:00:00Z"},
		{"HH 'o''clock' a", "15 o'clock AM", ""},
	} {
		got, ok := form(t, c.form).Parse(c.text)
		if ok != (c.want != "") || ok && (got.Format(time.RFC3339Nano) != c.want || got.Location() != time.UTC) {
			t.Errorf("%s: Parse(%q) = %v, %v, want %q", c.form, c.text, got, ok, c.want)
		}
	}
}

func TestDateFormat(t *testing.T) {
	at := time.Date(2016, 4, 4, 15, 7, 9, 123456789, time.FixedZone("IST", 5*3600+1800))
	for pattern, want := range map[string]string{
		"dd-MMM-yy":               "04-Apr-16",
		"M/d/yy":                  "4/4/16",
		"yyyy-MM-dd":              "2016-04-04",
		"iso":                     "2016-04-04T09:37:09Z",
		"epoch":                   "1459762629123",
		"java":                    "Mon Apr 04 09:37:09 UTC 2016",
		"EEEE, d. MMMM y h:m:s a": "Monday, 4. April 2016 9:37:9 AM",
		"H.mm.ss,SSSSSSSSS Z XXX": "9.37.09,123456789 +0000 Z",
		"'it''s' yy''":            "it's 16'",
		"yyyy年MM月":                "2016年04月",
	} {
		if got := form(t, pattern).Format(at); got != want {
			t.Errorf("%s: Format = %q, want %q", pattern, got, want)
		}
	}
	for hour, want := range map[int]string{0: "12 AM", 1: "1 AM", 12: "12 PM", 23: "11 PM"} {
		if got := form(t, "h a").Format(time.Date(2016, 1, 1, hour, 0, 0, 0, time.UTC)); got != want {
			t.Errorf("h a at %d: %q, want %q", hour, got, want)
		}
	}
}

func TestHasHours(t *testing.T) {
	for pattern, want := range map[string]bool{
		"dd-MMM-yy": false, "M/d/yy": false, "yyyy-MM-dd": false, "java": true, "iso": true, "epoch": true, "dd hh": true, "dd 'H'": false,
	} {
		if f := form(t, pattern); f.HasHours() != want || f.String() != pattern {
			t.Errorf("%s: HasHours = %v, String = %s", pattern, f.HasHours(), f)
		}
	}
}

func TestISO(t *testing.T) {
	if got := ISO.Format(time.Date(2016, 5, 11, 14, 30, 0, 0, time.FixedZone("", 3600))); got != "2016-05-11T13:30:00Z" || ISO.String() != "iso" {
		t.Errorf("%s writes %s", ISO, got)
	}
}

func TestParseDateFormatFaults(t *testing.T) {
	for pattern, want := range map[string]string{
		"":                        `date format "": no letter stands for a part of a date`,
		"--":                      `date format "--": no letter stands for a part of a date`,
		"'T'":                     `date format "'T'": no letter stands for a part of a date`,
		"dd-QQ-yy":                `date format "dd-QQ-yy": unknown letter Q at place 4`,
		"ISO":                     `date format "ISO": unknown letter I at place 1`,
		"YYYY-MM-DD":              `date format "YYYY-MM-DD": unknown letter Y at place 1`,
		"dd-MMM-yyy":              `date format "dd-MMM-yyy": yyy at place 8: no date is written so`,
		"ddd":                     `date format "ddd": ddd at place 1: no date is written so`,
		"zzzz":                    `date format "zzzz": zzzz at place 1: no date is written so`,
		"dd-MM-dd":                `date format "dd-MM-dd": letter d at place 7 comes again`,
		"dM":                      `date format "dM": where d ends cannot be told from what follows it`,
		"h'1'":                    `date format "h'1'": where h ends cannot be told from what follows it`,
		"zEEE":                    `date format "zEEE": where z ends cannot be told from what follows it`,
		"dd 'of MMM":              `date format "dd 'of MMM": the quote at place 4 is not closed`,
		strings.Repeat("d", 1000): "dddddddddd... at place 1: no date is written so",
	} {
		f, err := ParseDateFormat(pattern)
		if err == nil || !strings.HasSuffix(err.Error(), want) || f != nil {
			t.Errorf("ParseDateFormat(%q): %v, want %s", pattern, err, want)
		}
	}
}

func TestParseAnyDate(t *testing.T) {
	for text, want := range map[string]string{
		"11-May-16":                    "dd-MMM-yy",
		"5/11/16":                      "M/d/yy",
		"2016-02-21":                   "yyyy-MM-dd",
		"Mon Apr 04 15:57:00 IST 2016": "java",
		"2019-04-20T21:12:16.25+01:00": "iso",
		"1460356450695":                "epoch",
		"146035645069":                 "",
		"-146035645069":                "",
		"5126":                         "",
		"31-Foo-16":                    "",
		"":                             "",
	} {
		at, f, ok := ParseAnyDate(text)
		if ok != (want != "") || ok && f.String() != want {
			t.Errorf("ParseAnyDate(%q) = %v, %v, %v, want %s", text, at, f, ok, want)
		}
	}
}

// Each form reads back what it writes.
func TestDateForms(t *testing.T) {
	for _, name := range DateForms {
		f := form(t, name)
		for at := time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2069; at = at.Add(31*time.Hour + 7*time.Second) {
			want := at
			if !f.HasHours() {
				want = at.Truncate(24 * time.Hour)
			}
			if got, ok := f.Parse(f.Format(at)); !ok || !got.Equal(want) {
				t.Fatalf("%s: %s is read as %v, want %v", f, f.Format(at), got, want)
			}
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range [][2]string{
		{"dd-MMM-yy", "11-May-16"}, {"M/d/yy", "5/11/16"}, {"iso", "2019-04-20T21:12:16.5+05:30"}, {"epoch", "1460356450695"},
		{"java", "Mon Apr 04 15:57:00 IST 2016"}, {"EEEE d MMMM y h:mm:ss.SSS a XXX", "Monday 4 April 2016 3:57:00.123 PM -07:00"},
		{"EEE dd MMM yy Z", "Tue 01 Jan 69 +0100"}, {"'T'''HH", "T'15"}, {"zX", "GMT+01:00Z"}, {"h a", "12 AM"}, {"yyyyMMdd", "20160404"},
		{"MM-dd-yyyy HH", "02-29-2016 23"},
	} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		format, err := ParseDateFormat(pattern)
		if err != nil {
			return
		}
		at, ok := format.Parse(text)
		if !ok {
			return
		}
		// What a form has no letter for is lost, so it is the text that must last.
		written := format.Format(at)
		again, ok := format.Parse(written)
		if !ok || format.Format(again) != written {
			t.Fatalf("%q: %q is %v, written %q, read back as %v, %v", pattern, text, at, written, again, ok)
		}
	})
}
