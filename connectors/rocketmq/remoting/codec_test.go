package remoting

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

func TestHeaderRoundTrip(t *testing.T) {
	t.Parallel()
	for _, kind := range []byte{headerJSON, headerBinary} {
		in := command{code: 310, opaque: 77, flag: 1, remark: "why \"not\"", body: []byte("body")}
		in.add("a", "group")
		in.add("empty", "")
		in.addInt("e", -3)
		frame := in.append(nil, kind)
		if int(binary.BigEndian.Uint32(frame)) != len(frame)-4 {
			t.Fatalf("kind %d: length field %d of a frame of %d", kind, binary.BigEndian.Uint32(frame), len(frame))
		}
		n := binary.BigEndian.Uint32(frame[4:]) & 0xffffff
		var out command
		if err := out.parseHeader(frame[4], frame[8:8+n]); err != nil {
			t.Fatal(err)
		}
		if out.code != in.code || out.opaque != in.opaque || out.flag != in.flag || out.remark != in.remark {
			t.Errorf("kind %d: got %+v, want %+v", kind, out, in)
		}
		if !slices.Equal(out.fields, []field{{"a", "group"}, {"e", "-3"}}) {
			t.Errorf("kind %d: fields %v", kind, out.fields)
		}
		if string(frame[8+n:]) != "body" {
			t.Errorf("kind %d: body %q", kind, frame[8+n:])
		}
	}
}

func TestJSONHeaderWithBareValues(t *testing.T) {
	t.Parallel()
	var c command
	err := c.parseHeader(headerJSON, []byte(`{"code":0,"opaque":4,"flag":1,"extFields":{"offset":12,"x":null,"b":true,"s":"t"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.getInt("offset"); err != nil || n != 12 {
		t.Errorf("offset %d, %v", n, err)
	}
	if v, _ := c.get("b"); v != "true" {
		t.Errorf("b is %q", v)
	}
}

// TestSignature holds the signature to one computed by hand: HMAC-SHA1 over the
// values in the order of the names, then the body.
func TestSignature(t *testing.T) {
	t.Parallel()
	cfg := Config{AccessKey: "rocketmq", SecretKey: "12345678"}
	c := command{body: []byte("hello")}
	c.add("topic", "t1")
	c.add("queueId", "0")
	cfg.sign(&c)
	got, _ := c.get("Signature")
	// printf 'rocketmq0t1hello' | openssl dgst -sha1 -hmac 12345678 -binary | base64
	const want = "sjAxfKUWkv6/1J6L2fRghZJBG64="
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// encodeMessage is the broker's side of the format, written apart from the decoder.
func encodeMessage(m Message, v2 bool, v6 bool) []byte {
	host := []byte{127, 0, 0, 1, 0, 0, 0x2a, 0x9f}
	if v6 {
		host = append(make([]byte, 15), 1, 0, 0, 0x2a, 0x9f)
		m.SysFlag |= sysBornV6 | sysStoreV6
	}
	b := []byte{0, 0, 0, 0}
	magic := uint32(magicV1)
	if v2 {
		magic = magicV2
	}
	b = binary.BigEndian.AppendUint32(b, magic)
	b = binary.BigEndian.AppendUint32(b, 0xabcdef)
	b = binary.BigEndian.AppendUint32(b, uint32(m.QueueID))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Flag))
	b = binary.BigEndian.AppendUint64(b, uint64(m.Offset))
	b = binary.BigEndian.AppendUint64(b, uint64(m.LogOffset))
	b = binary.BigEndian.AppendUint32(b, uint32(m.SysFlag))
	b = binary.BigEndian.AppendUint64(b, uint64(m.Born))
	b = append(b, host...)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Stored))
	b = append(b, host...)
	b = binary.BigEndian.AppendUint32(b, uint32(m.Reconsume))
	b = binary.BigEndian.AppendUint64(b, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Body)))
	b = append(b, m.Body...)
	if v2 {
		b = binary.BigEndian.AppendUint16(b, uint16(len(m.Topic)))
	} else {
		b = append(b, byte(len(m.Topic)))
	}
	b = append(b, m.Topic...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(m.Properties)))
	b = append(b, m.Properties...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func TestDecodeMessages(t *testing.T) {
	t.Parallel()
	var raw []byte
	var want []Message
	for i := range 8 {
		props := AppendProperty(AppendProperty(nil, "TAGS", "a"), "KEYS", fmt.Sprint("k", i))
		m := Message{Body: fmt.Append(nil, "body ", i), Topic: []byte("orders"), Properties: props, Offset: int64(100 + i), LogOffset: int64(i) << 40,
			Born: 1700000000000 + int64(i), Stored: 1700000000100, QueueID: 3, Flag: int32(i), Reconsume: int32(i)}
		want = append(want, m)
		raw = append(raw, encodeMessage(m, i&1 != 0, i&2 != 0)...)
	}
	var got Messages
	if err := got.decode(raw); err != nil {
		t.Fatal(err)
	}
	if len(got.List) != len(want) {
		t.Fatalf("%d messages", len(got.List))
	}
	for i := range want {
		g, w := &got.List[i], &want[i]
		if !bytes.Equal(g.Body, w.Body) || !bytes.Equal(g.Topic, w.Topic) || !bytes.Equal(g.Properties, w.Properties) || g.Offset != w.Offset ||
			g.LogOffset != w.LogOffset || g.Born != w.Born || g.Stored != w.Stored || g.QueueID != w.QueueID || g.Flag != w.Flag || g.Reconsume != w.Reconsume {
			t.Errorf("message %d: %+v, want %+v", i, g, w)
		}
		if k := string(g.Property("KEYS")); k != fmt.Sprint("k", i) {
			t.Errorf("message %d: keys %q", i, k)
		}
		if g.Property("KEY") != nil || g.Property("") != nil {
			t.Errorf("message %d: found a property it has not", i)
		}
		if i&2 == 0 && g.BornHost().String() != "127.0.0.1:10911" || i&2 != 0 && g.StoreHost().String() != "[::1]:10911" {
			t.Errorf("message %d: hosts %v %v", i, g.BornHost(), g.StoreHost())
		}
	}
	got.keepTags([]string{"b"})
	if len(got.List) != 0 {
		t.Error("messages of another tag kept")
	}
}

// TestDecodeAllocates is not parallel: it counts allocations of the process.
func TestDecodeAllocates(t *testing.T) {
	var raw []byte
	for i := range 32 {
		raw = append(raw, encodeMessage(Message{Body: []byte("body"), Topic: []byte("t"), Offset: int64(i)}, false, false)...)
	}
	var got Messages
	if n := testing.AllocsPerRun(50, func() {
		if err := got.decode(raw); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a run of decode", n)
	}
}

func TestDecodeCompressed(t *testing.T) {
	t.Parallel()
	plain := []byte(strings.Repeat("a line that compresses well; ", 400))
	var zl, l4 bytes.Buffer
	w := zlib.NewWriter(&zl)
	w.Write(plain)
	w.Close()
	lw := lz4.NewWriter(&l4)
	lw.Write(plain)
	lw.Close()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	var raw []byte
	for kind, body := range map[int32][]byte{0: zl.Bytes(), 0x300: zl.Bytes(), sysCompressLZ4: l4.Bytes(), sysCompressZst: enc.EncodeAll(plain, nil)} {
		raw = append(raw, encodeMessage(Message{Body: body, Topic: []byte("t"), SysFlag: sysCompressed | kind}, false, false)...)
	}
	var got Messages
	for range 3 { // memory is used again
		if err := got.decode(raw); err != nil {
			t.Fatal(err)
		}
		if len(got.List) != 4 {
			t.Fatalf("%d messages", len(got.List))
		}
		for i := range got.List {
			if !bytes.Equal(got.List[i].Body, plain) {
				t.Errorf("message %d differs: %d bytes", i, len(got.List[i].Body))
			}
		}
	}
}

func TestDecodeInnerBatch(t *testing.T) {
	t.Parallel()
	var s Set
	s.Add(Outgoing{Body: []byte("one"), Properties: AppendProperty(nil, "KEYS", "1")})
	s.Add(Outgoing{Body: []byte("two"), Flag: 9})
	raw := encodeMessage(Message{Body: s.buf, Topic: []byte("t"), Offset: 40, SysFlag: sysNeedUnwrap | sysInnerBatch}, false, false)
	var got Messages
	if err := got.decode(raw); err != nil {
		t.Fatal(err)
	}
	if len(got.List) != 2 || string(got.List[0].Body) != "one" || string(got.List[1].Body) != "two" || got.List[1].Offset != 41 || got.List[1].Flag != 9 ||
		string(got.List[0].Property("KEYS")) != "1" {
		t.Errorf("%+v", got.List)
	}
}

func TestQuoteKeys(t *testing.T) {
	t.Parallel()
	f := func(in, want string) {
		t.Helper()
		if got := string(quoteKeys([]byte(in))); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	f(`{0:"a",1:"b"}`, `{"0":"a","1":"b"}`)
	f(`{"x":{0:"a:1,2:3"},"y":[1,2]}`, `{"x":{"0":"a:1,2:3"},"y":[1,2]}`)
	f(`{"a":"\"{0:"}`, `{"a":"\"{0:"}`)
	f(`{}`, `{}`)
}

func TestAllocate(t *testing.T) {
	t.Parallel()
	var queues []Queue
	for i := range 10 {
		queues = append(queues, Queue{"t", "b", i})
	}
	for n := 1; n < 14; n++ {
		var members []string
		for i := range n {
			members = append(members, fmt.Sprintf("m%02d", i))
		}
		var all []Queue
		for _, m := range members {
			share := allocate(members, m, queues)
			if len(share) < 10/n || len(share) > 10/n+1 {
				t.Errorf("%d members: %s has %d queues", n, m, len(share))
			}
			all = append(all, share...)
		}
		if !slices.Equal(all, queues) {
			t.Errorf("%d members have %v", n, all)
		}
	}
	if allocate([]string{"a"}, "b", queues) != nil {
		t.Error("a stranger got queues")
	}
}

func TestJavaHash(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int32{"": 0, "TagA": 2598919, "hello world": 1794106052, "日本": 835047} {
		if got := javaHash(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func FuzzDecodeMessages(f *testing.F) {
	f.Add(encodeMessage(Message{Body: []byte("b"), Topic: []byte("t"), Properties: AppendProperty(nil, "K", "v")}, false, false))
	f.Add(encodeMessage(Message{Body: []byte("b"), Topic: []byte("t"), SysFlag: sysCompressed}, true, true))
	var s Set
	s.Add(Outgoing{Body: []byte("one")})
	f.Add(encodeMessage(Message{Body: s.buf, SysFlag: sysNeedUnwrap | sysInnerBatch}, true, true))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m Messages
		if m.decode(raw) != nil {
			return
		}
		for i := range m.List {
			if at := m.List[i].At; at >= 0 && !bytes.HasPrefix(raw[at:], m.List[i].Body) {
				t.Errorf("message %d: body is not at %d", i, at)
			}
			for k := range m.List[i].EachProperty() {
				m.List[i].Property(string(k))
			}
			m.List[i].BornHost()
		}
	})
}

func FuzzHeader(f *testing.F) {
	c := command{code: 1, opaque: 2, remark: "r"}
	c.add("k", "v")
	for _, kind := range []byte{headerJSON, headerBinary} {
		frame := c.append(nil, kind)
		f.Add(kind, frame[8:])
	}
	f.Fuzz(func(t *testing.T, kind byte, h []byte) {
		var c command
		if c.parseHeader(kind, h) == nil {
			again := c.append(nil, headerBinary)
			var d command
			if err := d.parseHeader(headerBinary, again[8:]); err != nil {
				// A name over 64 KB fits JSON only.
				for _, f := range c.fields {
					if len(f.key) > 0xffff {
						return
					}
				}
				t.Fatal(err)
			}
		}
	})
}

func FuzzQuoteKeys(f *testing.F) {
	f.Add([]byte(`{0:"a",1:{"b":"\\"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if json.Valid(b) && !bytes.Equal(quoteKeys(b), b) {
			t.Errorf("valid JSON changed: %s -> %s", b, quoteKeys(b))
		}
	})
}
