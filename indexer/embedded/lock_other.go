//go:build !unix

package embedded

import "os"

// lockFolder opens the lock file; where the system has no flock, keeping a
// second process away is left to whoever starts it.
func lockFolder(name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, err
	}
	return func() { f.Close() }, nil
}
