// Helps to write one's own words: one more row, and suggestions from a list that is too
// long for the page. Without script there are empty rows, and the list in the page.
(() => {
  for (const button of document.querySelectorAll("button[data-more]")) {
    const rows = () => button.parentElement.querySelectorAll(".words-row");
    let left = Number(button.dataset.more);
    button.hidden = false;
    button.addEventListener("click", () => {
      const all = rows(), row = all[all.length - 1].cloneNode();
      row.value = "";
      row.setAttribute("aria-label", button.dataset.label.replace("%", all.length + 1));
      button.before(row);
      row.focus();
      button.hidden = --left <= 0;
    });
  }

  const list = document.getElementById("words-list");
  if (!list || !("more" in list.dataset)) return;
  let wait = 0, asked = "";
  document.addEventListener("input", (event) => {
    const typed = event.target.getAttribute("list") === list.id ? event.target.value.trim() : "";
    clearTimeout(wait);
    if (typed.length < 2 || typed === asked) return;
    wait = setTimeout(async () => {
      asked = typed;
      try {
        const answer = await fetch("/suggest", {
          method: "POST", body: new URLSearchParams({ typed }), credentials: "same-origin", headers: { Accept: "application/json" },
        });
        if (!answer.ok || answer.redirected) return;
        const { words } = await answer.json();
        list.replaceChildren(...words.map((word) => new Option(word)));
      } catch { /* without suggestions one types on */ }
    }, 250);
  });
})();
