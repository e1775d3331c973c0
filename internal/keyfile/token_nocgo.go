//go:build !cgo

package keyfile

import "fmt"

func (tokenAddress) open(string) (Opened, error) {
	return Opened{}, fmt.Errorf("%w: this program was built without cgo, so it cannot speak to tokens; use a sealed key file, or a program built with CGO_ENABLED=1", ErrToken)
}
