//go:build !linux

package dev

import "syscall"

// attributes give the process a group of its own. Other systems than Linux cannot
// end it when its parent is killed without a word; after Ctrl-C it ends all the same.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
