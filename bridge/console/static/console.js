// Follows the bridge: when something changed, fetch this page anew and swap the parts marked data-live.
// Choices in forms, focus and a text selection stay as they are.
"use strict";
(() => {
  const root = document.documentElement;
  const SILENT_MS = 15000;
  let heard = Date.now();
  let busy = false;
  let again = false;

  function choices(part) {
    return new Set([...part.querySelectorAll("input:checked")].map((input) => `${input.name}=${input.value}`));
  }

  function swap(part, fresh) {
    const selection = document.getSelection();
    const selecting = selection && selection.type === "Range" && part.contains(selection.anchorNode);
    if (part.innerHTML === fresh.innerHTML || selecting) return;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const mark = focused && (focused.value || focused.getAttribute("href"));
    const chosen = choices(part);
    const open = [...part.querySelectorAll("details")].map((details) => details.open);
    const scrolled = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    part.innerHTML = fresh.innerHTML;
    part.querySelectorAll("input").forEach((input) => {
      if (chosen.has(`${input.name}=${input.value}`)) input.checked = true;
    });
    part.querySelectorAll("details").forEach((details, n) => { details.open = open[n] || false; });
    part.querySelectorAll(".scroll").forEach((box, n) => { box.scrollLeft = scrolled[n] || 0; });
    if (mark) {
      const same = [...part.querySelectorAll("a, input")].find(
        (one) => one.value === mark || one.getAttribute("href") === mark);
      if (same) same.focus({ preventScroll: true });
    }
  }

  async function refresh() {
    if (busy) { again = true; return; }
    busy = true;
    try {
      const answer = await fetch(location.href, { credentials: "same-origin" });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      document.querySelectorAll("[data-live]").forEach((part) => {
        const fresh = page.getElementById(part.id);
        if (fresh) swap(part, fresh);
      });
      document.title = page.title;
      root.dataset.verdict = page.documentElement.dataset.verdict;
    } catch {
      root.dataset.lost = "";
    } finally {
      busy = false;
      if (again) { again = false; refresh(); }
    }
  }

  const still = "still" in root.dataset;
  let events = null;

  function follow() {
    if (events || document.hidden) return;
    events = new EventSource("/events");
    heard = Date.now();
    events.addEventListener("changed", () => {
      heard = Date.now();
      delete root.dataset.lost;
      if (!still) refresh();
    });
    events.addEventListener("error", () => {
      root.dataset.lost = "";
      if (events && events.readyState === EventSource.CLOSED) {
        rest();
        setTimeout(follow, 5000);
        if (!still) refresh();
      }
    });
  }

  // A page that nobody sees keeps no connection: a browser has only six per site.
  function rest() {
    if (events) events.close();
    events = null;
  }

  document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else follow(); });
  setInterval(() => { if (!document.hidden && Date.now() - heard > SILENT_MS) root.dataset.lost = ""; }, 1000);
  follow();
})();
