package wallet

import "fmt"

// storeFormat is the version of the store as a whole, valueFormat that of each
// value.
const (
	storeName   = "wallet"
	storeFormat = 2
	valueFormat = 1
)

// The keys of the store that stand on disk as they are: vaultKey holds what is needed to
// unlock (and spareVaultKey the same while older versions of it are removed), inboxCountKey how many messages wait, and inboxPrefix what arrived while the
// wallet was locked. Every other name below is never on disk: box turns it into an HMAC,
// and seals name and value together.
var (
	vaultKey      = []byte("vault")
	spareVaultKey = []byte("spare/vault")
	inboxCountKey = []byte("count/inbox")
)

const (
	inboxPrefix = "i/"                   // i/HEX: a message, sealed to the key of the inbox
	askedPrefix = inboxPrefix + "asked/" // i/asked/HEX: the same, one for each share
)

const (
	keySettings       = "settings"     // regions, once
	keyAskers         = "askers"       // which asker gets which slot, once
	keyHistoryCount   = "history"      // number of the last event
	slotPrefix        = "slot/"        // slot/0007: holder key 7, a private JWK
	credentialPrefix  = "credential/"  // credential/ID: one dataset, with its first copy
	copyPrefix        = "copy/"        // copy/ID/0003: another copy of it
	declarationPrefix = "declaration/" // declaration/ID: the holder's own words
	historyPrefix     = "history/"     // history/00000012: what happened, in order
	keyPerson         = "person"       // how to greet the holder, once
	keyInbox          = "inbox"        // the private key of the inbox, once
	keyOrigin         = "origin"       // what archives name this wallet, once
	draftPrefix       = "draft/"       // draft/FORM: a half-filled form
	sharePrefix       = "share/"       // share/ID: what the holder keeps of a share
)

// listPrefix is for the names of a folder: list/credential/ holds those of credentials.
const listPrefix = "list/"

// unlisted are the folders whose names nobody needs to be told: they are counted.
var unlisted = []string{historyPrefix, copyPrefix, listPrefix}

func copyKey(id string, n int) string { return fmt.Sprintf("%s%s/%04d", copyPrefix, id, n) }

func historyKey(n int) string { return fmt.Sprintf("%s%08d", historyPrefix, n) }

func slotKey(n int) string { return fmt.Sprintf("%s%04d", slotPrefix, n) }
