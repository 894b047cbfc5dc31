// Package didyoumean names the known word that an unknown one was meant for.
package didyoumean

import "strconv"

// longest is how many bytes a word may have: it takes the square of them to
// compare two.
const longest = 64

// Hint is the end of a sentence about an unknown word, `; did you mean
// "method"?`, or "" where no known word is near enough: a mistake in every
// third letter is allowed, and one in a shorter word.
func Hint(word string, known []string) string {
	if word == "" || len(word) > longest {
		return ""
	}
	best, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := distance(word, k, least); d < least || d == least && best != "" && k < best {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + strconv.Quote(best) + "?"
}

// distance counts the letters to insert, to drop, to change or to swap with
// their neighbour, up to about most. The first letter counts twice where it is
// changed, for it is seldom mistyped: then is not when.
func distance(a, b string, most int) int {
	if len(b) > longest || max(len(a), len(b))-min(len(a), len(b)) > most {
		return most + 1
	}
	var rows [3][longest + 1]int // the one before the last, the last, this one
	for j := range len(b) + 1 {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		rows[2][0] = i
		for j := 1; j <= len(b); j++ {
			change := rows[1][j-1]
			if a[i-1] != b[j-1] {
				change++
				if i == 1 && j == 1 && a[0]|0x20 != b[0]|0x20 { // but for capital letters
					change++
				}
			}
			d := min(change, rows[1][j]+1, rows[2][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[0][j-2]+1)
			}
			rows[2][j] = d
		}
		rows[0], rows[1] = rows[1], rows[2]
	}
	return rows[1][len(b)]
}
