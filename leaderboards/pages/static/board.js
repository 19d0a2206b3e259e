"use strict";
// The board: a row a run, a column an entry. Rows are built once for a choice of columns; sorting
// and filtering only put them in another order.
(() => {
  const { h } = bench;
  const WIDE = 50; // columns at a time, which a browser sorts at once
  const FACTS = {
    "@form": ["form", (run) => run.form],
    "@date": ["date", (run) => (run.created ?? "").slice(0, 10)],
    "@tokens": ["tokens written", (run) => run.usage?.completion_tokens ?? null],
    "@cost": ["cost", (run) => run.usage?.cost ?? null],
  };
  let table, head, body, rows, every, columns, drawn;

  // Columns are positions of entries, or names of facts.
  function chosen(params) {
    const picked = params.getAll("col");
    const part = params.get("b") ?? "";
    const words = (params.get("c") ?? "").toLowerCase();
    const facts = Object.keys(FACTS).filter((fact) =>
      bench.runs.some((run) => FACTS[fact][1](run) !== null),
    );
    if (picked.length)
      return picked
        .map((name) => (FACTS[name] ? name : bench.entryAt.get(name)))
        .filter((c) => c !== undefined);
    if (!part && !words) return [...bench.board.main, ...facts];
    return bench.entries
      .map((entry, at) => [entry, at])
      .filter(([{ name }]) => !part || bench.benchmark(name) === part)
      .filter(([{ name }]) => name.toLowerCase().includes(words))
      .sort(([one], [other]) => (one.kind === "task") - (other.kind === "task"))
      .map(([, at]) => at);
  }

  const columnName = (column) => (FACTS[column] ? column : bench.entries[column].name);

  function sortOf(params) {
    const key = params.get("sort") ?? "";
    if (key === "@run") return { column: "@run", down: params.get("dir") === "down" };
    const at = FACTS[key] ? key : bench.entryAt.get(key);
    const column = every.includes(at) ? at : (every.find((one) => !FACTS[one]) ?? "@run");
    const first = FACTS[column] || column === "@run" || bench.lower(column) ? "up" : "down";
    return { column, down: (params.get("dir") || first) === "down" };
  }

  function keyOf(run, column, macro) {
    if (column === "@run") return bench.runs[run].name.toLowerCase();
    if (FACTS[column]) return FACTS[column][1](bench.runs[run]);
    return bench.value(run, column, bench.metric(column, macro))?.[0] ?? null;
  }

  function sorted(params) {
    const { column, down } = sortOf(params);
    const macro = params.get("agg") === "macro";
    const keyed = rows.map((row) => [keyOf(row.run, column, macro), row]);
    keyed.sort(([a, one], [b, other]) => {
      if (a === null || b === null) return (a === null) - (b === null) || one.run - other.run;
      const order = typeof a === "string" ? a.localeCompare(b) : a - b;
      return (down ? -order : order) || one.run - other.run;
    });
    return keyed.map(([, row]) => row);
  }

  const haystack = (run) =>
    JSON.stringify([run.name, run.model, run.form, run.imported, run.folder]).toLowerCase();

  function arrange(params) {
    const words = (params.get("q") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
    const { column, down } = sortOf(params);
    const fitting = sorted(params).filter(({ text }) => words.every((word) => text.includes(word)));
    bench.sections(body, fitting, typeof column === "number" ? column : null, columns.length + 1);
    for (const cell of head.cells) {
      const own = cell.dataset.column === String(column);
      if (own) cell.setAttribute("aria-sort", down ? "descending" : "ascending");
      else cell.removeAttribute("aria-sort");
    }
    const wide = columns.length < every.length ? ` of ${every.length}` : "";
    const count = `${fitting.length} of ${rows.length} runs, ${columns.length}${wide} columns`;
    document.getElementById("board-count").textContent = count;
    bench.say(count);
  }

  function headCell(column) {
    const fact = FACTS[column];
    const name = column === "@run" ? "run" : (fact?.[0] ?? bench.entries[column].name);
    const button = h(
      "button",
      { type: "button", id: `sort-${column}`, class: "sort", onclick: () => turn(column) },
      fact || column === "@run" ? name : bench.path(name),
      h("span", { class: "arrow", "aria-hidden": "true" }),
    );
    const below = fact || column === "@run" ? null : about(column);
    return h("th", { scope: "col", "data-column": String(column) }, button, below);
  }

  function about(column) {
    const macro = bench.params().get("agg") === "macro";
    const metric = bench.metric(column, macro);
    const better = bench.lower(column, metric) ? "less is better" : "";
    return h(
      "div",
      { class: "metric" },
      bench.name(metric ?? ""),
      better ? ` · ${better}` : "",
      " ",
      h(
        "a",
        {
          href: bench.link("entry", { e: bench.entries[column].name }),
          "aria-label": `about ${bench.entries[column].name}`,
        },
        "about",
      ),
    );
  }

  function turn(column) {
    const params = bench.params();
    const before = sortOf(params);
    const lower = FACTS[column] || column === "@run" || bench.lower(column);
    const first = lower ? "up" : "down";
    const next = before.column === column ? (before.down ? "up" : "down") : first;
    bench.set({ sort: column === "@run" ? column : columnName(column), dir: next });
  }

  function factCell(run, column) {
    const value = FACTS[column][1](bench.runs[run]);
    if (value === null || value === "") return h("td", { class: "none", "aria-label": "unknown" });
    return typeof value === "number"
      ? h("td", { class: "number" }, bench.count(value))
      : h("td", null, bench.name(value));
  }

  function makeRow(run, macro) {
    const label = h("th", { scope: "row" }, bench.runLink(run), bench.runLabel(run).slice(1));
    const cells = columns.map((column) =>
      FACTS[column]
        ? factCell(run, column)
        : bench.valueCell(run, column, bench.metric(column, macro)),
    );
    return { run, text: haystack(bench.runs[run]), node: h("tr", null, label, cells) };
  }

  function fillTable(params) {
    const key = JSON.stringify([
      params.getAll("col"),
      params.get("b"),
      params.get("c"),
      params.get("agg"),
      params.get("from"),
    ]);
    if (key === drawn) return;
    drawn = key;
    every = chosen(params);
    const from = Math.min(
      Math.max(0, Number(params.get("from")) || 0),
      Math.floor((every.length - 1) / WIDE) * WIDE,
    );
    columns = every.slice(from, from + WIDE);
    document.getElementById("board-turn").replaceChildren(...turning(from));
    const macro = params.get("agg") === "macro";
    head.replaceChildren(headCell("@run"), ...columns.map(headCell));
    rows = bench.everyRun.map((run) => makeRow(run, macro));
    table.style.width = `calc(${columns.length} * 156px + var(--first))`;
    document.getElementById("board-notes").replaceChildren(...notes());
  }

  function turning(from) {
    if (every.length <= WIDE) return [];
    const step = (id, label, to) =>
      h(
        "button",
        {
          type: "button",
          id,
          disabled: to < 0 || to >= every.length,
          onclick: () => bench.set({ from: to || "" }),
        },
        label,
      );
    const text = `columns ${from + 1} to ${from + columns.length} of ${every.length}`;
    return [
      step("columns-before", "\u2190 columns", from - WIDE),
      h("span", { class: "count" }, text),
      step("columns-after", "columns \u2192", from + WIDE),
    ];
  }

  // Why runs stand apart, once for each reason.
  function notes() {
    const found = new Map();
    for (const column of columns.filter((one) => !FACTS[one])) {
      for (const [at, { runs, why }] of bench.classes(column).entries()) {
        if (!at) continue;
        const key = `${bench.letter(at)}. ${why} (${runs.map((run) => bench.runs[run].name).join(", ")})`;
        found.set(key, [...(found.get(key) ?? []), bench.entries[column].name]);
      }
    }
    if (!found.size) return [];
    const items = [...found].map(([why, names]) => {
      const some = names.slice(0, 3).join(", ");
      const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
      return h("li", null, bench.shown(`${why}: ${some}${more}`));
    });
    return [h("h3", null, "Runs that stand apart"), h("ul", null, items)];
  }

  function controls(params) {
    const parts = [["", "Main results"], ...bench.benchmarks.map((name) => [name, name])];
    const typed = (key) => (value) =>
      bench.set({ [key]: value, ...(key === "c" ? { col: [], from: "" } : {}) }, { replace: true });
    return h(
      "div",
      { class: "tools", role: "search" },
      bench.field("find-run", "Find runs", params.get("q") ?? "", typed("q"), "name, model, form"),
      bench.choose("benchmark", "Benchmark", parts, params.get("b") ?? "", (b) =>
        bench.set({ b, c: "", col: [], sort: "", dir: "", from: "" }),
      ),
      bench.field(
        "find-column",
        "Find entries",
        params.get("c") ?? "",
        typed("c"),
        "part of a name",
      ),
      bench.choose(
        "agg",
        "Groups",
        [
          ["", "micro"],
          ["macro", "macro"],
        ],
        params.get("agg") ?? "",
        (agg) => bench.set({ agg }),
      ),
      h("p", { class: "count", id: "board-count" }),
      h("div", { class: "steps", id: "board-turn" }),
    );
  }

  function chooser() {
    const details = h(
      "details",
      { id: "columns", class: "chooser" },
      h("summary", null, "Choose columns"),
    );
    details.addEventListener("toggle", () => details.open && fillChooser(details));
    return details;
  }

  function fillChooser(details) {
    const list = h("div", { class: "ticks" });
    const draw = (words) => list.replaceChildren(...ticks(words.toLowerCase()));
    const clear = h(
      "button",
      { type: "button", onclick: () => bench.set({ col: [], b: "", c: "", from: "" }) },
      "Back to the main results",
    );
    details.replaceChildren(
      details.firstChild,
      bench.field("find-tick", "Find", "", draw),
      clear,
      list,
    );
    draw("");
  }

  function ticks(words) {
    const all = [...Object.keys(FACTS), ...bench.entries.keys()];
    return all
      .filter((column) => columnName(column).toLowerCase().includes(words))
      .map((column) =>
        bench.tick(
          `tick-${column}`,
          FACTS[column]?.[0] ?? bench.path(columnName(column)),
          every.includes(column),
          (on) => {
            const next = on ? [...every, column] : every.filter((one) => one !== column);
            bench.set({ col: next.map(columnName) }, { replace: true });
          },
        ),
      );
  }

  function update(params) {
    for (const [id, key] of [
      ["find-run", "q"],
      ["find-column", "c"],
      ["benchmark", "b"],
      ["agg", "agg"],
    ]) {
      const field = document.getElementById(id);
      if (field !== document.activeElement) field.value = params.get(key) ?? "";
    }
    fillTable(params);
    arrange(params);
    const open = document.querySelector("#columns[open] .ticks");
    for (const box of open?.querySelectorAll("input") ?? []) {
      const column = box.id.slice(5);
      box.checked = every.includes(FACTS[column] ? column : Number(column));
    }
  }

  bench.views.board = {
    title: "Board",
    there: () => true,
    build(main, params) {
      drawn = null;
      head = h("tr");
      body = h("tbody");
      table = h(
        "table",
        { class: "board" },
        h("caption", { class: "words" }, "Results: a row a run, a column an entry"),
        h("thead", null, head),
        body,
      );
      main.append(
        controls(params),
        chooser(),
        bench.box("Results", table),
        h("section", { id: "board-notes", class: "notes" }),
      );
      update(params);
    },
    update,
  };
})();
