package json

import "golang.org/x/sys/cpu"

var canMark = cpu.X86.HasAVX2

// markQuotes sets dst[i] to the quotes of src[64*i:64*i+64] for n blocks, n > 0.
//
//go:noescape
func markQuotes(dst *uint64, src *byte, n int)
