"use strict";
// The samples of a task: a list of which only what is seen exists, searched piece by piece.
(() => {
  const { h } = bench;
  const HEIGHT = 28;
  const TALLEST = 8e6; // browsers draw nothing taller than some ten million pixels
  let task, runs, list, inner, found, active, job, last;

  const sizes = (entry) => bench.board.samples[entry];
  const piece = (entry, at) => bench.load(`index/${entry}/${Math.floor(at / sizes(entry).index)}`);

  const verdictOf = (letter) =>
    !letter || letter === "-" ? "" : bench.board.verdicts[letter.charCodeAt(0) - 97];

  bench.verdict = (verdict) => {
    const mark =
      verdict === "passed"
        ? "\u2713"
        : verdict === "infrastructure_error"
          ? "!"
          : verdict
            ? "\u2717"
            : "\u2013";
    const kind = verdict === "passed" ? "passed" : "failed";
    const words = verdict ? verdict.replaceAll("_", " ") : "not answered";
    return h(
      "span",
      { class: `verdict ${verdict ? kind : ""}` },
      h("span", { "aria-hidden": "true" }, `${mark} `),
      words,
    );
  };

  const having = (entry) =>
    bench.ordered(
      bench.everyRun.filter((run) => bench.result(run, entry)),
      entry,
    );

  function asked(entry, params) {
    return {
      entry,
      a: bench.runNamed(params.get("a"), having(entry)[0]),
      b: bench.runNamed(params.get("b"), null),
      verdict: params.get("v") ?? "",
      differs: params.get("d") === "1",
      words: (params.get("t") ?? "").toLowerCase(),
    };
  }

  function test({ a, b, verdict, differs, words }) {
    const letter = verdict && String.fromCharCode(97 + bench.board.verdicts.indexOf(verdict));
    return ({ ids, groups, runs: own }, at) => {
      const [one, other] = [own[a], own[b]];
      if (letter && one?.v[at] !== letter) return false;
      if (differs && (!one || !other || one.v[at] === "-" || other.v[at] === "-")) return false;
      if (differs && one.v[at] === other.v[at] && one.x?.[at] === other.x?.[at]) return false;
      return (
        !words ||
        ids[at].toLowerCase().includes(words) ||
        (groups?.[at] ?? "").toLowerCase().includes(words)
      );
    };
  }

  // The positions that fit, or null where all do. What was found last is kept for the next sample.
  async function matching(query, progress = () => {}) {
    if (!query.verdict && !query.differs && !query.words) return null;
    const key = JSON.stringify(query);
    if (last?.key === key) return last.found;
    const mine = (job = Symbol("search"));
    const { n, index } = sizes(query.entry);
    const fits = test(query);
    const positions = [];
    for (let from = 0; from < n; from += index) {
      const rows = await piece(query.entry, from);
      if (job !== mine) return undefined; // another search has begun
      for (let at = 0; at < rows.ids.length; at += 1) if (fits(rows, at)) positions.push(from + at);
      progress(positions, Math.min(n, from + index));
    }
    last = { key, found: positions };
    return positions;
  }

  const total = () => found?.length ?? sizes(task).n;
  const tall = () => Math.min(TALLEST, Math.max(1, total()) * HEIGHT);
  const visible = () => Math.max(1, Math.floor(list.clientHeight / HEIGHT));

  // Which row stands on top; where the list is too tall, a pixel stands for several rows.
  function top() {
    const most = Math.max(0, total() - visible());
    const way = tall() - list.clientHeight;
    return way <= 0 ? 0 : Math.round((list.scrollTop / way) * most);
  }

  function scrollToRow(row) {
    const most = Math.max(1, total() - visible());
    const way = Math.max(0, tall() - list.clientHeight);
    if (row < top()) list.scrollTop = (row / most) * way;
    else if (row >= top() + visible()) list.scrollTop = ((row - visible() + 1) / most) * way;
  }

  function cell(rows, run, at, unit) {
    if (run === null) return null;
    const own = rows.runs[run];
    const value = own?.x?.[at];
    const text =
      value === null || value === undefined
        ? ""
        : bench.number(value, Number.isInteger(value) ? "number" : unit);
    return h(
      "span",
      { class: "said" },
      bench.verdict(verdictOf(own?.v[at])),
      " ",
      h("span", { class: "x" }, text),
    );
  }

  async function option(row, query) {
    const position = found ? found[row] : row;
    const rows = await piece(task, position);
    const at = position % sizes(task).index;
    const unit = bench.unit(task);
    return h(
      "div",
      {
        role: "option",
        id: `row-${row}`,
        class: "row",
        "data-position": String(position),
        "data-row": String(row),
        "aria-selected": String(row === active),
        "aria-posinset": String(row + 1),
        "aria-setsize": String(total()),
      },
      h("span", { class: "id" }, bench.name(rows.ids[at])),
      cell(rows, query.a, at, unit),
      cell(rows, query.b, at, unit),
    );
  }

  async function paint() {
    const box = list;
    const query = asked(task, bench.params());
    const from = Math.max(0, top() - 5);
    const to = Math.min(total(), top() + visible() + 6);
    inner.style.height = `${tall()}px`;
    let nodes;
    try {
      nodes = await Promise.all(
        Array.from({ length: to - from }, (_, at) => option(from + at, query)),
      );
    } catch (problem) {
      status(problem.message);
      return;
    }
    if (box !== list) return;
    const lead = Math.max(
      0,
      Math.min(list.scrollTop - (top() - from) * HEIGHT, tall() - nodes.length * HEIGHT),
    );
    const layer = h("div", { class: "layer", role: "presentation" }, nodes);
    layer.style.transform = `translateY(${lead}px)`;
    inner.replaceChildren(layer);
    if (document.getElementById(`row-${active}`))
      list.setAttribute("aria-activedescendant", `row-${active}`);
    else list.removeAttribute("aria-activedescendant");
  }

  function openRow(row) {
    if (row < 0 || row >= total()) return;
    const params = Object.fromEntries(bench.params());
    location.hash = bench.link("sample", { ...params, s: String(found ? found[row] : row) });
  }

  const STEPS = {
    ArrowDown: () => 1,
    ArrowUp: () => -1,
    PageDown: visible,
    PageUp: () => -visible(),
    Home: () => -Infinity,
    End: () => Infinity,
  };

  function press(event) {
    if (event.key === "Enter" || event.key === " ") openRow(active);
    else if (STEPS[event.key]) {
      active = Math.max(0, Math.min(total() - 1, active + STEPS[event.key]()));
      scrollToRow(active);
      paint();
    } else return;
    event.preventDefault();
  }

  function status(text) {
    const place = document.getElementById("sample-count");
    if (place) place.textContent = text;
    bench.say(text);
  }

  async function update(params) {
    if (!list) return;
    const query = asked(task, params);
    const own = list;
    for (const [id, key] of [
      ["sample-a", "a"],
      ["sample-b", "b"],
      ["sample-verdict", "v"],
      ["sample-text", "t"],
    ]) {
      const field = document.getElementById(id);
      if (field && field !== document.activeElement)
        field.value = params.get(key) ?? (key === "a" ? bench.runs[runs[0]].name : "");
    }
    const differs = document.getElementById("sample-differs");
    differs.checked = query.differs;
    differs.disabled = query.b === null;
    active = 0;
    try {
      const progress = (positions, seen) => {
        status(`${bench.count(positions.length)} found in ${bench.count(seen)} samples`);
        found = positions;
        if (inner.querySelectorAll(".row").length < visible()) paint(); // what is found is shown at once
      };
      found = [];
      inner.replaceChildren();
      const positions = await matching(query, progress);
      if (positions === undefined || own !== list) return;
      found = positions;
    } catch (problem) {
      status(problem.message);
      return;
    }
    status(
      found
        ? `${bench.count(found.length)} of ${bench.count(sizes(task).n)} samples`
        : `${bench.count(sizes(task).n)} samples`,
    );
    list.scrollTop = 0;
    await paint();
  }

  function tools(params) {
    const names = runs.map((run) => bench.runs[run].name);
    const verdicts = bench.board.verdicts.filter((verdict) =>
      runs.some((run) => bench.result(run, task).v?.[verdict]),
    );
    const choose = (key) => (value) => bench.set({ [key]: value });
    return h(
      "div",
      { class: "tools" },
      bench.choose("sample-a", "Run", names, params.get("a") ?? names[0], choose("a")),
      bench.choose(
        "sample-b",
        "beside",
        [["", "no other run"], ...names],
        params.get("b") ?? "",
        (b) => bench.set(b ? { b } : { b, d: "" }),
      ),
      bench.choose(
        "sample-verdict",
        "Verdict",
        [["", "all"], ...verdicts.map((verdict) => [verdict, verdict.replaceAll("_", " ")])],
        params.get("v") ?? "",
        choose("v"),
      ),
      bench.tick("sample-differs", "only where the two differ", params.get("d") === "1", (on) =>
        bench.set({ d: on ? "1" : "" }),
      ),
      bench.field(
        "sample-text",
        "Find",
        params.get("t") ?? "",
        (t) => bench.set({ t }, { replace: true }),
        "part of an id",
      ),
      h("p", { class: "count", id: "sample-count" }),
    );
  }

  function section(entry, params) {
    [task, runs, found, active] = [entry, having(entry), null, 0];
    inner = h("div", { class: "inner", role: "presentation" });
    list = h(
      "div",
      {
        class: "samples",
        id: "samples",
        role: "listbox",
        tabindex: "0",
        "aria-label": "Samples; Enter opens one",
        onkeydown: press,
        onscroll: () => requestAnimationFrame(paint),
        onclick: (event) => openRow(Number(event.target.closest(".row")?.dataset.row ?? -1)),
      },
      inner,
    );
    requestAnimationFrame(() => update(params));
    return h("section", { "aria-label": "Samples" }, h("h3", null, "Samples"), tools(params), list);
  }

  bench.samples = { section, update, matching, asked, piece };
})();
