package builtin

import (
	"net/netip"
	"strings"

	"github.com/runnelio/runnel/function"
	"github.com/runnelio/runnel/types"
)

var etlIPFuncs = []function.Def{
	{
		Name: "IPCONTAINS", Aliases: []string{"IP_CONTAINS"}, Group: "net", Sig: "(STRING, STRING) -> BOOLEAN",
		Doc: "Whether an address is in a list of addresses, networks (10.0.0.0/8) and ranges (10.0.0.1-10.0.0.9), separated by commas, semicolons or blanks.",
		Eg: []function.Example{{Expr: "IPCONTAINS('10.1.2.3', '192.168.0.0/16,10.0.0.0/8')", Result: "TRUE"},
			{Expr: "IPCONTAINS('::1', '10.0.0.0/8')", Result: "FALSE"}},
		Scalar: function.Bound(func(_ *function.Context, args []function.Arg, _ types.Type) (function.Call, error) {
			var last string
			var list *ipList
			if text, ok := constText(args, 1); ok {
				last, list = text, parseIPList(text)
			}
			return function.CallMap2(func(ip, text string) bool {
				if list == nil || text != last {
					last, list = strings.Clone(text), parseIPList(text)
				}
				addr, err := netip.ParseAddr(strings.TrimSpace(ip))
				return err == nil && list.contains(addr.Unmap().WithZone(""))
			}), nil
		}),
	},
	{
		Name: "IS_PRIVATE_IP", Group: "net", Sig: "(STRING) -> BOOLEAN", Doc: "Whether the text is an address of a private network, of the host itself or of its link.",
		Eg: []function.Example{{Expr: "IS_PRIVATE_IP('10.1.2.3')", Result: "TRUE"}, {Expr: "IS_PRIVATE_IP('8.8.8.8')", Result: "FALSE"}},
		Scalar: function.Map1(func(s string) bool {
			addr, err := netip.ParseAddr(s)
			addr = addr.Unmap()
			return err == nil && (addr.IsPrivate() || addr.IsLoopback() || addr.IsLinkLocalUnicast())
		}),
	},
}

// ipList is networks and ranges; a list is short, and constant as a rule.
type ipList struct {
	networks []netip.Prefix
	ranges   [][2]netip.Addr
}

// parseIPList reads a list; entries that are no addresses match nothing.
func parseIPList(text string) *ipList {
	l := &ipList{}
	for _, e := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \t\r\n", r) }) {
		if p, err := netip.ParsePrefix(e); err == nil {
			addr, bits := p.Addr(), p.Bits()
			if addr.Is4In6() && bits >= 96 {
				addr, bits = addr.Unmap(), bits-96
			}
			l.networks = append(l.networks, netip.PrefixFrom(addr, bits))
			continue
		}
		low, high, isRange := strings.Cut(e, "-")
		if !isRange {
			high = low
		}
		from, err := netip.ParseAddr(low)
		to, err2 := netip.ParseAddr(high)
		if err == nil && err2 == nil {
			l.ranges = append(l.ranges, [2]netip.Addr{from.Unmap(), to.Unmap()})
		}
	}
	return l
}

func (l *ipList) contains(a netip.Addr) bool {
	for _, p := range l.networks {
		if p.Contains(a) {
			return true
		}
	}
	for _, r := range l.ranges {
		if a.BitLen() == r[0].BitLen() && a.Compare(r[0]) >= 0 && a.Compare(r[1]) <= 0 {
			return true
		}
	}
	return false
}
