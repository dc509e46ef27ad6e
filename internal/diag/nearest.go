package diag

import "strings"

// Nearest returns the candidate most like name, or "" if none is near: at most
// a third of the letters differ (edits and swaps of neighbours), case aside.
func Nearest(name string, candidates []string) string {
	best, at := "", len(name)/3+1
	if len(name) > 200 {
		return ""
	}
	low := strings.ToLower(name)
	for _, c := range candidates {
		if c == name || len(c) > 3*len(name)+8 {
			continue
		}
		if d := distance(low, strings.ToLower(c), at); d < at || d == at && best == "" && d < len(name) {
			best, at = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b, or more than
// limit once it is known to be.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
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
