package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"paspoort.example/paspoort/internal/web"
	"paspoort.example/paspoort/wallet"
)

// Passkeys (Web Authentication Level 3). One with the extension PRF (10.1.4) unlocks the
// paspoort: it computes the same 32 bytes each time, which only its owner can have it do.
// One without signs in and the passphrase unlocks. It is never the only way in: an account
// always has a passphrase and a recovery code.

// prfSalt is what the authenticator computes its secret from; it is no secret itself, and
// the same for all, because who signs in is not known beforehand.
func prfSalt() []byte {
	sum := sha256.Sum256([]byte("paspoort/wallet/prf/v1"))
	return sum[:]
}

const (
	maxPasskeyBody = 64 << 10
	passkeyHeld    = "passkey" // the name of a ceremony in progress, in a session
)

func (h *Host) passkeyRoutes() {
	h.post("/passkey/new/options", h.sure(h.newPasskeyOptions))
	h.postLarge("/passkey/new", h.newPasskey)
	h.post("/passkey/remove", h.sure(h.removePasskey))
	h.post("/passkey/in/options", h.passkeyInOptions)
	h.site.Pages.Handle("/passkey/in", h.serve(h.passkeyIn)).Methods(http.MethodPost)
}

// ceremony is what the script gets to begin with.
type ceremony struct {
	Options any    `json:"options"`
	Salt    string `json:"salt"` // base64url, for prf.eval.first
}

func (h *Host) beginCeremony(w http.ResponseWriter, r *http.Request, s *session, options any, data *webauthn.SessionData) error {
	if err := h.remember(w, r, s); err != nil {
		return err
	}
	s.mu.Lock()
	if s.held == nil {
		s.held = map[string]held{}
	}
	s.held[passkeyHeld] = held{data, h.c.Clock()}
	s.mu.Unlock()
	web.WriteJSON(w, http.StatusOK, ceremony{options, base64.RawURLEncoding.EncodeToString(prfSalt())})
	return nil
}

func (h *Host) newPasskeyOptions(w http.ResponseWriter, r *http.Request, s *session) error {
	a, err := h.account(s.holder)
	if err != nil {
		return err
	}
	if len(a.Passkeys) >= maxPasskeys {
		web.WriteError(w, http.StatusConflict, "too_many", "remove a passkey first")
		return nil
	}
	options, data, err := h.webauthn.BeginRegistration(a,
		webauthn.WithResidentKeyRequirement(protocol.ResidentKeyRequirementRequired),
		webauthn.WithExclusions(webauthn.Credentials(a.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithExtensions(webauthn.WithExtensionPRFSupport()),
		func(o *protocol.PublicKeyCredentialCreationOptions) error {
			o.AuthenticatorSelection.UserVerification = protocol.VerificationRequired
			return nil
		})
	if err != nil {
		return err
	}
	return h.beginCeremony(w, r, s, options.Response, data)
}

// passkeyAnswer is what the script sends back.
type passkeyAnswer struct {
	Credential json.RawMessage `json:"credential"`
	Label      string          `json:"label"`
	Away       bool            `json:"away"`
	// Secret is the result of PRF, base64url; empty when the passkey has none.
	Secret string `json:"secret"`
}

// readPasskey reads the answer and the ceremony that it ends. A ceremony ends once.
func (h *Host) readPasskey(r *http.Request, s *session) (answer passkeyAnswer, data *webauthn.SessionData, secret []byte, err error) {
	if err := web.ReadJSON(r, maxPasskeyBody, &answer); err != nil {
		return answer, nil, nil, err
	}
	data, ok := holding[*webauthn.SessionData](s, passkeyHeld)
	if !ok || !s.drop(passkeyHeld) {
		return answer, nil, nil, web.Errorf(http.StatusConflict, "invalid_request", "begin again")
	}
	if answer.Secret != "" {
		secret, err = base64.RawURLEncoding.DecodeString(answer.Secret)
		if err != nil || len(secret) != 32 {
			return answer, nil, nil, web.Errorf(http.StatusBadRequest, "invalid_request", "the secret is not 32 bytes")
		}
	}
	return answer, data, secret, nil
}

// refusePasskey answers a script. The library's words stay out of it.
func refusePasskey(w http.ResponseWriter, err error) error {
	if known, ok := errors.AsType[*web.Error](err); ok {
		web.WriteError(w, known.Status, known.Code, known.Description)
		return nil
	}
	if _, ok := errors.AsType[*protocol.Error](err); ok {
		web.WriteError(w, http.StatusUnprocessableEntity, "invalid_request", "this passkey was not accepted: try again, or use your passphrase")
		return nil
	}
	return err
}

func (h *Host) newPasskey(w http.ResponseWriter, r *http.Request, s *session) error {
	answer, data, secret, err := h.readPasskey(r, s)
	if err != nil {
		return refusePasskey(w, err)
	}
	a, err := h.account(s.holder)
	if err != nil {
		return err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer.Credential)
	if err != nil {
		return refusePasskey(w, err)
	}
	credential, err := h.webauthn.CreateCredential(a, *data, parsed)
	if err != nil {
		return refusePasskey(w, err)
	}
	credential.Attestation = webauthn.CredentialAttestation{} // not asked for, and nothing to keep
	label := strings.TrimSpace(answer.Label)
	if label == "" || utf8.RuneCountInString(label) > maxName {
		label = "1"
	}
	paspoort, id := h.open(r, s), hex.EncodeToString(credential.ID)
	if secret != nil {
		if err := paspoort.AddPasskey(id, secret); err != nil {
			return err
		}
	}
	// Its name is the holder's word, and stands with the holder's things.
	if err := namePasskey(paspoort, id, label); err != nil {
		return err
	}
	err = h.change(a.ID, func(a *account) error {
		a.Passkeys = append(a.Passkeys, passkey{Credential: *credential, Added: h.c.Clock().UTC(), Opens: secret != nil})
		return nil
	})
	if err != nil {
		return err
	}
	notice := "passkey-signs"
	if secret != nil {
		notice = "passkey-opens"
	}
	s.say(notice)
	web.WriteJSON(w, http.StatusOK, map[string]string{"next": "/care"})
	return nil
}

// namePasskey keeps the holder's name for a passkey; an empty one forgets it.
func namePasskey(paspoort *wallet.Wallet, id, label string) error {
	return paspoort.ChangePerson(func(p *wallet.Person) {
		if p.Passkeys == nil {
			p.Passkeys = map[string]string{}
		}
		p.Passkeys[id] = label
		if label == "" {
			delete(p.Passkeys, id)
		}
	})
}

func (h *Host) removePasskey(w http.ResponseWriter, r *http.Request, s *session) error {
	id, err := hex.DecodeString(r.PostForm.Get("id"))
	if err != nil {
		return errBadForm
	}
	// First the wrap: a passkey that is still listed but opens nothing does no harm.
	if err := h.open(r, s).RemovePasskey(hex.EncodeToString(id)); err != nil && !errors.Is(err, wallet.ErrNotHere) {
		return err
	}
	if err := namePasskey(h.open(r, s), hex.EncodeToString(id), ""); err != nil {
		return err
	}
	err = h.change(s.holder, func(a *account) error {
		kept := a.Passkeys[:0]
		for _, p := range a.Passkeys {
			if !bytes.Equal(p.Credential.ID, id) {
				kept = append(kept, p)
			}
		}
		a.Passkeys = kept
		return nil
	})
	if err != nil {
		return err
	}
	s.say("passkey-removed")
	return see(w, r, "/care")
}

func (h *Host) passkeyInOptions(w http.ResponseWriter, r *http.Request, s *session) error {
	options, data, err := h.webauthn.BeginDiscoverableLogin(
		webauthn.WithUserVerification(protocol.VerificationRequired),
		webauthn.WithAssertionExtensions(webauthn.WithExtensionPRFSupport()))
	if err != nil {
		return err
	}
	return h.beginCeremony(w, r, s, options.Response, data)
}

// passkeyIn signs in with a passkey, and unlocks when it can.
func (h *Host) passkeyIn(w http.ResponseWriter, r *http.Request, s *session) error {
	if s.in() { // one session is one holder's
		web.WriteJSON(w, http.StatusOK, map[string]string{"next": "/paspoort"})
		return nil
	}
	answer, data, secret, err := h.readPasskey(r, s)
	if err != nil {
		return refusePasskey(w, err)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer.Credential)
	if err != nil {
		return refusePasskey(w, err)
	}
	var a *account
	find := func(_, handle []byte) (webauthn.User, error) {
		var err error
		a, err = h.account(hex.EncodeToString(handle))
		return a, err
	}
	_, credential, err := h.webauthn.ValidatePasskeyLogin(find, *data, parsed)
	if err != nil {
		return refusePasskey(w, err)
	}
	opens := false
	err = h.change(a.ID, func(a *account) error {
		for i := range a.Passkeys {
			if bytes.Equal(a.Passkeys[i].Credential.ID, credential.ID) {
				a.Passkeys[i].Credential.Authenticator = credential.Authenticator
				a.Passkeys[i].Credential.Flags = credential.Flags
				opens = a.Passkeys[i].Opens
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if opens && secret != nil {
		paspoort, err := wallet.UnlockWithPasskey(h.engine(a.ID, h.kit.Language(r)), hex.EncodeToString(credential.ID), secret)
		if err == nil {
			next, err := h.enter(w, r, s, a, paspoort, !answer.Away)
			if err != nil {
				return err
			}
			web.WriteJSON(w, http.StatusOK, map[string]string{"next": next.next()})
			return nil
		}
		// A passkey that computes another secret now, or whose wrap is gone, still says who it is.
		if !errors.Is(err, wallet.ErrPasskey) {
			return err
		}
	}
	if err := h.replace(w, s, s.follow(a.ID)); err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, map[string]string{"next": "/in"})
	return nil
}
