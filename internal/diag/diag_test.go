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
	for _, c := range []struct{ name, want string }{
		{"pric", "price"}, {"PRICE", "price"}, {"itme", "item"}, {"zzz", ""}, {"x", ""}, {"pirce", "price"},
	} {
		if got := Nearest(c.name, []string{"price", "item", "customer"}); got != c.want {
			t.Errorf("Nearest(%q) = %q, want %q", c.name, got, c.want)
		}
	}
}
