package openid4vci

import "paspoort.example/paspoort/specs/ijson"

// Event is what became of issued credentials (11.1).
type Event string

// The events of 11.1. CredentialDeleted is for a refusal by the person,
// CredentialFailure for everything else that went wrong, also in part.
const (
	CredentialAccepted Event = "credential_accepted"
	CredentialFailure  Event = "credential_failure"
	CredentialDeleted  Event = "credential_deleted"
)

// Notification is the request of 11.1.
type Notification struct {
	ID          string `json:"notification_id"`
	Event       Event  `json:"event"`
	Description string `json:"event_description,omitempty"`
}

// ParseNotification reads a notification. Unrecognised parameters are ignored
// (11.1). The error is an *Error.
func ParseNotification(data []byte) (*Notification, error) {
	var n Notification
	if len(data) > MaxOffer || ijson.Unmarshal(data, &n) != nil {
		return nil, Refuse(InvalidNotificationRequest, "the notification is not a JSON object, or repeats a parameter")
	}
	if n.ID == "" {
		return nil, Refuse(InvalidNotificationRequest, "notification_id is missing")
	}
	switch n.Event {
	case CredentialAccepted, CredentialFailure, CredentialDeleted:
	default:
		return nil, Refuse(InvalidNotificationRequest, "event is not one of the three known events")
	}
	// 11.1: "MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E".
	if describe(n.Description) != n.Description {
		return nil, Refuse(InvalidNotificationRequest, "event_description has characters that are not allowed")
	}
	return &n, nil
}
