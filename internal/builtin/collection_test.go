package builtin_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/runnelio/runnel/internal/builtin"
)

// TestArrayFunctionsAgreeWithSlices compares the functions of sets and orders
// with plain code over random arrays, short and long.
func TestArrayFunctionsAgreeWithSlices(t *testing.T) {
	t.Parallel()
	const null = "CAST(NULL AS INT)"
	r := rand.New(rand.NewPCG(7, 8))
	set, cx := builtin.All(), newContext(t, "")
	random := func() []string { // numbers and NULL as SQL writes them
		l := make([]string, 1+r.IntN(60))
		span := 1 + r.IntN(50)
		for i := range l {
			if l[i] = strconv.Itoa(r.IntN(span)); r.IntN(12) == 0 {
				l[i] = null
			}
		}
		return l
	}
	text := func(l []string) string {
		return "[" + strings.ReplaceAll(strings.Join(l, ", "), null, "NULL") + "]"
	}
	unique := func(l []string, keep func(string) bool) (out []string) {
		for _, x := range l {
			if keep(x) && !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
		return out
	}
	all := func(string) bool { return true }
	for range 100 {
		a, b := random(), random()
		array := func(l []string) string { return "ARRAY[" + strings.Join(l, ", ") + "]" }
		both := array(a) + ", " + array(b)
		except := unique(a, func(x string) bool { return !slices.Contains(b, x) })
		if i := slices.Index(except, null); i >= 0 {
			except = append(slices.Delete(except, i, i+1), null)
		}
		sorted := slices.Clone(a)
		slices.SortStableFunc(sorted, func(x, y string) int {
			n, err := strconv.Atoi(x)
			m, err2 := strconv.Atoi(y)
			switch {
			case err != nil && err2 != nil:
				return 0
			case err != nil:
				return -1
			case err2 != nil:
				return 1
			}
			return n - m
		})
		back := slices.Clone(a)
		slices.Reverse(back)
		for expr, want := range map[string][]string{
			"ARRAY_DISTINCT(" + array(a) + ")":                  unique(a, all),
			"ARRAY_UNION(" + both + ")":                         unique(slices.Concat(a, b), all),
			"ARRAY_INTERSECT(" + both + ")":                     unique(a, func(x string) bool { return slices.Contains(b, x) }),
			"ARRAY_EXCEPT(" + both + ")":                        except,
			"ARRAY_CONCAT(" + both + ")":                        slices.Concat(a, b),
			"ARRAY_SORT(" + array(a) + ")":                      sorted,
			"ARRAY_REVERSE(" + array(a) + ")":                   back,
			"ARRAY_SLICE(" + array(a) + ", 2)":                  a[1:],
			fmt.Sprintf("ARRAY_REMOVE(%s, %s)", array(a), a[0]): slices.DeleteFunc(slices.Clone(a), func(x string) bool { return x == a[0] }),
		} {
			_, got, err := evalExpr(set, cx, expr)
			if err != nil || got == nil || *got != text(want) {
				t.Fatalf("%s: %s %v, want %s", expr, show(got), err, text(want))
			}
		}
	}
}

// TestNullsAndBadValues are cases that the recorded answers do not have.
func TestNullsAndBadValues(t *testing.T) {
	t.Parallel()
	set := builtin.All()
	f := func(expr, want string) {
		t.Helper()
		_, got, err := evalExpr(set, newContext(t, ""), expr)
		text := show(got)
		if err != nil {
			text = "error"
			if strings.HasPrefix(err.Error(), "PANIC") {
				text = err.Error()
			}
		}
		if text != want {
			t.Errorf("%s: %s (%v), want %s", expr, text, err, want)
		}
	}
	f("MAP_FROM_ARRAYS(ARRAY['a'], ARRAY[1, 2])", "error")
	f("ARRAY_JOIN(ARRAY['a', NULL], ',', 'x')", "'a,x'")
	f("ARRAY_MAX(ARRAY[CAST(NULL AS INT)])", "NULL")
	f("ELEMENT(ARRAY[CAST(NULL AS INT)])", "NULL")
	f("CARDINALITY(MAP_UNION(MAP[1, 'a'], MAP[1, 'b', 2, 'c']))", "'2'")
	f("BITMAP_FROM_BYTES(x'00')", "error")
	f("PARSE_JSON('[1, {\"b\": 1e2, \"a\": -0.50}]')", `'[1,{"a":-0.5,"b":100.0}]'`)
	f("PARSE_JSON('{\"a\":{\"b\":[5]}}')['a']['b'][1]", "'5'")
	f("PARSE_JSON('[5]')[2]", "NULL")
	f("PARSE_JSON('{\"a\":1,\"a\":2}', TRUE)", `'{"a":2}'`)
	f("JSON_QUERY('{\"a\": [1, \"x\", null, {\"b\": 2}]}', '$.a' RETURNING ARRAY<STRING>)", `'[1, x, NULL, {"b":2}]'`)
	f("JSON_QUERY('{\"a\": 1}', 'lax $.a' EMPTY ARRAY ON EMPTY)", "'[]'")
	f("JSON_QUERY('{\"a\": 1}', 'lax $.b' ERROR ON EMPTY)", "error")
	f("JSON_VALUE('{\"a\": 1}', 'lax $.b' DEFAULT 'd' ON EMPTY)", "'d'")
	f("JSON_VALUE('{\"a\": 1}', '$[' DEFAULT 'd' ON ERROR)", "'d'")
	f("JSON_VALUE('{\"a\": \"x\"}', '$.a' RETURNING INT DEFAULT 7 ON ERROR)", "'7'")
	f("JSON_VALUE('{\"a\": 5000000000}', '$.a' RETURNING BIGINT)", "'5000000000'")
	f("JSON_VALUE('{\"a\": 1.005}', '$.a' RETURNING DECIMAL(5, 2))", "'1.01'")
	f("JSON_OBJECT('m' VALUE MAP['z', 1, 'a', 2], 'b' VALUE x'0102', 'd' VALUE DATE '2024-01-01')", `'{"b":"AQI=","d":"2024-01-01","m":{"a":2,"z":1}}'`)
	f("JSON_ARRAY(JSON('{\"b\": 1, \"a\": 2}'))", `'[{"a":2,"b":1}]'`)
	f("JSON_OBJECT('a' VALUE JSON('bad'))", "error")
	f("TO_TIMESTAMP('2024-02-29', 'bogus')", "error")
	f("DATE_FORMAT(TIMESTAMP '2024-02-29 00:00:00', '''x')", "error")
	f("TO_TIMESTAMP_LTZ(1, 10)", "error")
	f("TO_TIMESTAMP_LTZ(9000000000000, 0)", "NULL")
	f("TO_TIMESTAMP_LTZ('2024-01-01', 'yyyy-MM-dd', 'no zone')", "error")
	f("EXTRACT(HOUR FROM TIMESTAMP '1969-12-31 23:59:59')", "'23'")
	f("FLOOR(TIMESTAMP '1969-12-31 23:59:59' TO YEAR)", "'1969-01-01 00:00:00'")
	f("CEIL(TIMESTAMP '2024-01-01 00:00:00.001' TO SECOND)", "'2024-01-01 00:00:01.000'")
	f("EXTRACT(NOSUCH FROM DATE '2024-01-01')", "error")
	f("FROM_UNIXTIME(9223372036854775807)", "error")
	f("TIMESTAMPADD(YEAR, 9223372036854775807, DATE '2024-01-01')", "error")
	f("TIMESTAMPADD(WEEK, 2147483647, DATE '2024-01-01')", "error")
	f("OBJECT_UPDATE(OBJECT_OF('a.B', 'x', 1), 'y', 2)", "error")
}
