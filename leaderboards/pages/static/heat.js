"use strict";
// A benchmark whose tasks are NAME/A/B as a grid: columns A, rows B, with the groups as margins.
(() => {
  const { h } = bench;

  // Grids by the name of their benchmark; at least half of the cells are there.
  function grids() {
    const found = new Map();
    for (const [task, { name, kind }] of bench.entries.entries()) {
      const [top, a, b, more] = name.split("/");
      if (kind !== "task" || b === undefined || more !== undefined) continue;
      if (!found.has(top)) found.set(top, { across: new Set(), down: new Set(), cells: new Map() });
      const grid = found.get(top);
      grid.across.add(a);
      grid.down.add(b);
      grid.cells.set(`${a}/${b}`, task);
    }
    const full = ([, { across, down, cells }]) =>
      across.size > 1 && down.size > 1 && cells.size >= (across.size * down.size) / 2;
    return new Map([...found].filter(full));
  }

  // Which family each row belongs to: [name, group's entry, rows], in the board's order.
  function families(top, { across, down, cells }) {
    const found = bench.entries
      .map((entry, at) => [entry, at])
      .filter(([{ by, name }]) => by === "language family" && bench.benchmark(name) === top)
      .map(([{ name, tasks }, at]) => {
        const own = new Set(tasks);
        const rows = [...down].filter((b) =>
          [...across].some((a) => own.has(cells.get(`${a}/${b}`))),
        );
        return [name.split("/").at(-1), at, rows];
      });
    const placed = new Set(found.flatMap(([, , rows]) => rows));
    const rest = [...down].filter((b) => !placed.has(b));
    return rest.length ? [...found, [found.length ? "others" : "", undefined, rest]] : found;
  }

  const SHOWS = [
    ["value", "values"],
    ["gap", "gap to the baseline"],
    ["diff", "difference of two runs"],
  ];

  // What a cell shows: {value, text, note, title}; null where there is nothing.
  function reader(show, run, pair) {
    const write = (unit) => (one) =>
      show === "value" ? bench.number(one, unit) : bench.signed(one, unit);
    return (entry) => {
      if (entry === undefined) return null;
      const found =
        show === "value"
          ? bench.value(run, entry)
          : show === "gap"
            ? bench.result(run, entry)?.gap?.m?.[bench.metric(entry)]
            : pair?.[entry];
      if (!found || found[0] === null) return null;
      const number = write(bench.unit(entry));
      return {
        value: found[0],
        text: number(found[0]),
        note: `95% interval ${bench.interval(found[1], found[2], number)}, n ${bench.count(found[3])}`,
        lower: bench.lower(entry),
        unit: bench.unit(entry),
        sure: show === "diff" && found[7] !== "undecided",
      };
    };
  }

  // How strong a colour is: 0..1 of the scale, and which of two colours where the signs differ.
  function tint({ value, lower }, show, most) {
    const strength = Math.min(1, Math.abs(value) / (most || 1));
    const good = show === "value" || (lower ? value < 0 : value > 0);
    return {
      "--strength": `${Math.round(strength * 100)}%`,
      class: `heat ${good ? "up" : "down"}`,
    };
  }

  function cell(entry, read, show, most, extra) {
    const found = read(entry);
    if (!found) return h("td", { class: "none" }, bench.words("none"));
    const link = h(
      "a",
      { href: bench.link("entry", { e: bench.entries[entry].name, ...extra }), title: found.note },
      found.text,
      found.sure ? "*" : "",
    );
    const style = tint(found, show, most);
    return h("td", { ...style, class: `number ${style.class}` }, link);
  }

  const groupAt = (...parts) => bench.entryAt.get(parts.join("/"));

  function rowOf(top, b, grid, shared) {
    const { read, show, most, extra, run, hasGap } = shared;
    const margin = groupAt(top, "*", b);
    const cells = [...grid.across].map((a) =>
      cell(grid.cells.get(`${a}/${b}`), read, show, most, extra),
    );
    const label = h(
      "th",
      { scope: "row" },
      margin === undefined
        ? bench.name(b)
        : h(
            "a",
            { href: bench.link("entry", { e: bench.entries[margin].name, ...extra }) },
            bench.name(b),
          ),
    );
    const marginCell = cell(margin, read, show, most, extra);
    marginCell.classList.add("margin");
    return h("tr", null, label, marginCell, cells, hasGap ? gapOf(margin, run) : null);
  }

  function gapOf(entry, run) {
    const found =
      entry === undefined ? null : bench.result(run, entry)?.gap?.m?.[bench.metric(entry)];
    if (!found) return h("td", { class: "none" }, bench.words("none"));
    return h("td", { class: "number gap" }, bench.gapFigures(found, bench.unit(entry)));
  }

  function familyRow([name, entry], shared, width) {
    const { read, show, most, extra, run, hasGap } = shared;
    if (!name) return null;
    const total = cell(entry, read, show, most, extra);
    total.classList.add("margin");
    const label = h(
      "th",
      { scope: "row" },
      entry === undefined
        ? name
        : h(
            "a",
            { href: bench.link("entry", { e: bench.entries[entry].name, ...extra }) },
            bench.name(name),
          ),
    );
    return h(
      "tr",
      { class: "family" },
      label,
      total,
      h("td", { colspan: width }),
      hasGap ? gapOf(entry, run) : null,
    );
  }

  function grid(top, found, shared) {
    const { read, show, most, extra, run, hasGap, gapTo } = shared;
    const across = [...found.across];
    const heads = across.map((a) => {
      const group = groupAt(top, a);
      const label =
        group === undefined
          ? bench.name(a)
          : h(
              "a",
              { href: bench.link("entry", { e: bench.entries[group].name, ...extra }) },
              bench.name(a),
            );
      return h("th", { scope: "col" }, label);
    });
    const totals = h(
      "tr",
      { class: "total" },
      h("th", { scope: "row" }, "all"),
      cell(groupAt(top), read, show, most, extra),
      across.map((a) => cell(groupAt(top, a), read, show, most, extra)),
      hasGap ? gapOf(groupAt(top), run) : null,
    );
    const rows = families(top, found).flatMap((family) => [
      familyRow(family, shared, across.length),
      ...family[2].map((b) => rowOf(top, b, found, shared)),
    ]);
    const gap = hasGap ? h("th", { scope: "col" }, `gap to ${gapTo}`) : null;
    return h(
      "table",
      { class: "grid" },
      h("caption", { class: "words" }, `${top}: ${SHOWS.find(([key]) => key === show)[1]}`),
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          h("th", { scope: "col" }, bench.words("row")),
          h("th", { scope: "col" }, "all"),
          heads,
          gap,
        ),
      ),
      h("tbody", null, totals, rows),
    );
  }

  function legend(show, most, unit) {
    const steps = show === "value" ? [0, 0.25, 0.5, 0.75, 1] : [-1, -0.5, 0, 0.5, 1];
    const swatches = steps.map((step) => {
      const style = {
        "--strength": `${Math.abs(step) * 100}%`,
        class: `heat ${step < 0 ? "down" : "up"}`,
      };
      return h(
        "span",
        style,
        show === "value" ? bench.number(step * most, unit) : bench.signed(step * most, unit),
      );
    });
    const words = show === "value" ? "" : "blue: better, orange: worse. ";
    return h(
      "p",
      { class: "scale" },
      h("span", null, words),
      swatches,
      show === "diff" ? " * surely, corrected for all tasks" : "",
    );
  }

  function tools(all, top, show, run, other) {
    const shows = SHOWS.filter(([key]) => key !== "diff" || bench.runs.length > 1);
    const pick = (key) => (value) => bench.set({ [key]: value });
    return h(
      "div",
      { class: "tools" },
      bench.choose("heat-benchmark", "Benchmark", [...all.keys()], top, pick("b")),
      bench.choose("heat-show", "Show", shows, show, pick("show")),
      bench.choose(
        "heat-run",
        show === "diff" ? "Candidate" : "Run",
        bench.runChoices(),
        bench.runs[run].name,
        pick("run"),
      ),
      show === "diff"
        ? bench.choose(
            "heat-base",
            "less base",
            bench.runChoices(),
            bench.runs[other].name,
            pick("base"),
          )
        : null,
    );
  }

  // The scale of values is that of all runs, so that maps of two runs have the same colours.
  const shownOf = (found, show, values) =>
    show === "value"
      ? bench.everyRun.flatMap((run) =>
          [...found.cells.values()].map((task) => bench.value(run, task)?.[0] ?? 0),
        )
      : values.map(({ value }) => Math.abs(value));

  async function fillGrid(place, top, found, { show, run, other }) {
    const pair = show === "diff" ? await bench.pair(other, run) : null;
    if (!place.isConnected) return;
    if (show === "diff" && !pair) {
      place.replaceChildren(
        bench.note(
          "These two runs were not compared: they are one and the same, or have nothing in common that may be compared.",
        ),
      );
      return;
    }
    const read = reader(show, run, pair);
    const values = [...found.cells.values()].map(read).filter(Boolean);
    if (!values.length) {
      place.replaceChildren(
        bench.note("There is nothing to show: this run has no such numbers here."),
      );
      return;
    }
    const share = values[0].unit === "share";
    const largest = Math.max(...shownOf(found, show, values));
    const most = share ? Math.max(0.1, Math.ceil(largest * 10) / 10) : largest || 1;
    const gapTo = [...bench.entries.keys()]
      .map((e) => bench.benchmark(bench.entries[e].name) === top && bench.result(run, e)?.gap?.to)
      .find(Boolean);
    const hasGap = show !== "gap" && show !== "diff" && Boolean(gapTo);
    const extra = { a: bench.runs[run].name, b: show === "diff" ? bench.runs[other].name : "" };
    const shared = { read, show, most, extra, run, hasGap, gapTo: gapTo?.split("/").at(-1) };
    place.replaceChildren(
      legend(show, most, values[0].unit),
      bench.box(`${top} by row and column`, grid(top, found, shared)),
    );
  }

  bench.views.heat = {
    title: "Heat map",
    there: () => grids().size > 0,
    build(main, params) {
      const all = grids();
      const top = all.has(params.get("b"))
        ? params.get("b")
        : all.has("humaneval_xl")
          ? "humaneval_xl"
          : [...all.keys()][0];
      if (!top) {
        main.append(bench.note("No benchmark here has tasks of the form NAME/A/B."));
        return;
      }
      const show = SHOWS.some(([key]) => key === params.get("show")) ? params.get("show") : "value";
      const first =
        bench.everyRun.find((one) =>
          [...all.get(top).cells.values()].some((task) => bench.value(one, task)),
        ) ?? 0;
      const run = bench.runNamed(params.get("run"), first);
      const other = bench.runNamed(
        params.get("base"),
        bench.everyRun.find((one) => one !== run) ?? 0,
      );
      const place = h("div", { class: "chart-place" });
      main.append(tools(all, top, show, run, other), place);
      fillGrid(place, top, all.get(top), { show, run, other }).catch((problem) =>
        place.replaceChildren(bench.note(problem.message)),
      );
    },
  };
})();
