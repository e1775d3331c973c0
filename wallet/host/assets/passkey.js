// Passkeys: the one thing here that needs a script. A button [data-passkey="new"|"in"]
// is hidden in the page and shown only where the browser can do it.
(() => {
  const buttons = document.querySelectorAll("button[data-passkey]");
  if (!buttons.length || !window.PublicKeyCredential) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const send = async (path, body) => {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json", Accept: "application/json" }, body: JSON.stringify(body || {}) });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const begin = async (path) => {
    const answer = await fetch(path, { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded", Accept: "application/json" }, body: "" });
    if (answer.status === 403) {
      location.assign("/again?to=/care"); // it was some time ago that the holder showed who it is
      return new Promise(() => {});
    }
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const create = (o, salt) => navigator.credentials.create({ publicKey: {
    ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) },
    excludeCredentials: (o.excludeCredentials || []).map((c) => ({ ...c, id: bytes(c.id) })),
    extensions: { prf: { eval: { first: salt } } },
  } });
  const get = (o, salt, allow) => navigator.credentials.get({ publicKey: {
    ...o, challenge: bytes(o.challenge), allowCredentials: allow || [], extensions: { prf: { eval: { first: salt } } },
  } });
  // The secret travels apart, and not in what is kept of the passkey.
  const secretOf = (made) => {
    const prf = made.getClientExtensionResults().prf;
    return prf && prf.results && prf.results.first ? text(prf.results.first) : "";
  };
  const plain = (made) => {
    const r = made.response;
    const out = { id: made.id, rawId: text(made.rawId), type: made.type, authenticatorAttachment: made.authenticatorAttachment || undefined, clientExtensionResults: {}, response: { clientDataJSON: text(r.clientDataJSON) } };
    if (r.attestationObject) {
      out.response.attestationObject = text(r.attestationObject);
      out.response.transports = r.getTransports ? r.getTransports() : [];
    } else {
      out.response.authenticatorData = text(r.authenticatorData);
      out.response.signature = text(r.signature);
      out.response.userHandle = r.userHandle ? text(r.userHandle) : undefined;
    }
    return out;
  };
  const add = async (button) => {
    const { options, salt } = await begin("/passkey/new/options");
    const made = await create(options, bytes(salt));
    let secret = secretOf(made);
    const prf = made.getClientExtensionResults().prf;
    if (!secret && prf && prf.enabled) {
      // Many passkeys compute only when they are used: use it once, for that alone.
      const challenge = text(crypto.getRandomValues(new Uint8Array(32)));
      const used = await get({ challenge, rpId: options.rp.id, userVerification: "required" }, bytes(salt), [{ type: "public-key", id: made.rawId }]);
      secret = secretOf(used);
    }
    const label = document.querySelector(button.dataset.label);
    return send("/passkey/new", { credential: plain(made), secret, label: label ? label.value : "" });
  };
  const enter = async () => {
    const { options, salt } = await begin("/passkey/in/options");
    const used = await get(options, bytes(salt));
    const away = document.querySelector("input[name=away]");
    return send("/passkey/in", { credential: plain(used), secret: secretOf(used), away: Boolean(away && away.checked) });
  };
  for (const button of buttons) {
    button.hidden = false;
    for (const part of document.querySelectorAll("[data-with-passkey]")) part.hidden = false;
    button.addEventListener("click", async () => {
      const failed = document.getElementById("passkey-failed");
      if (failed) failed.hidden = true;
      button.disabled = true;
      try {
        const { next } = button.dataset.passkey === "new" ? await add(button) : await enter();
        location.assign(next);
      } catch {
        if (failed) failed.hidden = false;
      } finally {
        button.disabled = false;
      }
    });
  }
})();
