"use strict";
// The address holds the whole state: #VIEW?key=value&key=value. Going back is the browser's own.
(() => {
  const ORDER = ["board", "heat", "curves", "refusal", "versus", "forest"];
  let shown = "";

  bench.link = (view, params = {}) => {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(params)) {
      for (const one of [value].flat()) if (one !== "" && one !== null) query.append(key, one);
    }
    return `#${view}${query.size ? `?${query}` : ""}`;
  };

  function parse() {
    const [view, ...query] = location.hash.slice(1).split("?");
    return {
      view: bench.views[view] ? view : "board",
      params: new URLSearchParams(query.join("?")),
    };
  }

  bench.params = () => parse().params;

  // Changes some of the address. Typing replaces it, so that "back" leads to the last choice.
  bench.set = (changes, { replace = false } = {}) => {
    const { view, params } = parse();
    const kept = Object.fromEntries([...params.keys()].map((key) => [key, params.getAll(key)]));
    const hash = bench.link(view, { ...kept, ...changes });
    if (hash === location.hash) return;
    if (replace) location.replace(hash);
    else location.hash = hash;
  };

  // A view that is drawn anew keeps the focus on the control that was used.
  function keepingFocus(draw) {
    const { id, selectionStart: at } = document.activeElement ?? {};
    draw();
    const again = id && document.getElementById(id);
    if (!again || again === document.activeElement) return;
    again.focus({ preventScroll: true });
    if (again.type === "search") again.setSelectionRange(at, at);
  }

  function draw(view, params) {
    const main = document.querySelector("main");
    const heading = bench.h("h2", { tabindex: "-1" }, bench.views[view].title);
    main.replaceChildren(heading);
    bench.views[view].build(main, params);
    return heading;
  }

  function show() {
    const { view, params } = parse();
    if (view === shown && bench.views[view].update) bench.views[view].update(params);
    else if (view === shown) keepingFocus(() => draw(view, params));
    else {
      const first = shown === "";
      shown = view;
      mark(view);
      const heading = draw(view, params);
      if (!first) {
        window.scrollTo(0, 0);
        heading.focus({ preventScroll: true });
      }
    }
    const where = document.querySelector("main h2").textContent;
    document.title = bench.plain(`${where} · ${bench.board.title}`);
  }

  function mark(view) {
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
  }

  bench.say = (text) => {
    document.getElementById("said").textContent = bench.plain(text);
  };

  function furnish() {
    const there = ORDER.filter((view) => bench.views[view].there());
    document
      .querySelector("nav ul")
      .replaceChildren(
        ...there.map((view) =>
          bench.h("li", null, bench.h("a", { href: `#${view}` }, bench.views[view].title)),
        ),
      );
    const button = document.getElementById("theme");
    const label = () => {
      button.textContent = `Theme: ${bench.theme.get()}`;
    };
    button.addEventListener("click", () => {
      bench.theme.next();
      label();
    });
    label();
    document.getElementById("skip").addEventListener("click", (event) => {
      event.preventDefault(); // its address would be taken for a view
      document.querySelector("main").focus();
    });
  }

  if (!bench.board) {
    document
      .querySelector("main")
      .replaceChildren(bench.note("data/board.js is missing or damaged. Build this page again."));
    return;
  }
  bench.open();
  furnish();
  window.addEventListener("hashchange", show);
  show();
})();
