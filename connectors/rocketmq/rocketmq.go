// Package rocketmq reads from and writes to topics of RocketMQ, 4.x and 5.x.
//
// A queue is a split, its position the offset of the next message, so a source
// can go on at any message (source.go, reader.go, start.go). Queues are either
// all this process's, or shared by the members of a consumer group.
// Offsets are committed to the broker only when a checkpoint has them.
//
// A sink sends the rows of a batch in one request a queue (sink.go), or, where
// they are to arrive once, keeps them until the checkpoint that has them is
// committed and numbers them (outbox.go), so that a reader can drop what comes
// twice (dedupe.go). text.go is the reading of bodies that are no JSON.
//
// The protocol is package remoting.
package rocketmq

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/runnelio/runnel/connector"
	"github.com/runnelio/runnel/connectors/rocketmq/remoting"
	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/format/json"
	"github.com/runnelio/runnel/option"
	"github.com/runnelio/runnel/types"
)

// Connector is the connector.
var Connector = connector.Define("rocketmq", "Topics of RocketMQ.", connector.Spec[options]{
	Source:        newSource,
	Sink:          newSink,
	Check:         (*options).check,
	DefaultFormat: defaultFormat,
	Metadata:      metadataKeys,
})

var metadataKeys = []types.Field{
	{Name: "topic", Type: types.String().NotNull()},
	{Name: "broker", Type: types.String().NotNull()},
	{Name: "queue-id", Type: types.Of(types.Int).NotNull()},
	{Name: "offset", Type: types.Of(types.BigInt).NotNull()},
	{Name: "keys", Type: types.String()},
	{Name: "tags", Type: types.String()},
	{Name: "properties", Type: types.MapOf(types.String().NotNull(), types.String()).NotNull()},
	{Name: "born-time", Type: types.TimestampLTZOf(3).NotNull()},
	{Name: "store-time", Type: types.TimestampLTZOf(3).NotNull()},
	{Name: "message-id", Type: types.String()},
	{Name: "reconsume-times", Type: types.Of(types.Int).NotNull()},
}

type options struct {
	Topic      string `opt:"topic,required" doc:"Topic; a source may name several, separated by semicolons."`
	NameServer string `opt:"nameServerAddress,required,alias=namesrvAddr,alias=name-server.address" doc:"Name servers, host:port separated by semicolons."`
	Namespace  string `opt:"namespace" doc:"Namespace of topics and groups."`

	AccessKey     string        `opt:"accessKey,alias=access-key" doc:"Access key; every request is signed."`
	SecretKey     string        `opt:"secretKey,alias=secret-key" doc:"Secret key."`
	SecurityToken string        `opt:"securityToken,alias=security-token" doc:"Token of temporary keys."`
	TLS           bool          `opt:"tls.enable" default:"false" doc:"Connect by TLS and verify the servers' certificates."`
	TLSCA         string        `opt:"tls.ca-file" doc:"PEM file of the authorities that may have signed them; the system's if not given."`
	TLSName       string        `opt:"tls.server-name" doc:"Name the certificates must have; the address's if not given."`
	TLSNoVerify   bool          `opt:"tls.insecure-skip-verify" default:"false" doc:"Take any certificate: for tests only."`
	JSONHeader    bool          `opt:"client.json-header" default:"false" doc:"Write headers as JSON, for servers before 3.5 and some proxies."`
	Timeout       time.Duration `opt:"client.timeout" default:"10 s" min:"100 ms" doc:"How long a request may take."`

	Group      string        `opt:"consumerGroup,alias=consumer-group,alias=groupName,alias=group" default:"runnel" doc:"Consumer group: whose offsets are committed, and who shares the queues under 'scan.assignment' = 'group'."`
	Assignment string        `opt:"scan.assignment" default:"static" enum:"static,group" doc:"static: this process reads all queues. group: the members of the consumer group share them."`
	Tag        string        `opt:"tag,alias=tags" default:"*" doc:"A source reads only messages with one of these tags, a || b; * reads all. A sink gives its messages this tag."`
	SQL        string        `opt:"sql" doc:"A source reads only messages whose properties meet this SQL92 condition; the broker needs enablePropertyFilter."`
	Startup    string        `opt:"scan.startup.mode,alias=scanStartupMode" default:"group-offsets" enum:"earliest-offset,earliest,latest-offset,latest,group-offsets,timestamp,specific-offsets" doc:"Where reading begins, when there is no checkpoint to go on from."`
	Reset      string        `opt:"scan.startup.reset" default:"earliest" enum:"earliest,latest" doc:"Where it begins under group-offsets in a queue for which the group has none."`
	StartMs    *int64        `opt:"scan.startup.timestamp-millis,alias=startTimeMs,alias=offsetFromTimestamp" min:"0" doc:"Time for 'timestamp', in ms since 1970. Given without a mode it chooses timestamp."`
	StartTime  string        `opt:"startTime" doc:"The same as yyyy-MM-dd HH:mm:ss in timeZone."`
	StartAt    *int64        `opt:"startMessageOffset" min:"0" doc:"Offset at which reading begins in every queue."`
	Specific   string        `opt:"scan.startup.specific-offsets" doc:"Offsets for 'specific-offsets': queue:0,offset:42;queue:1,offset:7, with broker:name in front where there are several. Other queues begin as under group-offsets."`
	Bounded    string        `opt:"scan.bounded.mode" default:"unbounded" enum:"unbounded,latest-offset,timestamp,specific-offsets" doc:"Where reading ends."`
	EndMs      *int64        `opt:"scan.bounded.timestamp-millis" min:"0" doc:"Time for it, in ms since 1970: messages stored before it are read."`
	EndTime    string        `opt:"endTime" doc:"The same as yyyy-MM-dd HH:mm:ss in timeZone; given without a mode it chooses timestamp."`
	EndOffsets string        `opt:"scan.bounded.specific-offsets" doc:"Offsets for it, as for the start; each is the first that is not read."`
	Zone       string        `opt:"timeZone" doc:"Zone of startTime and endTime; the session's if not given."`
	Discovery  time.Duration `opt:"scan.topic-partition-discovery.interval" default:"30 s" doc:"How often new queues are looked for; 0 for never."`
	DiscoverMs *int64        `opt:"partitionDiscoveryIntervalMs" min:"0" doc:"The same in ms."`
	PullBatch  int           `opt:"scan.pull.batch-size,alias=pull.batch-size" default:"1024" min:"1" max:"4096" doc:"Messages asked for at a time; brokers give 32 at most unless configured otherwise."`
	PullWait   time.Duration `opt:"scan.pull.wait" default:"15 s" min:"1 ms" max:"60 s" doc:"How long a broker holds a request until a message comes."`
	MaxRecord  option.Memory `opt:"max-record-size" default:"64 mb" min:"1 b" max:"1 gb" doc:"Longer bodies are treated as on-error says, with their first bytes."`
	Dedupe     bool          `opt:"scan.deduplicate" default:"true" doc:"Drop messages of our exactly-once sinks that were sent again after a failure."`
	JSONData   bool          `opt:"isJsonData" default:"true" doc:"Without 'format': bodies are JSON; otherwise they are text, cut at fieldDelimiter into the columns, or one column whole."`
	JSONArray  bool          `opt:"msgIsJsonArray" default:"false" doc:"Without 'format': a body is a JSON array of rows. The json format takes objects and arrays either way."`
	Delimiter  string        `opt:"fieldDelimiter" doc:"Regular expression between the fields of a text body."`

	Producer   string        `opt:"producerGroup,alias=producer-group" default:"runnel" doc:"Producer group."`
	KeyColumns string        `opt:"keyColumns,alias=sink.key-columns" doc:"Columns whose values are the message's keys, separated by commas; they also choose the queue."`
	KeysInBody bool          `opt:"writeKeysToBody" default:"true" doc:"Whether the key columns are in the body too."`
	TagColumn  string        `opt:"dynamicTagColumn,alias=sink.tag-column" doc:"Column whose value is the message's tag."`
	DynamicTag bool          `opt:"isDynamicTag" default:"false" doc:"Says that dynamicTagColumn is used; need not be given."`
	TagInBody  bool          `opt:"dynamicTagColumnWriteIncluded" default:"true" doc:"Whether that column is in the body too."`
	HashBy     string        `opt:"sink.queue-key" doc:"Columns whose hash chooses the queue, separated by commas; the key columns, else the primary key, if not given."`
	Partition  string        `opt:"sink.partitioner" default:"default" enum:"default,hash,round-robin,fixed" doc:"How queues are chosen: by hash of sink.queue-key; in turn, a batch each; one for each parallel writer. default is hash where there are such columns, else round-robin."`
	Delay      time.Duration `opt:"sink.delay" default:"0 s" max:"72 h" doc:"Messages are delivered this much later (5.x)."`
	DelayLevel int           `opt:"sink.delay-level" default:"0" min:"0" max:"18" doc:"Messages are delivered later by one of the broker's 18 delays."`
	BatchBytes option.Memory `opt:"sink.batch-bytes" default:"1 mb" min:"1 kb" max:"4 mb" doc:"Size of a request; the broker takes 4 MB unless configured otherwise."`
	MaxMessage option.Memory `opt:"sink.max-message-bytes" default:"4 mb" min:"1 kb" max:"60 mb" doc:"Largest message the broker takes (its maxMessageSize); a larger row is an error."`
	Retries    int           `opt:"retryTimes,alias=sink.retries" default:"30" min:"0" max:"1000" doc:"How often a request is sent again while the broker is busy or away: 30 times take about 80 s."`
	Guarantee  string        `opt:"sink.delivery-guarantee" default:"at-least-once" enum:"none,at-least-once,exactly-once" doc:"none does not wait for the broker. at-least-once sends at once. exactly-once sends when the checkpoint with the rows is committed, with ids by which readers drop repetitions."`
}

func (o *options) check() error {
	if len(remoting.ParseNameServers(o.NameServer)) == 0 {
		return option.Errorf("nameServerAddress", "names no server")
	}
	if (o.AccessKey == "") != (o.SecretKey == "") {
		return option.Errorf("secretKey", "accessKey and secretKey go together")
	}
	if o.SQL != "" && len(remoting.ParseTags(o.Tag)) > 0 {
		return option.Errorf("sql", "cannot be used together with 'tag'; write TAGS = '…' in the condition")
	}
	if o.Delay > 0 && o.DelayLevel > 0 {
		return option.Errorf("sink.delay-level", "cannot be used together with 'sink.delay'")
	}
	if o.DynamicTag && o.TagColumn == "" {
		return option.Errorf("dynamicTagColumn", "required with 'isDynamicTag' = 'true'")
	}
	if o.Bounded == "timestamp" && o.EndMs == nil && o.EndTime == "" {
		return option.Errorf("scan.bounded.timestamp-millis", "required with 'scan.bounded.mode' = 'timestamp'")
	}
	if o.Assignment == "group" && (o.Bounded != "unbounded" || o.EndTime != "") {
		return option.Errorf("scan.assignment", "'group' has no end: queues come and go. Bounded reading needs 'static'")
	}
	if o.JSONArray && !o.JSONData {
		return option.Errorf("msgIsJsonArray", "needs 'isJsonData' = 'true'")
	}
	if _, err := parseOffsets(o.Specific); err != nil {
		return option.Errorf("scan.startup.specific-offsets", "%v", err)
	}
	if _, err := parseOffsets(o.EndOffsets); err != nil {
		return option.Errorf("scan.bounded.specific-offsets", "%v", err)
	}
	if o.Startup == "specific-offsets" && o.Specific == "" && o.StartAt == nil {
		return option.Errorf("scan.startup.specific-offsets", "required with 'scan.startup.mode' = 'specific-offsets'")
	}
	if o.Startup == "timestamp" && o.StartMs == nil && o.StartTime == "" {
		return option.Errorf("scan.startup.timestamp-millis", "required with 'scan.startup.mode' = 'timestamp'")
	}
	if o.Bounded == "specific-offsets" && o.EndOffsets == "" {
		return option.Errorf("scan.bounded.specific-offsets", "required with 'scan.bounded.mode' = 'specific-offsets'")
	}
	_, err := o.tls()
	return err
}

// tls returns the configuration of TLS, nil if the connection is a plain one.
func (o *options) tls() (*tls.Config, error) {
	if !o.TLS {
		if o.TLSCA != "" || o.TLSName != "" || o.TLSNoVerify {
			return nil, option.Errorf("tls.enable", "must be true for the other options of TLS to matter")
		}
		return nil, nil
	}
	c := &tls.Config{ServerName: o.TLSName, InsecureSkipVerify: o.TLSNoVerify, MinVersion: tls.VersionTLS12}
	if o.TLSCA != "" {
		pem, err := os.ReadFile(o.TLSCA)
		if err != nil {
			return nil, option.Errorf("tls.ca-file", "%v", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, option.Errorf("tls.ca-file", "holds no certificate")
		}
	}
	return c, nil
}

// client connects nowhere yet.
func (o *options) client(log *slog.Logger) (*remoting.Client, error) {
	conf, err := o.tls()
	if err != nil {
		return nil, err
	}
	return remoting.New(remoting.Config{NameServers: remoting.ParseNameServers(o.NameServer), Namespace: o.Namespace,
		AccessKey: o.AccessKey, SecretKey: o.SecretKey, SecurityToken: o.SecurityToken, TLS: conf, JSONHeader: o.JSONHeader,
		Timeout: o.Timeout, Attempts: o.Retries + 1, Log: log})
}

// logger returns the engine's logger for a table.
func logger(cx *connector.Context, t *connector.Table) *slog.Logger {
	if cx.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return cx.Log.With("connector", "rocketmq", "table", t.Name)
}

func (o *options) topics() []string {
	var out []string
	for f := range strings.FieldsFuncSeq(o.Topic, func(r rune) bool { return r == ';' || r == ',' }) {
		if f = strings.TrimSpace(f); f != "" {
			out = append(out, f)
		}
	}
	return out
}

// defaultFormat is the reading of bodies without 'format'.
func defaultFormat(o *options) (string, format.Format, error) {
	if o.JSONData {
		f, err := json.Format.New(nil)
		return "json", f, err
	}
	f, err := newText(o.Delimiter)
	if err != nil {
		return "", nil, option.Errorf("fieldDelimiter", "%v", err)
	}
	return "text", f, nil
}

// wrap adds to an error what the engine is to do about it.
func wrap(err error) error {
	var e *remoting.Error
	if errors.As(err, &e) && e.Throttled() {
		return fmt.Errorf("%w: %w", connector.ErrThrottled, err)
	}
	if e != nil && e.Code == remoting.MessageIllegal {
		return fmt.Errorf("%w: %w", connector.ErrRejected, err)
	}
	return err
}
