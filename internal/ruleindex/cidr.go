package ruleindex

import (
	"fmt"
	"net/netip"
	"unicode/utf8"
)

func charLen(s string) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, w := utf8.DecodeRuneInString(s)
	return w
}

// parseCIDR reads a network, or an address, which is a network of one.
func parseCIDR(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is neither a network nor an address", s)
	}
	return netip.PrefixFrom(a.WithZone(""), a.BitLen()), nil
}

// networks is a binary trie of network prefixes for each address family.
type networks struct {
	nodes []netNode
	atoms [][]int32
}

type netNode struct {
	child [2]int32
	set   int32 // index into atoms, -1: none
}

// newNetworks returns an empty trie; node 0 is the root of IPv4, node 1 of IPv6.
func newNetworks() *networks {
	return &networks{nodes: []netNode{{set: -1}, {set: -1}}}
}

func family(a netip.Addr) int32 {
	if a.Is4() {
		return 0
	}
	return 1
}

func (n *networks) add(p netip.Prefix, atom int32) {
	at := family(p.Addr())
	bytes := p.Addr().AsSlice()
	for i := range p.Bits() {
		bit := bytes[i/8] >> (7 - i%8) & 1
		next := n.nodes[at].child[bit]
		if next == 0 {
			next = int32(len(n.nodes))
			n.nodes = append(n.nodes, netNode{set: -1})
			n.nodes[at].child[bit] = next
		}
		at = next
	}
	if n.nodes[at].set < 0 {
		n.nodes[at].set = int32(len(n.atoms))
		n.atoms = append(n.atoms, nil)
	}
	n.atoms[n.nodes[at].set] = append(n.atoms[n.nodes[at].set], atom)
}

// match appends the atoms of all networks that the address s lies in. An IPv4
// address written as IPv6 is of both families.
func (n *networks) match(dst []int32, s string) []int32 {
	if len(s) == 0 || len(s) > 64 || !(s[0] >= '0' && s[0] <= '9' || s[0] >= 'a' && s[0] <= 'f' || s[0] >= 'A' && s[0] <= 'F' || s[0] == ':') {
		return dst
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return dst
	}
	a = a.WithZone("")
	dst = n.walk(dst, a)
	if a.Is4In6() {
		dst = n.walk(dst, a.Unmap())
	}
	return dst
}

func (n *networks) walk(dst []int32, a netip.Addr) []int32 {
	at := family(a)
	var bytes [16]byte
	bits := a.BitLen()
	if bits == 32 {
		b := a.As4()
		copy(bytes[:], b[:])
	} else {
		bytes = a.As16()
	}
	for i := 0; ; i++ {
		if s := n.nodes[at].set; s >= 0 {
			dst = append(dst, n.atoms[s]...)
		}
		if i == bits {
			return dst
		}
		if at = n.nodes[at].child[bytes[i/8]>>(7-i%8)&1]; at == 0 {
			return dst
		}
	}
}
