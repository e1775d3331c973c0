package audit

// StoreOften has a replay with a store put its rows there after each batch.
func (r *Replay) StoreOften() { r.scratch.most = 1 }
