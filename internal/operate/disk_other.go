//go:build !(linux || darwin || freebsd)

package operate

import "errors"

func diskOf(string) (free, size uint64, err error) {
	return 0, 0, errors.New("the size of a disk is not known on this system")
}
