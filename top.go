package runnel

import (
	"fmt"
	"strings"
)

// OverWindowStream is a stream of which the first rows are kept, by an order.
type OverWindowStream struct {
	in     *DataStream
	number string
	n      int
	keys   []string
	order  []string
}

// TopN keeps the first n rows of each group, by OrderBy, and gives them their
// number in the column rowNum. The result is updated as rows come.
func (d *DataStream) TopN(rowNum string, n int, groupBy ...string) *OverWindowStream {
	return &OverWindowStream{in: d, number: rowNum, n: n, keys: groupBy}
}

// SetRowNumName names the column of the number.
func (o *OverWindowStream) SetRowNumName(name string) *OverWindowStream {
	o.number = name
	return o
}

// SetTopN is how many rows of a group are kept.
func (o *OverWindowStream) SetTopN(n int) *OverWindowStream {
	o.n = n
	return o
}

// GroupBy adds columns of the groups.
func (o *OverWindowStream) GroupBy(fields ...string) *OverWindowStream {
	o.keys = append(o.keys, fields...)
	return o
}

// OrderBy adds a column to order by; the first counts most.
func (o *OverWindowStream) OrderBy(field string, ascending bool) *OverWindowStream {
	dir := "DESC"
	if ascending {
		dir = "ASC"
	}
	o.order = append(o.order, quote(field)+" "+dir)
	return o
}

// AddOrderByFieldName is OrderBy.
func (o *OverWindowStream) AddOrderByFieldName(field string, ascending bool) *OverWindowStream {
	return o.OrderBy(field, ascending)
}

// ToDataStream returns the stream: its columns, then the number.
func (o *OverWindowStream) ToDataStream() *DataStream {
	if o.in.job.err == nil {
		switch {
		case len(o.order) == 0:
			o.in.job.fail("ToDataStream", fmt.Errorf("TopN needs OrderBy"))
		case o.n < 1:
			o.in.job.fail("ToDataStream", fmt.Errorf("TopN of %d rows", o.n))
		}
	}
	partition := ""
	if len(o.keys) > 0 {
		partition = "PARTITION BY " + quoted(o.keys) + " "
	}
	number := quote(o.number)
	return o.in.query("ToDataStream", fmt.Sprintf("SELECT * FROM (SELECT *, ROW_NUMBER() OVER (%sORDER BY %s) AS %s FROM `$in`) WHERE %s <= %d",
		partition, strings.Join(o.order, ", "), number, number, o.n), nil)
}
