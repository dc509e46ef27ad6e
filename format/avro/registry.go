package avro

import (
	stdbytes "bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/runnelio/runnel/format"
)

// Confluent is the format avro-confluent.
var Confluent = format.Define("avro-confluent", "Avro messages with the id of a schema in a registry.", func(o *registryOptions) (format.Format, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("url: %q is no address of a schema registry", o.URL)
	}
	if o.BasicSource == "USER_INFO" && o.UserInfo == "" {
		return nil, errors.New("basic-auth.credentials-source USER_INFO needs basic-auth.user-info")
	}
	return &confluent{o: o, reg: &registry{o: o, base: u, http: &http.Client{Timeout: 10 * time.Second}, wait: 200 * time.Millisecond}}, nil
})

type registryOptions struct {
	URL         string `opt:"url,required" doc:"Address of the schema registry, such as http://host:8081."`
	Subject     string `opt:"subject" doc:"Subject under which the schema of written messages is registered. Needed to write."`
	Schema      string `opt:"schema" doc:"The schema, as JSON, that the table's columns are said to have; it is checked against them when the table is read or written. Not given: that of the columns."`
	BasicSource string `opt:"basic-auth.credentials-source" default:"NONE" enum:"NONE,USER_INFO,URL" doc:"Where user and password are: in basic-auth.user-info or in the url."`
	UserInfo    string `opt:"basic-auth.user-info" doc:"User and password with a colon between them."`
	BearerToken string `opt:"bearer-auth.token" doc:"Token sent with every request."`
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

// NewDecoder implements format.Format.
func (c *confluent) NewDecoder(d format.Decoding) (format.Decoder, error) {
	if err := c.check(d); err != nil {
		return nil, err
	}
	plans := map[uint32]*plan{}
	return newDecoder(d, func(rec []byte) (*plan, int, error) {
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
	}), nil
}

// NewEncoder implements format.Format. The schema is registered with the first row.
func (c *confluent) NewEncoder(e format.Encoding) (format.Encoder, error) {
	if c.o.Subject == "" {
		return nil, errors.New("subject is needed to write")
	}
	text, err := tableSchema(e.Schema)
	if err != nil {
		return nil, err
	}
	var prefix []byte
	return &messages{encoder: encoder{e.Schema.Fields}, prefix: func() ([]byte, error) {
		if prefix == nil {
			id, err := c.reg.register(c.o.Subject, text)
			if err != nil {
				return nil, err
			}
			prefix = binary.BigEndian.AppendUint32([]byte{0}, id)
		}
		return prefix, nil
	}}, nil
}

// registry is the client of a schema registry. Schemas never change, so they are
// kept. It may be used by several goroutines.
type registry struct {
	o    *registryOptions
	base *url.URL
	http *http.Client
	wait time.Duration // before the second try; then twice as long each

	mu      sync.Mutex
	schemas map[uint32]*schema
}

func (r *registry) schema(id uint32) (*schema, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.schemas[id]; s != nil {
		return s, nil
	}
	var answer struct {
		Schema string `json:"schema"`
		Type   string `json:"schemaType"`
	}
	if err := r.call("GET", fmt.Sprintf("/schemas/ids/%d", id), nil, &answer); err != nil {
		return nil, fmt.Errorf("schema registry: schema %d: %w", id, err)
	}
	if answer.Type != "" && answer.Type != "AVRO" {
		return nil, fmt.Errorf("schema registry: schema %d is a %s schema", id, answer.Type)
	}
	s, err := parseSchema([]byte(answer.Schema))
	if err != nil {
		return nil, fmt.Errorf("schema registry: %d: %w", id, err)
	}
	if r.schemas == nil {
		r.schemas = map[uint32]*schema{}
	}
	r.schemas[id] = s
	return s, nil
}

func (r *registry) register(subject, text string) (uint32, error) {
	var answer struct {
		ID uint32 `json:"id"`
	}
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
	resp, err := r.http.Do(req)
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
		if json.Unmarshal(raw, &why) == nil && why.Message != "" {
			return resp.StatusCode >= 500, fmt.Errorf("%s: %s", resp.Status, why.Message)
		}
		return resp.StatusCode >= 500, errors.New(resp.Status)
	}
	return false, json.Unmarshal(raw, answer)
}

var _ format.Format = (*confluent)(nil)
