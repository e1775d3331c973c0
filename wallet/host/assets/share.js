// Copies a link or a text; without script it is selected by hand.
(() => {
  if (!navigator.clipboard) return;
  document.querySelectorAll("button[data-copy]").forEach((button) => {
    const field = document.getElementById(button.dataset.copy);
    if (!field) return;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(field.value ?? field.textContent);
        button.textContent = button.dataset.done;
      } catch {
        getSelection().selectAllChildren(field);
        field.select?.();
      }
    });
  });
})();
