// Follows the bridge: when something changed, fetch this page anew and swap the parts marked data-live.
// Choices in forms, focus and a text selection stay as they are.
"use strict";
(() => {
  const root = document.documentElement;
  const still = "still" in root.dataset; // the answer to a form: it is not fetched again
  const SILENT_MS = 15000;
  const PATIENCE_MS = 10000;
  const AGAIN_MS = 5000;
  let heard = Date.now();
  let busy = false;
  let again = false;
  let events = null;

  const inputs = (part) => [...part.querySelectorAll("input[type=checkbox], input[type=radio]")];
  const name = (input) => `${input.name}=${input.value}`;

  function swap(part, fresh) {
    const selection = document.getSelection();
    const selecting = selection && selection.type === "Range" && part.contains(selection.anchorNode);
    if (part.innerHTML === fresh.innerHTML || selecting) return;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const mark = focused && (focused.value || focused.getAttribute("href"));
    const chosen = new Map(inputs(part).map((input) => [name(input), input.checked]));
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const scrolled = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    part.innerHTML = fresh.innerHTML;
    inputs(part).forEach((input) => { input.checked = chosen.get(name(input)) ?? input.checked; });
    part.querySelectorAll("details").forEach((details, n) => { details.open = open[n] || false; });
    part.querySelectorAll(".scroll").forEach((box, n) => { box.scrollLeft = scrolled[n] || 0; });
    if (mark) {
      const same = [...part.querySelectorAll("a, input")].find(
        (one) => one.value === mark || one.getAttribute("href") === mark);
      if (same) same.focus({ preventScroll: true });
    }
  }

  function show(text) {
    const page = new DOMParser().parseFromString(text, "text/html");
    document.querySelectorAll("[data-live]").forEach((part) => {
      const fresh = page.getElementById(part.id);
      if (fresh) swap(part, fresh);
    });
    document.title = page.title;
    root.dataset.verdict = page.documentElement.dataset.verdict;
  }

  function found() {
    heard = Date.now();
    delete root.dataset.lost;
  }

  function lose() {
    root.dataset.lost = "";
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(still ? "/" : location.href, { signal: AbortSignal.timeout(PATIENCE_MS) });
      if (answer.redirected) { location.assign(answer.url); return; }
      if (answer.status >= 500) { lose(); return; }
      found();
      if (!still && answer.ok) show(await answer.text());
    } catch {
      lose();
    } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  function follow() {
    if (events || document.hidden) return;
    const stream = new EventSource("/events");
    events = stream;
    heard = Date.now();
    stream.addEventListener("changed", () => { if (still) found(); else refresh(); });
    stream.addEventListener("error", () => {
      if (stream !== events) return;
      if (stream.readyState === EventSource.CLOSED) { // the browser itself tries again only where it was cut off
        rest();
        setTimeout(follow, AGAIN_MS);
      }
      refresh();
    });
  }

  // A page that nobody sees keeps no connection: a browser has only six per site.
  function rest() {
    if (events) events.close();
    events = null;
  }

  document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else follow(); });
  setInterval(() => { if (!document.hidden && Date.now() - heard > SILENT_MS) lose(); }, 1000);
  follow();
})();
