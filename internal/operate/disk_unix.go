//go:build linux || darwin || freebsd

package operate

import "golang.org/x/sys/unix"

// DiskOf asks the system. Free is what an ordinary user may use.
func DiskOf(dir string) (free, size uint64, err error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	block := uint64(s.Bsize)
	return uint64(s.Bavail) * block, uint64(s.Blocks) * block, nil
}
