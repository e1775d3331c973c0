package keyfile

// CreateText writes a new file with secrets in a form of their own, which only its owner can
// read. An existing file is never overwritten: the error is fs.ErrExist.
func CreateText(path string, body []byte) error { return create(path, body) }

// ReadText reads such a file. It fails with [ErrPermissions] when others can read it.
func ReadText(path string) ([]byte, error) { return read(path) }
