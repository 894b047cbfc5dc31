package mockserver

import (
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/oigmock/oigmock/scenarios"
	"github.com/oigmock/oigmock/schemas"
)

const tokensPath = "/iam/governance/token/api/v1/tokens"

// tokenServer serves a release, be it one of which the embedded contract knows
// nothing else.
func tokenServer(t testing.TB, release string) *Server {
	t.Helper()
	contract, err := schemas.Load(os.DirFS("../schemas"), "schemas", release)
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenarios.OIG(release)
	if err != nil {
		t.Fatal(err)
	}
	return newServer(t, Config{Contract: contract, Scenarios: list, Release: release})
}

// tokenOf is the token in an answer.
func tokenOf(t testing.TB, body string) string {
	t.Helper()
	var got struct{ ExpiresIn, TokenType, AccessToken string }
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if got.ExpiresIn != "1799" || got.TokenType != "Bearer" || strings.Count(got.AccessToken, ".") != 2 {
		t.Fatalf("no token: %s", body)
	}
	return got.AccessToken
}

// fetch has a token signed for somebody.
func fetch(t testing.TB, s *Server, session, user string) string {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("POST", session+tokensPath, nil)
	r.SetBasicAuth(user, "secret")
	s.ServeHTTP(w, r)
	if w.Code != 200 {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	return tokenOf(t, w.Body.String())
}

// refresh says what becomes of a token that is sent with those words before it,
// and, where it is good, who sent it.
func refresh(t testing.TB, s *Server, session, authorization string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("PUT", session+tokensPath, nil)
	r.Header.Set("Authorization", authorization)
	s.ServeHTTP(w, r)
	if w.Code != 200 {
		return w.Code, ""
	}
	return w.Code, claimsOf(t, tokenOf(t, w.Body.String()))["sub"].(string)
}

func claimsOf(t testing.TB, token string) map[string]any {
	t.Helper()
	var c map[string]any
	part(t, token, 1, &c)
	return c
}

// part reads one part of a token.
func part(t testing.TB, token string, i int, v any) {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A token looks as Oracle prints it.
func TestTokenAsPrinted(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	token := fetch(t, s, "", "KLee")
	var header map[string]any
	part(t, token, 0, &header)
	key, err := s.tokens.key()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(der)
	for name, want := range map[string]string{"alg": "RS256", "typ": "JWT", "kid": "xell", "x5t": base64.RawURLEncoding.EncodeToString(sum[:])} {
		if header[name] != want {
			t.Errorf("header %s: got %v, want %s", name, header[name], want)
		}
	}
	want := map[string]any{"sub": "klee", "prn": "klee", "iss": "www.oracle.com", "iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 1800)}
	got := claimsOf(t, token)
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: got %v, want %v", name, got[name], want[name])
		}
	}
	if len(got) != len(want) || len(header) != 4 {
		t.Errorf("there is more: %v, %v", got, header)
	}
}

// Whatever clients send to have a token is taken.
func TestTokenRequests(t *testing.T) {
	for _, release := range []string{"11.1.2.3", "12.2.1.4", "14.1.2"} {
		s := tokenServer(t, release)
		for _, test := range []struct {
			call   call
			status int
		}{
			{"POST " + tokensPath + "\nuser: ann\nX-Requested-By: me", 200},
			{"POST " + tokensPath + "\nuser: ann\nX-Requested-By: me\n\n{}", 200},
			{"POST " + tokensPath + "\nuser: ann\nX-Requested-By: me\n\ngrant_type=password&username=ann", 200},
			{"POST " + tokensPath + "\nuser: ann\nX-Requested-By: me\nContent-Type: text/plain\n\nplease", 200},
			{"POST " + tokensPath + "\nX-Requested-By: me", 401},
			{"PUT " + tokensPath + "\nX-Requested-By: me", 401},
			{"PUT " + tokensPath + "\nX-Requested-By: me\nAuthorization: Bearer", 401},
			{"GET " + tokensPath + "\nuser: ann", 405},
			{"POST " + tokensPath + "\nuser: ann", map[bool]int{true: 200, false: 400}[release == "11.1.2.3"]}, // later releases ask for X-Requested-By
		} {
			res, body, _ := ask(t, s, test.call)
			if res.StatusCode != test.status {
				t.Errorf("%s: %s: got %d, want %d: %s", release, test.call, res.StatusCode, test.status, body)
			} else if test.status == 200 {
				tokenOf(t, body)
			}
		}
	}
}

func TestTokensWith201(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	if err := s.home.SetState("tokens are answered with 201", nil); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		call   call
		status int
	}{
		{"POST " + tokensPath + "\nuser: ann", 201},
		{"PUT " + tokensPath + "\nuser: ann", 201},
		{"POST " + tokensPath, 401},
	} {
		if res, body, _ := ask(t, s, test.call); res.StatusCode != test.status {
			t.Errorf("%s: got %d, want %d: %s", test.call, res.StatusCode, test.status, body)
		}
	}
}

// spelledOtherwise changes bits of the last letter that say nothing.
func spelledOtherwise(token string) string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(token) - 1
	return token[:last] + letters[strings.IndexByte(letters, token[last])^1:][:1]
}

// Which tokens are taken.
func TestBearer(t *testing.T) {
	s, other := oigServer(t, "11.1.2.3"), oigServer(t, "11.1.2.3")
	token := fetch(t, s, "", "Ann")
	parts := strings.Split(token, ".")
	key, err := s.tokens.key()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	encode := base64.RawURLEncoding.EncodeToString
	good := claims{jwt.RegisteredClaims{Subject: "ann", Issuer: tokenIssuer, IssuedAt: jwt.NewNumericDate(noon), ExpiresAt: jwt.NewNumericDate(noon.Add(tokenLife))}, "ann"}
	signed := func(method jwt.SigningMethod, c claims, key any) string {
		t.Helper()
		text, err := jwt.NewWithClaims(method, c).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	without := func(drop func(*claims)) claims { c := good; drop(&c); return c }
	for _, test := range []struct{ name, authorization, user string }{
		{"one of ours", "Bearer " + token, "ann"},
		{"in small letters", "bearer " + token, "ann"},
		{"with more blanks", "BEARER   " + token + " ", "ann"},
		{"one that was signed elsewhere with our key", "Bearer " + signed(jwt.SigningMethodRS256, good, key.PrivateKey), "ann"},
		{"nothing", "Bearer", ""},
		{"no token", "Bearer ann", ""},
		{"another scheme", "Token " + token, ""},
		{"no scheme", token, ""},
		{"another payload", "Bearer " + parts[0] + "." + encode([]byte(`{"sub":"root","prn":"root","iss":"www.oracle.com","iat":1462968000,"exp":9999999999}`)) + "." + parts[2], ""},
		{"another header", "Bearer " + encode([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2], ""},
		{"no signature", "Bearer " + parts[0] + "." + parts[1] + ".", ""},
		{"a signature that is filled up", "Bearer " + token + "=", ""},
		{"a signature written otherwise", "Bearer " + spelledOtherwise(token), ""},
		{"alg none", "Bearer " + signed(jwt.SigningMethodNone, good, jwt.UnsafeAllowNoneSignatureType), ""},
		{"alg none with our signature", "Bearer " + encode([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "." + parts[2], ""},
		{"HS256 with the public key", "Bearer " + signed(jwt.SigningMethodHS256, good, public), ""},
		{"HS256 with the public key as DER", "Bearer " + signed(jwt.SigningMethodHS256, good, der), ""},
		{"RS512 with our key", "Bearer " + signed(jwt.SigningMethodRS512, good, key.PrivateKey), ""},
		{"PS256 with our key", "Bearer " + signed(jwt.SigningMethodPS256, good, key.PrivateKey), ""},
		{"that of another server", "Bearer " + fetch(t, other, "", "Ann"), ""},
		{"one that never ends", "Bearer " + signed(jwt.SigningMethodRS256, without(func(c *claims) { c.ExpiresAt = nil }), key.PrivateKey), ""},
		{"one of another issuer", "Bearer " + signed(jwt.SigningMethodRS256, without(func(c *claims) { c.Issuer = "example.com" }), key.PrivateKey), ""},
		{"one for nobody", "Bearer " + signed(jwt.SigningMethodRS256, without(func(c *claims) { c.Principal = "" }), key.PrivateKey), ""},
		{"one that is too long", "Bearer " + signed(jwt.SigningMethodRS256, without(func(c *claims) { c.Audience = []string{strings.Repeat("a", maxBearer)} }), key.PrivateKey), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			status, user := refresh(t, s, "", test.authorization)
			if want := map[bool]int{true: 401, false: 200}[test.user == ""]; status != want || user != test.user {
				t.Errorf("got %d for %q, want %d for %q", status, user, want, test.user)
			}
		})
	}
}

// A token is good for 30 minutes by the clock of the session it is sent in.
func TestTokensExpire(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	const later = "/__session/later"
	ses, err := s.Session("later")
	if err != nil {
		t.Fatal(err)
	}
	for _, began := range []time.Time{noon, firstTime, time.Date(1969, 12, 31, 23, 45, 0, 0, time.UTC), lastTime.Add(-time.Hour)} {
		set := func(ses *Session, at time.Time) {
			t.Helper()
			if err := ses.SetClock(Clock{Frozen: at}); err != nil {
				t.Fatal(err)
			}
		}
		set(s.home, began)
		set(ses, began)
		token := "Bearer " + fetch(t, s, "", "ann")
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 200}, {29 * time.Minute, 200}, {30*time.Minute - time.Second, 200}, {30 * time.Minute, 401}, {31 * time.Minute, 401}, {-time.Hour, 200}} {
			set(ses, began.Add(max(step.after, firstTime.Sub(began))))
			if got, _ := refresh(t, s, later, token); got != step.want {
				t.Errorf("%s and %s: got %d, want %d", began, step.after, got, step.want)
			}
			if got, _ := refresh(t, s, "", token); got != 200 {
				t.Errorf("the clock of another session counts: got %d", got)
			}
		}
	}

	// What was refreshed goes on to be good.
	if err := ses.SetClock(Clock{Frozen: noon}); err != nil {
		t.Fatal(err)
	}
	first := fetch(t, s, later, "ann")
	advance := func() {
		t.Helper()
		if err := ses.Advance(20 * time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	advance()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("PUT", later+tokensPath, nil)
	r.Header.Set("Authorization", "Bearer "+first)
	s.ServeHTTP(w, r)
	second := tokenOf(t, w.Body.String())
	advance()
	for i, test := range []struct {
		token string
		want  int
	}{{first, 401}, {second, 200}} {
		if got, _ := refresh(t, s, later, "Bearer "+test.token); got != test.want {
			t.Errorf("%d: got %d, want %d", i, got, test.want)
		}
	}
}

// Where one login counts, a token that it was given for does, too.
func TestTokensBesideALogin(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	s.cfg.User = "ann:secret"
	token := fetch(t, s, "", "ann")
	for _, test := range []struct {
		authorization string
		want          int
	}{
		{"Bearer " + token, 200},
		{"Bearer x" + token, 401},
		{"Basic " + base64.StdEncoding.EncodeToString([]byte("ann:secret")), 200},
		{"Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"+token)), 401},
		{"Basic " + base64.StdEncoding.EncodeToString([]byte("bob:secret")), 401},
	} {
		if got, _ := refresh(t, s, "", test.authorization); got != test.want {
			t.Errorf("%.12s: got %d, want %d", test.authorization, got, test.want)
		}
	}
}

// No key is made for a server of which nobody wants a token.
func TestKeyIsMadeLate(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	asked := 0
	key := s.tokens.key
	s.tokens.key = func() (*signingKey, error) { asked++; return key() }
	ask(t, s, "PUT "+taskPath+"5126\nuser: ann\n\n"+`{"id": "5126"}`)
	ask(t, s, "PUT "+taskPath+"5126\nAuthorization: Bearer ann\n\n"+`{"id": "5126"}`)
	if asked != 0 {
		t.Errorf("the key was asked for %d times", asked)
	}
	fetch(t, s, "", "ann")
	if asked != 1 {
		t.Errorf("for a token the key was asked for %d times", asked)
	}
}

// A login for which no token can be made that would be taken gets none.
func TestTokenForALongLogin(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	res, body, e := ask(t, s, call("POST "+tokensPath+"\nuser: "+strings.Repeat("a", maxBearer)))
	if res.StatusCode != 500 || e.Outcome != Template || !strings.Contains(body, "a token for a login of "+strconv.Itoa(maxBearer)+" bytes has") {
		t.Errorf("got %d, %s: %.300s", res.StatusCode, e.Outcome, body)
	}
}

// The journal shows no token that was sent.
func TestJournalHidesTokens(t *testing.T) {
	s := oigServer(t, "11.1.2.3")
	token := fetch(t, s, "", "ann")
	_, _, e := ask(t, s, call("GET "+taskPath+"5126\nAuthorization: Bearer "+token))
	text, err := json.Marshal(jsonOf(&e))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), token) || !strings.Contains(string(text), `"Authorization":["Bearer …"]`) || e.User != "ann" {
		t.Errorf("got %s", text)
	}
}
