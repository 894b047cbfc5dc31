package mockserver

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	tokenLife   = 30 * time.Minute // as Oracle prints it: exp is iat + 1800
	tokenIssuer = "www.oracle.com"
	tokenKey    = "xell" // what OIG calls the key in its keystore
	tokenBits   = 2048

	maxBearer = 16 << 10 // bytes of a token that is looked at
)

// Tokens are signed and judged by one server. Its key is made when it is first
// needed, since that takes longer than all else at the start, and dies with the
// server: no token is good elsewhere.
type tokens struct {
	key  func() (*signingKey, error)
	sign func(user string, now time.Time) (string, error) // for scenarios.Env: made once, and not for each request
}

// A signingKey is a key and its fingerprint.
type signingKey struct {
	*rsa.PrivateKey
	x5t string
}

// The claims of a token, as Oracle prints them: the login twice.
type claims struct {
	jwt.RegisteredClaims
	Principal string `json:"prn"`
}

func newTokens() *tokens {
	t := &tokens{key: sync.OnceValues(newKey)}
	t.sign = t.signFor
	return t
}

func newKey() (*signingKey, error) {
	key, err := rsa.GenerateKey(rand.Reader, tokenBits)
	if err != nil {
		return nil, fmt.Errorf("making a key for tokens: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("making a key for tokens: %w", err)
	}
	sum := sha1.Sum(der) // x5t is SHA-1 by its definition; there is no certificate, so it is that of the key
	return &signingKey{key, base64.RawURLEncoding.EncodeToString(sum[:])}, nil
}

// signFor makes a token for somebody. For one second it is the same, however
// often it is made.
func (t *tokens) signFor(user string, now time.Time) (string, error) {
	key, err := t.key()
	if err != nil {
		return "", err
	}
	login := strings.ToLower(user) // as in Oracle's sample
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Subject: login, Issuer: tokenIssuer,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(tokenLife)),
		},
		Principal: login,
	})
	token.Header["kid"], token.Header["x5t"] = tokenKey, key.x5t
	text, err := token.SignedString(key.PrivateKey)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	if len(text) > maxBearer {
		return "", fmt.Errorf("a token for a login of %d bytes has %d; %d are taken", len(user), len(text), maxBearer)
	}
	return text, nil
}

// login is whose token it is; "" for one that is not ours, or not good at that
// time.
func (t *tokens) login(text string, now time.Time) string {
	if len(text) > maxBearer {
		return ""
	}
	var c claims
	// What a token says of its own algorithm must not choose how it is judged.
	_, err := jwt.ParseWithClaims(text, &c, t.verifyingKey,
		jwt.WithValidMethods([]string{jwt.SigningMethodRS256.Name}), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithExpirationRequired(), jwt.WithIssuer(tokenIssuer))
	if err != nil {
		return ""
	}
	return c.Principal
}

func (t *tokens) verifyingKey(*jwt.Token) (any, error) {
	key, err := t.key()
	if err != nil {
		return nil, err
	}
	return &key.PublicKey, nil
}

// bearer is the token that a request carries; false where it carries none.
func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return strings.TrimSpace(token), true
}
