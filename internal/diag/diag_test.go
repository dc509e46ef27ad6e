package diag

import (
	"errors"
	"fmt"
	"testing"
)

func TestRenderShowsLineAndCaret(t *testing.T) {
	src := "SELECT\n\tpric FROM orders"
	err := At(Span{Start: 8, End: 12, Line: 2, Col: 2}, UnknownColumn, "no column %s in %s", "pric", "orders").DidYouMean("pric", []string{"price", "id"})
	got := Render(WithSource(err, src))
	want := "2:2: no column pric in orders (unknown-column)\n  \tpric FROM orders\n  \t^~~~ did you mean price?"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := Render(fmt.Errorf("file.sql: %w", error(err))); got != "file.sql: "+want {
		t.Errorf("wrapped: %s", got)
	}
}

func TestListKeepsTheOrderOfTheText(t *testing.T) {
	var l List
	l.Add(At(Span{Start: 9, Line: 1, Col: 10}, Syntax, "second"))
	l.Add(At(Span{Start: 1, Line: 1, Col: 2}, Syntax, "first"))
	l.Add(nil)
	err := l.Err()
	if got := err.Error(); got != "1:2: first (syntax)\n1:10: second (syntax)" {
		t.Error(got)
	}
	if CodeOf(err) != Syntax || CodeOf(errors.New("x")) != "" {
		t.Error("CodeOf")
	}
	if (List{}).Err() != nil {
		t.Error("an empty list is an error")
	}
}

func TestNearest(t *testing.T) {
	goods := []string{"price", "item", "customer", "id", "t", "rows-per-second", "monitor-interval", "source.monitor-interval"}
	for _, c := range []struct {
		name string
		of   []string
		want string
	}{
		// Edits.
		{"pric", goods, "price"}, {"itme", goods, "item"}, {"pirce", goods, "price"}, {"prise", goods, "price"}, {"idd", goods, "id"},
		{"custmoer", goods, "customer"}, {"custommers", goods, "customer"}, {"cstmr", goods, ""},
		{"jsn", []string{"json", "csv", "raw"}, "json"}, {"nme", []string{"id", "name"}, "name"}, {"UPER", []string{"LOWER", "UPPER"}, "UPPER"},
		// Case.
		{"PRICE", goods, "price"}, {"Id", goods, "id"},
		// Short names that have little in common.
		{"zzz", goods, ""}, {"x", goods, ""}, {"tt", goods, ""}, {"di", goods, "id"}, {"ab", []string{"cd", "a", "b"}, ""}, {"csv", []string{"raw", "json"}, ""},
		{"pth", []string{"url", "key"}, ""}, {"date", []string{"rate", "data", "name"}, "rate"}, {"host", []string{"port", "cost"}, "cost"},
		{"ip", []string{"id", "op", "it"}, ""}, {"user", []string{"time", "size"}, ""}, {"file", []string{"size", "type"}, ""},
		// Longer names that differ in more than two letters, or a third.
		{"connection", []string{"collection"}, "collection"}, {"connector", []string{"collection"}, ""}, {"window", []string{"winter"}, ""}, {"avg_x", []string{"sum_y"}, ""},
		// Words in another order, or with other signs between them.
		{"interval-monitor", goods, "monitor-interval"}, {"rows_per_second", goods, "rows-per-second"}, {"second.rows.per", goods, "rows-per-second"},
		{"user_id", []string{"id_user", "user"}, "id_user"},
		// One starts with the other.
		{"cust", goods, "customer"}, {"cus", goods, ""}, {"customer_id", goods, "customer"}, {"timestam", []string{"timestamp_ltz", "time"}, "timestamp_ltz"},
		{"order", []string{"orders_eu", "orders_us"}, ""}, {"eventtime", []string{"event", "ev"}, "event"},
		{"", goods, ""}, {"price", []string{"price"}, ""}, {"größe", []string{"grösse", "große"}, "große"},
	} {
		if got := Nearest(c.name, c.of); got != c.want {
			t.Errorf("Nearest(%q, %q) = %q, want %q", c.name, c.of, got, c.want)
		}
	}
}
