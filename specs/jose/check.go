package jose

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"math/big"
)

// Bounds of RSA keys that are used to verify.
const (
	minRSABits     = 2048    // RFC 7518 3.3: "A key of size 2048 bits or larger MUST be used"
	maxRSABits     = 8192    // larger ones only cost time
	minRSAExponent = 1 << 16 // small exponents have a history; 65537 passes
)

// CheckPublicKey says whether a key may be used at all: a known type, on its
// curve, not of small order, large enough. Keys from JWKs have passed it; keys from
// elsewhere (certificates) pass it in [Signed.Verify]. The error wraps [ErrKey].
func CheckPublicKey(pub crypto.PublicKey) error {
	if _, err := AlgorithmFor(pub); err != nil {
		return err
	}
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		// Bytes validates the point, the one at infinity included.
		if _, err := k.Bytes(); err != nil {
			return fmt.Errorf("%w: point not on the curve", ErrKey)
		}
	case ed25519.PublicKey:
		return checkEd25519(k)
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		if bits < minRSABits || bits > maxRSABits || k.N.Bit(0) == 0 {
			return fmt.Errorf("%w: RSA modulus of %d bits", ErrKey, bits)
		}
		if k.E < minRSAExponent || k.E&1 == 0 || int64(k.E) > 1<<31-1 {
			return fmt.Errorf("%w: RSA exponent %d", ErrKey, k.E)
		}
	}
	return nil
}

// smallOrder are the y coordinates of the points of order 1, 2, 4 and 8. With such
// a key a signature can be made that fits many messages. Spellings with y >= p are
// refused before this list is looked at.
var smallOrder = [][]byte{
	unhex("0100000000000000000000000000000000000000000000000000000000000000"), // 1
	unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), // 2
	unhex("0000000000000000000000000000000000000000000000000000000000000000"), // 4
	unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), // 8
	unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), // 8
}

var (
	fieldPrime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	// edwardsD is the constant d = -121665/121666 of the curve (RFC 8032 5.1).
	edwardsD = new(big.Int).Mod(new(big.Int).Mul(big.NewInt(-121665),
		new(big.Int).ModInverse(big.NewInt(121666), fieldPrime)), fieldPrime)
)

func unhex(s string) []byte { return must(hex.DecodeString(s)) }

// checkEd25519 refuses encodings that no honest signer has: y not reduced (RFC
// 8032 5.1.3 step 1), not on the curve, of small order.
func checkEd25519(k ed25519.PublicKey) error {
	if len(k) != ed25519.PublicKeySize {
		return fmt.Errorf("%w: Ed25519 key of %d bytes", ErrKey, len(k))
	}
	y := bytes.Clone(k)
	y[31] &= 0x7f
	for _, point := range smallOrder {
		if bytes.Equal(y, point) {
			return fmt.Errorf("%w: Ed25519 point of small order", ErrKey)
		}
	}
	for i, j := 0, len(y)-1; i < j; i, j = i+1, j-1 {
		y[i], y[j] = y[j], y[i]
	}
	n := new(big.Int).SetBytes(y)
	if n.Cmp(fieldPrime) >= 0 {
		return fmt.Errorf("%w: Ed25519 point not in reduced form", ErrKey)
	}
	// x² = (y²-1) / (d·y²+1) must have a root (RFC 8032 5.1.3 step 2).
	y2 := new(big.Int).Mul(n, n)
	u := new(big.Int).Sub(y2, big.NewInt(1))
	v := new(big.Int).Mul(y2, edwardsD)
	v.Add(v, big.NewInt(1)).ModInverse(v.Mod(v, fieldPrime), fieldPrime)
	x2 := u.Mul(u, v)
	if new(big.Int).ModSqrt(x2.Mod(x2, fieldPrime), fieldPrime) == nil {
		return fmt.Errorf("%w: point not on the curve", ErrKey)
	}
	return nil
}
