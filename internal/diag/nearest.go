package diag

import (
	"slices"
	"strings"
	"unicode"
)

// maxNearest is the length of the longest name that is looked for: longer ones
// are no names that somebody mistyped.
const maxNearest = 200

// Nearest returns the candidate that name was probably meant to be, or "" if
// none is that near. Case aside, a candidate is near, the nearest kind first, if
//   - it is name in other case,
//   - it differs by few edits (a swap of neighbours is one): one in up to four
//     letters, two in longer names, and never more than a third of the letters;
//     two letters may only be swapped,
//   - it has the same words in another order or with other signs between them,
//   - one starts with the other, three letters and half of the longer at least;
//     candidates that go on behind name must be alone in that.
//
// Of equally near candidates the first is returned; but a letter is forgotten more
// often than put in, so one that is longer than name comes before others.
func Nearest(name string, candidates []string) string {
	if name == "" || len(name) > maxNearest {
		return ""
	}
	low := []rune(strings.ToLower(name))
	words := wordsOf(string(low))
	best, at, length := "", maxEdits+1, 0
	reordered, prefix, longer, longerCount := "", "", "", 0
	for _, c := range candidates {
		if c == name || c == "" || len(c) > 4*maxNearest {
			continue
		}
		other := []rune(strings.ToLower(c))
		if len(low) == 2 && len(other) == 2 && low[0] == other[1] && low[1] == other[0] && at > 1 {
			best, at, length = c, 1, len(other)
			continue
		}
		nearer := at - 1
		if length <= len(low) && len(other) > len(low) {
			nearer = at
		}
		if limit := min(editsOf(max(len(low), len(other))), nearer); limit >= 0 {
			if d := distance(low, other, limit); d <= limit {
				best, at, length = c, d, len(other)
				continue
			}
		}
		if reordered == "" && len(words) > 0 && slices.Equal(words, wordsOf(string(other))) {
			reordered = c
		}
		switch short := min(len(low), len(other)); {
		case short < minPrefix || !slices.Equal(low[:short], other[:short]):
		case short == len(low):
			if longerCount++; longer == "" && 2*short >= len(other) {
				longer = c
			}
		case 2*short >= len(low) && len(c) > len(prefix):
			prefix = c
		}
	}
	switch {
	case best != "":
		return best
	case reordered != "":
		return reordered
	case longerCount == 1 && longer != "":
		return longer
	}
	return prefix
}

const (
	maxEdits  = 2
	minPrefix = 3
)

// editsOf is how many letters of n may differ.
func editsOf(n int) int {
	most := maxEdits
	if n <= 4 {
		most = 1
	}
	return min(most, n/3)
}

// wordsOf returns the words of a name, sorted.
func wordsOf(s string) []string {
	w := strings.FieldsFunc(s, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(w)
	return w
}

// distance is the optimal string alignment distance of x and y, or more than
// limit once it is known to be.
func distance(x, y []rune, limit int) int {
	if d := len(x) - len(y); d > limit || -d > limit {
		return limit + 1
	}
	prev2, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		low := i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
			low = min(low, cur[j])
		}
		if low > limit {
			return limit + 1
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(y)]
}
