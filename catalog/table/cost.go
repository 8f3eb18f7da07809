package table

// What a comparison costs beside that of two numbers, measured on 900,000 rows:
// some 10 ns for numbers and whole texts, some 200 ns where a text is folded and
// searched.
const (
	costCompare = 1
	costWithin  = 5
	costMatch   = 20
)

// Cost is about how many comparisons of numbers the plan's conditions come to
// over a table of so many rows: rows × comparisons, those that search a text
// counting twenty. It is known before anything runs and is the most it can be, as
// engines leave out what the first terms decide and what statistics exclude. A
// query without a condition costs nothing.
func (p *Plan) Cost(rows int64) int64 {
	weight := costOf(p.Condition())
	if p.Group != nil {
		weight += costOf(p.Group.Condition()) // having, counted above, sees at most as many groups
	}
	return weight * rows
}

func costOf(n Node) (weight int64) {
	switch n := n.(type) {
	case And:
		for _, t := range n.Terms {
			weight += costOf(t)
		}
	case Or:
		for _, t := range n.Terms {
			weight += costOf(t)
		}
	case Not:
		weight = costOf(n.Term)
	case Compare, In, IsNull: // a list is hashed: its length costs nothing
		weight = costCompare
	case Within:
		weight = costWithin
	case Match:
		weight = costMatch
	}
	return weight
}
