package page

import (
	"context"
	"net/http"
	"time"
)

// Frame is what the layout shows of a session, around any page. Put it on the request
// with WithFrame; a request without one is of somebody who is not signed in.
//
// When SignedIn the layout shows Options.Member instead of Options.Nav, a form that
// leaves (POST /leave), and when the session ends. Two minutes before Ends session.js
// shows a banner whose button keeps the session (POST /session/stay), and it keeps what
// is typed in every form[data-draft] (POST /draft, form-encoded, the name of the form
// in "form"; no passwords, codes, files or hidden fields). Both are told by script with
// "Accept: application/json": answer /session/stay with {"left": SECONDS} and /draft
// with 204, or as /session/stay when a draft moves the end on too; answer 401 when there
// is no session. Without script /session/stay is a form with the path to go back to in
// "back".
type Frame struct {
	SignedIn bool
	Ends     time.Time // when nothing happens; each page moves it on
	Last     time.Time // whatever one does; zero when there is no such limit
	Now      time.Time // of the server: the clock of a device may be wrong. Zero: the device's is believed
	Greeting string    // a name, shown beside the leave button
	Notice   string    // what just happened: the text notice.NOTICE
	Private  bool      // "dit is niet mijn apparaat": nothing stays, the page says to leave
}

type frameKey struct{}

// WithFrame gives the request a frame, for every page that answers it, faults too.
func WithFrame(r *http.Request, f Frame) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), frameKey{}, f))
}

func frameOf(r *http.Request) Frame {
	f, _ := r.Context().Value(frameKey{}).(Frame)
	return f
}

// Left is how many seconds the session has; 0 when Now is not known.
func (f Frame) Left() int {
	if f.Now.IsZero() {
		return 0
	}
	return max(0, int(f.End().Sub(f.Now)/time.Second))
}

// Final says whether the session cannot be kept longer.
func (f Frame) Final() bool { return !f.Last.IsZero() && !f.Ends.Before(f.Last) }

// End is when the session ends if nothing happens: the earlier of Ends and Last.
func (f Frame) End() time.Time {
	if f.Final() {
		return f.Last
	}
	return f.Ends
}
