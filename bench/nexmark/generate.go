package main

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

// generator makes the events of the Nexmark benchmark: of 50 one is a person,
// three are auctions, 46 are bids; half of the bids go to a hot auction, three
// quarters come from a hot bidder. Events are a millisecond apart.
type generator struct {
	r  *rand.Rand
	at time.Time
	n  int64
}

const (
	personShare, auctionShare, cycle = 1, 3, 50
	firstID                          = 1000
	activePeople, inFlight           = 1000, 100
	hotAuction, hotBidder, hotSeller = 2, 4, 4
)

func newGenerator(seed uint64) *generator {
	return &generator{r: rand.New(rand.NewPCG(seed, 0x6e78)), at: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
}

func (g *generator) text(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'a' + byte(g.r.IntN(26))
	}
	return string(b)
}

func (g *generator) pick(from ...string) string { return from[g.r.IntN(len(from))] }

// lastPerson and lastAuction are the newest ids at event n.
func (g *generator) lastPerson() int64 { return g.n/cycle + firstID }

func (g *generator) lastAuction() int64 {
	epoch, offset := g.n/cycle, g.n%cycle
	switch {
	case offset < personShare:
		epoch, offset = epoch-1, auctionShare-1
	case offset < personShare+auctionShare:
		offset -= personShare
	default:
		offset = auctionShare - 1
	}
	return max(epoch*auctionShare+offset, 0) + firstID
}

// person is the id of somebody active.
func (g *generator) person() int64 {
	last := g.lastPerson() - firstID
	active := min(last+1, activePeople)
	return last - g.r.Int64N(active) + firstID
}

// auction is the id of one that is open.
func (g *generator) auction() int64 {
	last := g.lastAuction() - firstID
	from := max(last-inFlight, 0)
	return from + g.r.Int64N(last-from+1) + firstID
}

func (g *generator) price() int64 {
	p := 100.0
	for range 6 {
		p *= 1 + g.r.Float64()*9
	}
	return int64(p / 100)
}

const stamp = "2006-01-02 15:04:05.000"

// next appends an event as a JSON line.
func (g *generator) next(dst []byte) []byte {
	now := g.at.Add(time.Duration(g.n) * time.Millisecond)
	switch k := g.n % cycle; {
	case k < personShare:
		dst = fmt.Appendf(dst, `{"event_type":0,"person":{"id":%d,"name":"%s %s","emailAddress":"%s@%s.com","creditCard":"%04d %04d %04d %04d","city":"%s","state":"%s","dateTime":"%s","extra":"%s"},"auction":null,"bid":null}`,
			g.lastPerson(), g.pick("Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"), g.pick("Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"),
			g.text(7), g.text(5), g.r.IntN(10000), g.r.IntN(10000), g.r.IntN(10000), g.r.IntN(10000),
			g.pick("Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"), g.pick("AZ", "CA", "ID", "OR", "WA", "WY"),
			now.Format(stamp), g.text(100+g.r.IntN(80)))
	case k < personShare+auctionShare:
		seller := g.person()
		if g.r.IntN(hotSeller) > 0 {
			seller = (g.lastPerson()-firstID)/100*100 + firstID
		}
		first := g.price()
		dst = fmt.Appendf(dst, `{"event_type":1,"person":null,"auction":{"id":%d,"itemName":"%s","description":"%s","initialBid":%d,"reserve":%d,"dateTime":"%s","expires":"%s","seller":%d,"category":%d,"extra":"%s"},"bid":null}`,
			g.lastAuction(), g.text(10+g.r.IntN(10)), g.text(20+g.r.IntN(80)), first, first+g.price(), now.Format(stamp), now.Add(time.Duration(1+g.r.IntN(4000))*time.Millisecond).Format(stamp),
			seller, 10+g.r.IntN(5), g.text(350+g.r.IntN(100)))
	default:
		auction, bidder := g.auction(), g.person()
		if g.r.IntN(hotAuction) > 0 {
			auction = (g.lastAuction()-firstID)/100*100 + firstID
		}
		if g.r.IntN(hotBidder) > 0 {
			bidder = (g.lastPerson()-firstID)/100*100 + 1 + firstID
		}
		channel := g.pick("Google", "Facebook", "Baidu", "Apple")
		query := ""
		if g.r.IntN(2) == 0 {
			k := g.r.IntN(10000)
			channel, query = fmt.Sprintf("channel-%d", k), fmt.Sprintf("&channel_id=%d", k*177147)
		}
		dst = fmt.Appendf(dst, `{"event_type":2,"person":null,"auction":null,"bid":{"auction":%d,"bidder":%d,"price":%d,"channel":"%s","url":"https://www.nexmark.com/%s/%s/%s/item.htm?query=1%s","dateTime":"%s","extra":"%s"}}`,
			auction, bidder, g.price(), channel, g.text(4), g.text(3), g.text(3), query, now.Format(stamp), g.text(40+g.r.IntN(40)))
	}
	g.n++
	return append(dst, '\n')
}

// write makes the file of n events, if it is not there yet.
func write(path string, n int) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	g := newGenerator(42)
	var b []byte
	for range n {
		b = g.next(b[:0])
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
