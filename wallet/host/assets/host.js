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
})();
