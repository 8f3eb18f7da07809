package store

// SetCrowd has lists of more than n datasets walked, until the function it returns is
// called.
func SetCrowd(n int) (reset func()) {
	before := crowd
	crowd = n
	return func() { crowd = before }
}
