// Small helps: show what is typed in a passphrase, and print. The buttons are hidden in
// the page and shown by this script, so that without it nothing is there that does nothing.
(() => {
  for (const button of document.querySelectorAll("button[data-show]")) {
    const field = document.querySelector(button.dataset.show);
    if (!field) continue;
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "text";
      field.type = shown ? "password" : "text";
      button.setAttribute("aria-pressed", String(!shown));
    });
  }
  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", () => window.print());
  }
  // A second press within a few seconds is a slip of the finger: the first one is at work.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sent && Date.now() - Number(form.dataset.sent) < 4000) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = String(Date.now());
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.forms) delete form.dataset.sent;
  });
})();
