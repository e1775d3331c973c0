package registry

// AddOpen opens a payload with the key beside it and remembers it. It fails with
// [ErrCommitment].
func (p *Payloads) AddOpen(o OpenPayload) error {
	key, err := decode64(o.Key, payloadKeySize)
	if err != nil {
		return ErrCommitment.with("a payload's key is not 32 bytes in base64url")
	}
	return p.Add(o.SealedPayload, [payloadKeySize]byte(key))
}

// Awaits says whether an event in the log made this commitment and none erased it: only then
// may a payload for it be kept.
func (v View) Awaits(commitment string) bool {
	record, ok := v.State.commitments.get(commitment, v.AsOf)
	return ok && record.Erased == 0
}
