package changelog

import (
	"reflect"
	"strings"
	"testing"

	"github.com/runnelio/runnel/format"
	"github.com/runnelio/runnel/types"
)

// tell decodes lines with the columns id and name and what is told under names.
func tell(t *testing.T, spec *format.Spec, opts map[string]string, names []string, lines ...string) []string {
	t.Helper()
	wants := []format.Want{{Column: 0, Type: types.Of(types.Int)}}
	for _, n := range names {
		for _, m := range spec.Metadata {
			if m.Name == n {
				wants = append(wants, format.Want{Column: 2, Meta: n, Type: m.Type})
			}
		}
	}
	if len(wants) != len(names)+1 {
		t.Fatalf("%s does not tell all of %v", spec.Name, names)
	}
	return decodeAll(t, spec, "id INT, name STRING", opts, wants, lines...)
}

func TestTold(t *testing.T) {
	t.Parallel()
	f := func(spec *format.Spec, opts map[string]string, names, line string, want ...string) {
		t.Helper()
		got := tell(t, spec, opts, strings.Fields(names), line)
		if len(want) == 1 && strings.HasPrefix(want[0], "bad") && len(got) == 1 && strings.HasPrefix(got[0], "bad") && strings.Contains(got[0], want[0][4:]) {
			return
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s %s:\n got %q\nwant %q", spec.Name, line, got, want)
		}
	}
	ignore := map[string]string{"ignore-parse-errors": "true"}
	payload := map[string]string{"schema-include": "true"}

	const change = `{"before":{"id":1},"after":{"id":2},"source":{"version":"1.9","name":"p","ts_ms":1589355606100,"db":"inv","schema":"pub","table":"products","pos":154,"row":0,"thread":null},"op":"u","ts_ms":1589355606200}`
	const all = "schema ingestion-timestamp source.timestamp source.database source.schema source.table source.properties"
	about := "|2020-05-13 07:40:06.200|2020-05-13 07:40:06.100|inv|pub|products|{version=1.9, name=p, ts_ms=1589355606100, db=inv, schema=pub, table=products, pos=154, row=0, thread=NULL}]"
	f(Debezium, nil, all, change, "-U[1|NULL"+about, "+U[2|NULL"+about)
	f(Debezium, payload, all, `{"schema":{"type": "struct","optional":false},"payload":`+change+`}`,
		`-U[1|{"type":"struct","optional":false}`+about, `+U[2|{"type":"struct","optional":false}`+about)
	f(Debezium, nil, all, `{"after":{"id":1},"op":"c"}`, "+I[1|NULL|NULL|NULL|NULL|NULL|NULL|NULL]")
	f(Debezium, nil, "source.timestamp", `{"after":{"id":1},"op":"c","source":{"ts_ms":"17"}}`, "+I[1|1970-01-01 00:00:00.017]")
	f(Debezium, nil, "source.timestamp", `{"after":{"id":1},"op":"c","source":{"ts_ms":"x"}}`, `bad source.timestamp`)
	f(Debezium, ignore, "source.timestamp", `{"after":{"id":1},"op":"c","source":{"ts_ms":"x"}}`, "+I[1|NULL]")
	f(Debezium, nil, "source.table", `{"after":{"id":1},"op":"c","source":5}`, `bad 5 is no ROW`)
	f(Debezium, map[string]string{"fail-on-missing-field": "true"}, "source.table", `{"after":{"id":1},"op":"c"}`, "+I[1|NULL]")

	const canal = `{"data":[{"id":"1","name":"a"},{"id":"2","name":"b"}],"old":null,"database":"d","table":"t","es":1589373560000,"ts":1589373561000,"isDdl":false,"mysqlType":{"id":"INTEGER"},"sqlType":{"id":4,"name":12},"pkNames":["id"],"type":"INSERT"}`
	f(Canal, nil, "database table sql-type pk-names ingestion-timestamp event-timestamp", canal,
		"+I[1|d|t|{id=4, name=12}|[id]|2020-05-13 12:39:21.000|2020-05-13 12:39:20.000]", "+I[2|d|t|{id=4, name=12}|[id]|2020-05-13 12:39:21.000|2020-05-13 12:39:20.000]")
	f(Canal, map[string]string{"table.include": "u"}, "table", canal)
	f(Canal, map[string]string{"table.include": "t"}, "table pk-names", canal, "+I[1|t|[id]]", "+I[2|t|[id]]")
	f(Canal, nil, "pk-names", `{"data":[{"id":"1"}],"old":[{"id":"0"}],"pkNames":null,"type":"UPDATE"}`, "-U[0|NULL]", "+U[1|NULL]")

	f(Maxwell, nil, "database table primary-key-columns ingestion-timestamp", `{"database":"d","table":"t","type":"update","ts":1596684904,"primary_key_columns":["id"],"data":{"id":2},"old":{"id":1}}`,
		"-U[1|d|t|[id]|2020-08-06 03:35:04.000]", "+U[2|d|t|[id]|2020-08-06 03:35:04.000]")
	f(Maxwell, nil, "ingestion-timestamp", `{"type":"insert","ts":9223372036854775807,"data":{"id":2}}`, "bad 'ingestion-timestamp' is no time")
	f(Maxwell, ignore, "ingestion-timestamp", `{"type":"insert","ts":9223372036854775807,"data":{"id":2}}`, "+I[2|NULL]")

	f(Ogg, nil, "table primary-keys ingestion-timestamp event-timestamp", `{"table":"D.T","op_type":"I","op_ts":"2020-05-13 15:40:06.000001","current_ts":"2020-05-13T15:40:07.000000","primary_keys":["id","n"],"after":{"id":1}}`,
		"+I[1|D.T|[id, n]|2020-05-13 15:40:07.000000|2020-05-13 15:40:06.000001]")
	f(Ogg, nil, "event-timestamp", `{"op_type":"I","op_ts":"yesterday","after":{"id":1}}`, "bad 'event-timestamp' is no time")
}

// What is told alone is read without the rows' fields, and a name nobody tells is refused.
func TestToldAlone(t *testing.T) {
	t.Parallel()
	for _, spec := range []*format.Spec{Debezium, Ogg, Maxwell, Canal} {
		fm, err := spec.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := fm.(format.Annotated).Metadata(); !reflect.DeepEqual(got, spec.Metadata) || len(got) == 0 {
			t.Errorf("%s tells %v, its kind %v", spec.Name, got, spec.Metadata)
		}
		d := format.Decoding{Schema: schemaOf(t, "id INT"), Wanted: []format.Want{{Column: 1, Meta: "no.such", Type: types.String()}}}
		if _, err := fm.NewDecoder(d); err == nil {
			t.Errorf("%s: metadata that nobody tells is taken", spec.Name)
		}
	}
	wants := []format.Want{{Column: 1, Meta: "table", Type: types.String()}}
	if got := decodeAll(t, Canal, "id INT", nil, wants, `{"data":[{},{}],"table":"t","type":"DELETE"}`); !reflect.DeepEqual(got, []string{"-D[t]", "-D[t]"}) {
		t.Error(got)
	}
}
