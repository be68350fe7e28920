// The pages of the office renew themselves: a word from the server, and the marked parts are read again.
// Without this script the pages are the same, and one reloads them.
"use strict";
(() => {
  const SOON = 800; // Between two readings, in milliseconds.
  const ASKED = "?"; // What a new page asks those that are open already.
  const AGAIN = 10000; // Before another try, where the server refused.
  const said = document.getElementById("live-said");
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("direct") : null;
  let leads = false, stale = false, reading = false, last = 0, planned = 0;
  // How far this page was heard of when it was read, and the last word of the server.
  let mark = document.getElementById("heard").dataset.mark, told = null;

  // Where the focus was, in a part that is exchanged: the same control of the new part.
  const CONTROLS = "a[href], button, input, select, textarea, summary, [tabindex]";
  const control = (one) => one.id || one.getAttribute("href") || one.closest("form")?.getAttribute("action") || one.textContent;

  function exchange(before, after) {
    const held = before.contains(document.activeElement) ? control(document.activeElement) : null;
    after = document.importNode(after, true);
    // What a person opened stays open.
    for (const one of before.querySelectorAll("details[open][id]")) after.querySelector(`#${one.id}`)?.setAttribute("open", "");
    before.replaceWith(after);
    if (held) [...after.querySelectorAll(CONTROLS)].find((one) => control(one) === held)?.focus({ preventScroll: true });
  }

  // When the newest yes came.
  const newest = () => Number(document.querySelector("[data-latest]")?.dataset.latest || 0);

  async function read() {
    if (reading) { stale = true; return; }
    reading = true;
    stale = false;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (!answer.ok || answer.redirected) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const known = newest();
      mark = page.getElementById("heard")?.dataset.mark;
      for (const before of document.querySelectorAll("[data-live]")) {
        const after = page.getElementById(before.id);
        if (after && before.outerHTML !== after.outerHTML) exchange(before, after);
      }
      if (newest() > known) {
        said.textContent = "Un nouveau oui vient d’arriver.";
        sound.play();
      }
    } catch { /* No network for a moment: the next word brings another reading. */ } finally {
      reading = false;
      last = Date.now();
      if (stale) changed();
    }
  }

  function changed() {
    // A page that nobody sees is read when it is seen again; one of them keeps the ear open, for the sound.
    if (document.hidden && !leads) { stale = true; return; }
    if (planned) return;
    planned = setTimeout(() => { planned = 0; read(); }, Math.max(0, last + SOON - Date.now()));
  }

  // Each word is heard once: another replica may have drawn the page, and its marks are never this page's.
  function hear(word) {
    if (word === told) return;
    told = word;
    if (word !== mark) changed();
  }

  function listen() {
    const source = new EventSource("/direct");
    source.onmessage = (event) => { hear(event.data); channel?.postMessage(event.data); };
    source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN); };
  }

  // Two notes, soft. The browser lets a page sound once it was clicked on.
  const sound = (() => {
    const button = document.getElementById("sound");
    const off = () => localStorage.getItem("son") === "non";
    const named = () => { button.textContent = off() ? "Remettre le signal sonore" : "Couper le signal sonore"; };
    let context = null;
    function play() {
      // One page of several sounds.
      if (off() || Date.now() - Number(localStorage.getItem("son-joue") || 0) < 3000) return;
      localStorage.setItem("son-joue", String(Date.now()));
      context ??= new AudioContext();
      context.resume();
      for (const [tone, after] of [[523.25, 0], [659.25, .18]]) {
        const [note, loud] = [context.createOscillator(), context.createGain()];
        const at = context.currentTime + after;
        note.frequency.value = tone;
        loud.gain.setValueAtTime(0, at);
        loud.gain.linearRampToValueAtTime(.06, at + .02);
        loud.gain.exponentialRampToValueAtTime(.0001, at + .5);
        note.connect(loud).connect(context.destination);
        note.start(at);
        note.stop(at + .55);
      }
    }
    button.hidden = false;
    named();
    button.addEventListener("click", () => {
      localStorage.setItem("son", off() ? "oui" : "non");
      localStorage.removeItem("son-joue");
      named();
      play();
    });
    return { play };
  })();

  document.addEventListener("visibilitychange", () => { if (!document.hidden && stale) changed(); });
  channel?.addEventListener("message", (event) => {
    if (event.data !== ASKED) hear(event.data);
    else if (leads && told) channel.postMessage(told);
  });
  channel?.postMessage(ASKED);
  // A browser keeps six connections to a server: of all open pages one listens and tells the others.
  if (channel && navigator.locks) navigator.locks.request("direct", () => { leads = true; listen(); return new Promise(() => {}); });
  else { leads = true; listen(); }
})();
