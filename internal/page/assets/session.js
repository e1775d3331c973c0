// Warns before a session ends, keeps it on request, and keeps what was typed. The
// server decides when a session ends; this only tells. Without script the foot of the
// page names the time.
(() => {
  const part = document.getElementById("session");
  if (!part) return;
  const warning = part.querySelector("[data-warning]");
  const before = 120, given = Number(part.dataset.left);
  const full = given || Math.round((Date.parse(part.dataset.ends) - Date.now()) / 1000);
  let end = 0, ended = false;
  const send = (path, body) => fetch(path, {
    method: "POST", body, credentials: "same-origin", keepalive: true, headers: { Accept: "application/json" },
  });
  const keep = (left, tell = true) => {
    if (ended) return;
    // A moment after the server's end: asked sooner, the server would go on with the session.
    end = Date.now() + (left + 2) * 1000;
    if (tell && others) others.postMessage(left);
    look();
  };

  // Another tab of the same session moves the end on for this one too.
  const others = "BroadcastChannel" in window ? new BroadcastChannel("session") : null;
  if (others) others.onmessage = (m) => keep(Number(m.data) || 0, false);

  const look = () => {
    if (ended) return;
    const left = Math.round((end - Date.now()) / 1000);
    if (left <= 0) return over();
    const warn = left <= before;
    if (warn && part.hidden) forms.forEach((form) => form.save());
    part.hidden = !warn;
  };
  const over = () => {
    ended = true;
    clearInterval(timer);
    if ("private" in part.dataset) return location.replace("/in");
    warning.remove();
    part.hidden = false;
    part.querySelector("[data-ended]").hidden = false;
  };

  warning.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await send(warning.action, new URLSearchParams(new FormData(warning)));
      if (answer.status === 401 || (answer.redirected && new URL(answer.url).pathname === "/in")) return over();
      if (!answer.ok) return;
      const left = await answer.json().then((body) => Number(body.left), () => full) || full;
      if (left <= before) part.querySelectorAll("[data-can-stay], [data-must-go]").forEach((e) => { e.hidden = "canStay" in e.dataset; });
      keep(left);
    } catch { /* the network is away: the banner stays, the button can be pressed again */ }
  });

  // What is typed in form[data-draft], never what is secret.
  const secret = /(^|[^a-z])(code|passphrase|password|pin|secret)([^a-z]|$)/i;
  const kept = (field) => field.name && !field.disabled && !["password", "file", "hidden", "submit", "button"].includes(field.type) &&
    !secret.test(field.name) && !/one-time-code|password/.test(field.autocomplete || "");
  const typed = (form) => {
    const values = new URLSearchParams({ form: form.dataset.draft });
    for (const field of form.elements) {
      if (!kept(field) || (["checkbox", "radio"].includes(field.type) && !field.checked)) continue;
      for (const value of field.selectedOptions ? Array.from(field.selectedOptions, (o) => o.value) : [field.value]) values.append(field.name, value);
    }
    return values.toString();
  };
  const forms = Array.from(document.querySelectorAll("form[data-draft]"), (form) => {
    let last = typed(form), wait = 0, gone = false;
    const save = async () => {
      clearTimeout(wait);
      const now = typed(form);
      if (gone || ended || now === last) return;
      try {
        const answer = await send("/draft", new URLSearchParams(now));
        if (!answer.ok) return;
        last = now;
        const left = answer.status === 204 ? 0 : await answer.json().then((body) => Number(body.left), () => 0);
        if (left > 0) keep(left);
      } catch { /* tried again at the next stroke */ }
    };
    form.addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(save, 3000); });
    form.addEventListener("submit", () => { gone = true; clearTimeout(wait); });
    window.addEventListener("pageshow", () => { gone = false; });
    document.addEventListener("visibilitychange", () => { if (document.hidden) save(); });
    return { save };
  });

  const timer = setInterval(look, 1000); // not one long wait: a sleeping device stops those
  document.addEventListener("visibilitychange", look);
  keep(full);
})();
