package avro

import (
	stdbytes "bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/option"
)

// Confluent is the format avro-confluent.
var Confluent = format.Define("avro-confluent", "Avro messages with the id of a schema in a registry.", func(o *registryOptions) (format.Format, error) {
	return newConfluent(o)
}).Noted(confluentNotes)

type registryOptions struct {
	URL          string `opt:"url,required,alias=schema-registry.url" doc:"Address of the schema registry, such as http://host:8081."`
	Subject      string `opt:"subject,alias=schema-registry.subject" doc:"Subject under which the schema of written messages is registered. Needed to write."`
	Schema       string `opt:"schema,alias=schema-registry.schema" doc:"The schema, as JSON, that messages are written with; it is checked against the table's columns when the table is read or written. Not given: that of the columns."`
	Legacy       bool   `opt:"timestamp_mapping.legacy" default:"true" doc:"TIMESTAMP is written as timestamp-millis, -micros or -nanos, as TIMESTAMP_LTZ is; otherwise as local-timestamp-*. Both are read either way."`
	BasicSource  string `opt:"basic-auth.credentials-source" default:"NONE" enum:"NONE,USER_INFO,URL" doc:"Where user and password are: in basic-auth.user-info or in the url."`
	UserInfo     string `opt:"basic-auth.user-info" doc:"User and password with a colon between them."`
	BearerSource string `opt:"bearer-auth.credentials-source" default:"STATIC_TOKEN" enum:"STATIC_TOKEN" doc:"Where the token is: in bearer-auth.token."`
	BearerToken  string `opt:"bearer-auth.token" doc:"Token sent with every request."`
	Truststore   string `opt:"ssl.truststore.location" doc:"PEM file with the certificates of the authorities that may have signed the registry's. Not given: the system's."`
	TrustPass    string `opt:"ssl.truststore.password" doc:"Refused: PEM files of certificates have none."`
	Keystore     string `opt:"ssl.keystore.location" doc:"PEM file with a certificate and its key, by which to say who asks."`
	KeyPass      string `opt:"ssl.keystore.password" doc:"Refused: the key is read without one."`
}

func newConfluent(o *registryOptions) (*confluent, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, option.Errorf("url", "%q is no address of a schema registry", o.URL)
	}
	if o.BasicSource == "USER_INFO" && o.UserInfo == "" {
		return nil, option.Errorf("basic-auth.user-info", "is needed by the credentials-source USER_INFO")
	}
	for key, val := range map[string]string{"ssl.truststore.password": o.TrustPass, "ssl.keystore.password": o.KeyPass} {
		if val != "" {
			return nil, option.Errorf(key, "is not supported: stores are PEM files without one")
		}
	}
	return &confluent{o: o, reg: &registry{o: o, base: u, wait: 200 * time.Millisecond}}, nil
}

type confluent struct {
	o   *registryOptions
	reg *registry
}

// Framing implements format.Format: records are messages; files of them make no sense.
func (c *confluent) Framing() format.Framing { return format.Whole }

// Changelog implements format.Format.
func (c *confluent) Changelog() bool { return false }

func (c *confluent) check(d format.Decoding) error {
	if c.o.Schema == "" {
		return nil
	}
	w, err := parseSchema([]byte(c.o.Schema))
	if err != nil {
		return err
	}
	_, err = newPlan(w, d)
	return err
}

// plans returns what finds the plan of a record by the id of its schema.
func (c *confluent) plans(d format.Decoding) func(rec []byte) (*plan, int, error) {
	plans := map[uint32]*plan{}
	return func(rec []byte) (*plan, int, error) {
		if len(rec) < 5 || rec[0] != 0 {
			return nil, 0, errors.New("the message does not begin with 0 and the id of a schema")
		}
		id := binary.BigEndian.Uint32(rec[1:])
		p := plans[id]
		if p == nil {
			w, err := c.reg.schema(id)
			if err != nil {
				return nil, 0, err
			}
			if p, err = newPlan(w, d); err != nil {
				return nil, 0, fmt.Errorf("schema %d: %w", id, err)
			}
			plans[id] = p
		}
		return p, 5, nil
	}
}

// NewDecoder implements format.Format.
func (c *confluent) NewDecoder(d format.Decoding) (format.Decoder, error) {
	if err := c.check(d); err != nil {
		return nil, err
	}
	return newDecoder(d, c.plans(d)), nil
}

// NewEncoder implements format.Format. The schema is registered with the first row.
func (c *confluent) NewEncoder(e format.Encoding) (format.Encoder, error) {
	a := avro{&options{Schema: c.o.Schema, Legacy: c.o.Legacy}}
	enc, text, _, err := a.encoder(e.Schema)
	if err != nil {
		return nil, err
	}
	prefix, err := c.prefix(text)
	if err != nil {
		return nil, err
	}
	return &messages{encoder: enc, prefix: prefix}, nil
}

// prefix returns what messages of a schema begin with.
func (c *confluent) prefix(text string) (func() ([]byte, error), error) {
	if c.o.Subject == "" {
		return nil, option.Errorf("subject", "is needed to write")
	}
	var prefix []byte
	return func() ([]byte, error) {
		if prefix == nil {
			id, err := c.reg.register(c.o.Subject, text)
			if err != nil {
				return nil, err
			}
			prefix = binary.BigEndian.AppendUint32([]byte{0}, id)
		}
		return prefix, nil
	}, nil
}

// registry is the client of a schema registry. Schemas never change, so they are
// kept; that one is not there, or is no schema, is kept for a while. It may be
// used by several goroutines.
type registry struct {
	o    *registryOptions
	base *url.URL
	wait time.Duration // before the second try; then twice as long each

	mu      sync.Mutex
	http    *http.Client
	schemas map[uint32]answer
}

// answer is what the registry said of an id: a schema, or what is wrong, until
// when.
type answer struct {
	schema *schema
	err    error
	until  time.Time
}

// missFor is how long the registry is not asked again for what it does not have.
const missFor = 10 * time.Second

// refused is an answer of the registry that the same question will get again.
type refused struct{ error }

func (r *registry) schema(id uint32) (*schema, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, ok := r.schemas[id]
	if ok && (a.err == nil || time.Now().Before(a.until)) {
		return a.schema, a.err
	}
	s, err := r.fetch(fmt.Sprintf("/schemas/ids/%d", id), &parser{names: map[string]*schema{}, fetched: map[string]bool{}}, 0)
	if err != nil {
		err = fmt.Errorf("schema registry: schema %d: %w", id, err)
	}
	if r.schemas == nil {
		r.schemas = map[uint32]answer{}
	}
	if final := (refused{}); err == nil || errors.As(err, &final) {
		r.schemas[id] = answer{s, err, time.Now().Add(missFor)}
	}
	return s, err
}

// fetch reads a schema, and before it those it refers to.
func (r *registry) fetch(path string, p *parser, depth int) (*schema, error) {
	if depth > maxDepth {
		return nil, refused{errDepth}
	}
	var answer struct {
		Schema     string `json:"schema"`
		Type       string `json:"schemaType"`
		References []struct {
			Subject string `json:"subject"`
			Version int    `json:"version"`
		} `json:"references"`
	}
	if err := r.call("GET", path, nil, &answer); err != nil {
		return nil, err
	}
	if answer.Type != "" && answer.Type != "AVRO" {
		return nil, refused{fmt.Errorf("it is a %s schema", answer.Type)}
	}
	for _, x := range answer.References {
		at := fmt.Sprintf("/subjects/%s/versions/%d", url.PathEscape(x.Subject), x.Version)
		if p.fetched[at] {
			continue // several refer to it
		}
		p.fetched[at] = true
		if _, err := r.fetch(at, p, depth+1); err != nil {
			return nil, fmt.Errorf("subject %s: %w", x.Subject, err)
		}
	}
	s, err := p.parse([]byte(answer.Schema))
	if err != nil {
		return nil, refused{err}
	}
	return s, nil
}

// client makes the client when it is first needed: files of certificates are
// read when a table is used.
func (r *registry) client() (*http.Client, error) {
	if r.http != nil {
		return r.http, nil
	}
	c := &http.Client{Timeout: 10 * time.Second}
	if r.o.Truststore != "" || r.o.Keystore != "" {
		t := &tls.Config{MinVersion: tls.VersionTLS12}
		if r.o.Truststore != "" {
			raw, err := os.ReadFile(r.o.Truststore)
			if err != nil {
				return nil, fmt.Errorf("ssl.truststore.location: %w", err)
			}
			if t.RootCAs = x509.NewCertPool(); !t.RootCAs.AppendCertsFromPEM(raw) {
				return nil, errors.New("ssl.truststore.location: there is no certificate in PEM in it; stores of Java must be converted")
			}
		}
		if r.o.Keystore != "" {
			cert, err := tls.LoadX509KeyPair(r.o.Keystore, r.o.Keystore)
			if err != nil {
				return nil, fmt.Errorf("ssl.keystore.location: %w; stores of Java must be converted to PEM", err)
			}
			t.Certificates = []tls.Certificate{cert}
		}
		c.Transport = &http.Transport{TLSClientConfig: t, Proxy: http.ProxyFromEnvironment}
	}
	r.http = c
	return c, nil
}

func (r *registry) register(subject, text string) (uint32, error) {
	var answer struct {
		ID uint32 `json:"id"`
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.call("POST", "/subjects/"+url.PathEscape(subject)+"/versions", map[string]string{"schema": text}, &answer)
	if err != nil {
		return 0, fmt.Errorf("schema registry: subject %s: %w", subject, err)
	}
	return answer.ID, nil
}

// tries is how often a registry is asked that does not answer.
const tries = 5

// call makes a request, again if the registry is not there or fails.
func (r *registry) call(method, path string, body, answer any) error {
	wait := r.wait
	var err error
	for n := range tries {
		if n > 0 {
			time.Sleep(wait)
			wait *= 2
		}
		var again bool
		if again, err = r.try(method, path, body, answer); !again {
			return err
		}
	}
	return err
}

func (r *registry) try(method, path string, body, answer any) (again bool, err error) {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return false, err
		}
		in = stdbytes.NewReader(raw)
	}
	u := *r.base
	user := u.User
	u.User = nil
	req, err := http.NewRequestWithContext(context.Background(), method, strings.TrimSuffix(u.String(), "/")+path, in)
	if err != nil {
		return false, err
	}
	req.Header.Set("Accept", "application/vnd.schemaregistry.v1+json")
	req.Header.Set("Content-Type", "application/vnd.schemaregistry.v1+json")
	switch {
	case r.o.BearerToken != "":
		req.Header.Set("Authorization", "Bearer "+r.o.BearerToken)
	case r.o.BasicSource == "USER_INFO":
		name, password, _ := strings.Cut(r.o.UserInfo, ":")
		req.SetBasicAuth(name, password)
	case r.o.BasicSource == "URL" && user != nil:
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	client, err := r.client()
	if err != nil {
		return false, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return true, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return true, err
	}
	if resp.StatusCode != http.StatusOK {
		var why struct {
			Message string `json:"message"`
		}
		err := errors.New(resp.Status)
		if json.Unmarshal(raw, &why) == nil && why.Message != "" {
			err = fmt.Errorf("%s: %s", resp.Status, why.Message)
		}
		if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
			return true, err
		}
		return false, refused{err}
	}
	return false, json.Unmarshal(raw, answer)
}

var _ format.Format = (*confluent)(nil)
