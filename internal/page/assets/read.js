// Reads the page aloud, where the browser has a voice: the button is hidden without.
(() => {
  const button = document.querySelector("button[data-read]");
  const voice = window.speechSynthesis;
  if (!button || !voice || !window.SpeechSynthesisUtterance) return;
  const lang = document.documentElement.lang || "nl";
  let round = 0;
  const stop = () => {
    round++;
    voice.cancel();
    button.setAttribute("aria-pressed", "false");
  };
  // What a person sees in main, without what can be pressed.
  const text = () => {
    const away = document.querySelectorAll("main button, main .no-read, main textarea, main select");
    away.forEach((e) => e.classList.add("unread"));
    const seen = document.querySelector("main").innerText;
    away.forEach((e) => e.classList.remove("unread"));
    return seen;
  };
  // Sentence by sentence: some voices fall silent in the middle of a long text.
  const sentences = () => text().split(/\n+|(?<=[.!?])\s+/).map((s) => s.trim()).filter(Boolean);
  const start = () => {
    const mine = ++round;
    voice.cancel();
    button.setAttribute("aria-pressed", "true");
    const all = sentences();
    all.forEach((sentence, i) => {
      const words = new SpeechSynthesisUtterance(sentence);
      words.lang = lang;
      words.rate = 0.95;
      words.onend = words.onerror = () => { if (mine === round && i === all.length - 1) stop(); };
      voice.speak(words);
    });
    if (!all.length) stop();
  };
  button.hidden = false;
  button.addEventListener("click", () => (button.getAttribute("aria-pressed") === "true" ? stop() : start()));
  window.addEventListener("pagehide", stop);
})();
