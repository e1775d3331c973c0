//go:build !(linux || darwin || freebsd)

package operate

import "errors"

// DiskOf is not known here.
func DiskOf(string) (free, size uint64, err error) {
	return 0, 0, errors.New("the size of a disk is not known on this system")
}
