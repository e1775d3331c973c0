// Keeps the part of a page that waits for something fresh: <section data-live="5">
// asks for the same page every 5 seconds and swaps the section when it changed.
// Without script the page has a button that does the same.
(() => {
  const part = document.querySelector("[data-live]");
  if (!part) return;
  const wait = Math.max(2, Number(part.dataset.live) || 5) * 1000;
  const again = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#" + CSS.escape(part.id));
        if (fresh && fresh.innerHTML !== part.innerHTML) part.replaceChildren(...fresh.childNodes);
        if (!fresh || !fresh.hasAttribute("data-live")) return;
      }
    } catch { /* the network is away: the next round tries again */ }
    setTimeout(again, wait);
  };
  setTimeout(again, wait);
})();
