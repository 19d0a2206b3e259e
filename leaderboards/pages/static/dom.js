"use strict";
// Elements, texts and numbers. What a model or a data set wrote becomes a text node, never markup.
(() => {
  const SVG = "http://www.w3.org/2000/svg";

  function fill(node, attributes, children) {
    for (const [name, value] of Object.entries(attributes ?? {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else if (name.startsWith("--")) node.style.setProperty(name, value);
      else if (name === "value" || name === "checked") node[name] = value;
      else node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.flat(3).filter((child) => child !== null && child !== undefined));
    return node;
  }

  bench.h = (tag, attributes, ...children) =>
    fill(document.createElement(tag), attributes, children);
  bench.svg = (tag, attributes, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  // Control characters, marks that turn the direction of writing, and lone surrogates: all that
  // could make a text look like another one.
  const HIDDEN =
    /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|\p{Surrogate}/gu;

  const ASCII = (
    "NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB " +
    "CAN EM SUB ESC FS GS RS US"
  ).split(" ");

  function named(letter) {
    const code = letter.codePointAt(0);
    if (code < 32) return ASCII[code];
    return code === 127 ? "DEL" : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }

  // Gives a text as nodes in which nothing is invisible but spaces, tabs and line breaks.
  bench.shown = (text) => {
    const parts = [];
    let from = 0;
    for (const { 0: letter, index } of String(text ?? "").matchAll(HIDDEN)) {
      parts.push(text.slice(from, index), bench.h("span", { class: "control" }, named(letter)));
      from = index + letter.length;
    }
    return [...parts, String(text ?? "").slice(from)];
  };

  // The same where only plain text can stand: in lists to choose from, titles and charts.
  bench.plain = (text) => String(text ?? "").replace(HIDDEN, (letter) => `[${named(letter)}]`);

  // One line, in which a reader cannot mistake where the name ends.
  bench.name = (text, attributes) => bench.h("bdi", attributes, bench.shown(text));

  // A name of a task, which may break after its slashes.
  bench.path = (text) => {
    const parts = String(text).split(/(?<=\/)/);
    return bench.h(
      "bdi",
      null,
      parts.flatMap((part) => [bench.shown(part), bench.h("wbr")]),
    );
  };

  bench.words = (text) => bench.h("span", { class: "words" }, text);

  bench.number = (value, unit) => {
    if (value === null || value === undefined) return "none";
    if (unit === "share") return value.toFixed(3);
    if (Number.isInteger(value)) return value.toLocaleString("en-US");
    return Math.abs(value) >= 1e6 || Math.abs(value) < 1e-4
      ? value.toExponential(2)
      : String(Number(value.toPrecision(4)));
  };

  bench.signed = (value, unit) => {
    const text = bench.number(value, unit);
    if (value === null || value === undefined) return text;
    return value > 0 ? `+${text}` : text.replace("-", "\u2212");
  };

  bench.count = (value) => (value ?? 0).toLocaleString("en-US");

  bench.interval = (low, high, write = (value) => bench.number(value, "share")) =>
    low === null || low === undefined || high === null || high === undefined
      ? "no interval"
      : `${write(low)} to ${write(high)}`;

  bench.p = (value) => {
    if (value === null || value === undefined) return "none";
    return value < 0.001 ? "<0.001" : value.toFixed(3);
  };

  // A labelled list to choose from; options are values or [value, text].
  bench.choose = (id, label, options, value, onchoose) => {
    const list = bench.h(
      "select",
      { id, onchange: (event) => onchoose(event.target.value) },
      options.map((option) => {
        const [key, text] = Array.isArray(option) ? option : [option, option];
        return bench.h("option", { value: key, selected: key === value }, bench.plain(text));
      }),
    );
    return bench.h("label", { class: "field" }, bench.h("span", null, label), list);
  };

  bench.field = (id, label, value, oninput, hint = "") =>
    bench.h(
      "label",
      { class: "field" },
      bench.h("span", null, label),
      bench.h("input", {
        id,
        type: "search",
        value,
        placeholder: hint,
        autocomplete: "off",
        spellcheck: "false",
        oninput: (event) => oninput(event.target.value),
      }),
    );

  bench.tick = (id, label, checked, onchange) =>
    bench.h(
      "label",
      { class: "tick" },
      bench.h("input", {
        id,
        type: "checkbox",
        checked,
        onchange: (event) => onchange(event.target.checked),
      }),
      bench.h("span", null, label),
    );

  // A box in which a wide table scrolls by itself; with a name, so that it can be reached by keys.
  bench.box = (label, ...children) =>
    bench.h("div", { class: "box", tabindex: "0", role: "region", "aria-label": label }, children);

  bench.note = (...children) => bench.h("p", { class: "note" }, children);
})();
