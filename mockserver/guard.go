package mockserver

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"github.com/oigmock/oigmock/scenarios"
)

// A guard says who may ask the admin API. Any web page that is open on the same
// machine can send requests to it, and with a name of its own that leads to
// 127.0.0.1 can read the answers, too. So a request must name this machine by
// a name that nobody else can give away (Host), and must not come from a page
// of another origin (Origin, Sec-Fetch-Site). With a token, who knows it may
// ask from anywhere.
type guard struct{ token string }

var (
	errForeign = errors.New("it comes from elsewhere")
	errToken   = errors.New("the token is missing, or another one is set")
)

// check reports who may not ask. It looks at headers alone.
func (g guard) check(r *http.Request) error {
	if r.RequestURI != "" && r.URL.IsAbs() { // then net/http has put its host in the place of the header Host
		return fmt.Errorf("%w: the target must be a path, and is %q; behind a proxy, have it send the path alone", errForeign, scenarios.CutText(r.RequestURI, 80))
	}
	if g.token == "" && !namesThisMachine(r.Host) {
		return fmt.Errorf("%w: the header Host must be localhost, an address that begins with 127., or [::1], and is %q; to be asked by another name, the admin API needs a token",
			errForeign, scenarios.CutText(r.Host, 80))
	}
	own := baseURL(r)
	for _, origin := range r.Header["Origin"] {
		if origin != own {
			return fmt.Errorf("%w: the header Origin is %q, and only pages of %s itself may ask", errForeign, scenarios.CutText(origin, 80), scenarios.CutText(own, 80))
		}
	}
	for _, site := range r.Header["Sec-Fetch-Site"] {
		if site != "same-origin" && site != "none" {
			return fmt.Errorf("%w: the header Sec-Fetch-Site is %q", errForeign, scenarios.CutText(site, 80))
		}
	}
	if g.token == "" {
		return nil
	}
	if token, ok := bearer(r); !ok || !sameSecret(token, g.token) {
		return fmt.Errorf("%w: send the header Authorization: Bearer TOKEN", errToken)
	}
	return nil
}

// namesThisMachine tells a header Host that no name server had a say in.
func namesThisMachine(host string) bool {
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		if _, err := strconv.ParseUint(host[i+1:], 10, 16); err != nil {
			return false
		}
		host = host[:i]
	}
	if strings.EqualFold(host, "localhost") || host == "[::1]" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Is4() && ip.IsLoopback()
}

// fromForm tells a body that a page of another origin can send without asking
// first, as a form. That programs call a body a form, as curl -d does, does no
// harm: it is browsers that pages make use of, and those say who they are.
func fromForm(r *http.Request) bool {
	if !fromBrowser(r) {
		return false
	}
	for _, media := range r.Header["Content-Type"] {
		media, _, _ = strings.Cut(media, ";")
		media = strings.ToLower(strings.TrimSpace(media))
		if media == "application/x-www-form-urlencoded" || media == "text/plain" || strings.HasPrefix(media, "multipart/") {
			return true
		}
	}
	return false
}

// fromBrowser tells what may come from a browser, of whatever age.
func fromBrowser(r *http.Request) bool {
	for _, name := range []string{"Origin", "Referer", "Cookie", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Ch-Ua"} {
		if len(r.Header[name]) > 0 {
			return true
		}
	}
	return strings.HasPrefix(r.Header.Get("User-Agent"), "Mozilla/")
}
