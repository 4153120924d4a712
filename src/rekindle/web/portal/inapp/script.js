/* Shows what somebody is to see in this shop, and tells what they did with it. Version 1.
   A shadow root, no markup of data, no inline style: a strict CSP is no hindrance. */
(() => {
  "use strict";
  const tag = document.currentScript;
  const { key, look } = tag.dataset;
  const api = new URL("../v1/inapp", tag.src);
  const words = { de: ["Ansehen", "Schließen"], es: ["Ver", "Cerrar"], fr: ["Voir", "Fermer"] };
  const said = words[document.documentElement.lang.slice(0, 2)] || ["Open", "Close"];
  const style = new CSSStyleSheet();
  style.replaceSync(`
    .box { --ink: #1d2528; --paper: #fff; --on: #fff; --accent: var(--rekindle-colour, #1f5f5b);
      box-sizing: border-box; max-width: min(26rem, 100vw - 2rem); padding: 1.25rem;
      border: 1px solid #8a9296; border-radius: .75rem; background: var(--paper);
      color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
    section { position: fixed; inset: auto 1rem 1rem auto; z-index: 2147483647;
      max-height: calc(100vh - 2rem); overflow: auto; }
    dialog::backdrop { background: #0008; }
    h2 { margin: 0 0 .5rem; font-size: 1.25rem; }
    p { margin: 0 0 1rem; white-space: pre-line; }
    a, button { display: inline-block; margin-right: .75rem; padding: .6rem 1rem; font: inherit;
      border: 1px solid; border-radius: .5rem; background: none; color: inherit;
      text-decoration: none; cursor: pointer; }
    a { background: var(--accent); border-color: var(--accent); color: var(--on); }
    :focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
    @media (prefers-color-scheme: dark) { .box { --ink: #eef2f2; --paper: #1d2528;
      --on: #10201e; --accent: var(--rekindle-colour-dark, #8fd0c8); } }
    @media (prefers-reduced-motion: no-preference) { .box { animation: in .2s; } }
    @keyframes in { from { opacity: 0; translate: 0 .5rem; } }`);
  let token = tag.dataset.token;
  let current = null;

  const tell = (message, event) =>
    fetch(`${api}/events`, {
      method: "POST", keepalive: true, credentials: "omit",
      // Text may be posted elsewhere without asking first, also while the page is left.
      headers: { "Content-Type": "text/plain" },
      body: JSON.stringify({ writeKey: key, token, events: [{ message, event }] }),
    }).catch(() => {});

  const remove = () => {
    if (!current) return;
    current.seeing.disconnect();
    clearTimeout(current.timer);
    if (current.box.open) current.box.close();
    current.host.remove();
    current = null;
  };

  const end = (event) => {
    if (!current) return;
    tell(current.id, event);
    remove();
  };

  const add = (parent, name, text = "") => {
    const made = document.createElement(name);
    made.textContent = text;
    return parent.appendChild(made);
  };

  // An app's own links are for the app.
  const page = (url) => {
    try {
      const found = new URL(url, location.href);
      return /^https?:$/.test(found.protocol) && url ? found.href : "";
    } catch { return ""; }
  };

  const show = ({ id, title, body, url }) => {
    const host = document.createElement("rekindle-message");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [style];
    const box = add(root, look === "banner" ? "section" : "dialog");
    box.className = "box";
    box.setAttribute("aria-labelledby", "title");
    box.setAttribute("aria-describedby", "body");
    add(box, "h2", title).id = "title";
    add(box, "p", body).id = "body";
    if (page(url)) {
      const link = add(box, "a", said[0]);
      link.href = page(url);
      link.onclick = () => end("clicked");
    }
    add(box, "button", said[1]).onclick = () => end("dismissed");
    box.oncancel = () => end("dismissed");
    box.onkeydown = (press) => { if (press.key === "Escape") end("dismissed"); };
    const seeing = new IntersectionObserver(([seen]) => {
      clearTimeout(current?.timer);
      if (current && seen.isIntersecting && !document.hidden)
        current.timer = setTimeout(() => tell(id, "shown"), 1000);
    }, { threshold: 0.5 });
    current = { id, host, box, seeing };
    document.body.append(host);
    if (box.showModal) box.showModal();
    seeing.observe(box);
  };

  const ask = async () => {
    if (!key || !token) return remove();
    try {
      const answer = await fetch(api, {
        credentials: "omit",
        headers: { Authorization: `Bearer ${key}`, "Rekindle-Person": token },
      });
      const { message } = answer.ok ? await answer.json() : {};
      if (message && current?.id === message.id) return;
      remove();
      if (message) show(message);
    } catch { remove(); }
  };

  window.rekindleInApp = (given) => { token = given; return ask(); };
  // A page that comes back, from memory or from another tab, may be of yesterday.
  addEventListener("pageshow", (event) => event.persisted && ask());
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  ask();
})();
