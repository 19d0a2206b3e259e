"use strict";
// Who wins against whom by a judge's word, and how far the judge favours what it reads first.
(() => {
  const { h } = bench;

  // By task: a map from opponents to entries.
  function matches() {
    const found = new Map();
    for (const [entry, { against }] of bench.entries.entries()) {
      if (!against) continue;
      const { task, opponent } = against;
      if (!found.has(task)) found.set(task, new Map());
      found.get(task).set(opponent, entry);
    }
    return found;
  }

  const having = (opponents) =>
    bench.everyRun.filter((run) =>
      [...opponents.values()].some((entry) => bench.value(run, entry, "win_rate")),
    );

  function cell(run, entry, opponent) {
    const found = bench.value(run, entry, "win_rate");
    if (bench.runs[run].name === opponent && !found) return h("td", { class: "none" }, "\u2013");
    if (!found || found[0] === null) return h("td", { class: "none" }, bench.words("not compared"));
    const equal = bench.value(run, entry, "lc_win_rate");
    const better = found[0] >= 0.5;
    const style = {
      "--strength": `${Math.round(Math.abs(found[0] - 0.5) * 200)}%`,
      class: `number heat ${better ? "up" : "down"}`,
    };
    return h(
      "td",
      style,
      h(
        "a",
        { href: bench.link("entry", { e: bench.entries[entry].name, a: bench.runs[run].name }) },
        bench.figures(found, "share", bench.marks(run, entry)),
      ),
      equal && equal[0] !== null
        ? h("span", { class: "around" }, `at equal length ${bench.number(equal[0], "share")}`)
        : null,
    );
  }

  function matrix(opponents, runs) {
    const columns = [...opponents];
    const heads = columns.map(([name]) =>
      h("th", { scope: "col" }, h("span", { class: "metric" }, "against "), bench.name(name)),
    );
    const rows = runs.map((run) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, bench.runLink(run)),
        columns.map(([name, entry]) => cell(run, entry, name)),
      ),
    );
    return bench.box(
      "Win rates",
      h(
        "table",
        { class: "duel" },
        h("thead", null, h("tr", null, h("th", { scope: "col" }, "run"), heads)),
        h("tbody", null, rows),
      ),
    );
  }

  function bias(opponents, runs) {
    const rows = runs.flatMap((run) =>
      [...opponents]
        .map(([name, entry]) => [run, name, bench.value(run, entry, "first_place")])
        .filter(([, , found]) => found && found[0] !== null),
    );
    if (!rows.length) return [];
    const body = rows.map(([run, name, found]) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, bench.runLink(run), " against ", bench.name(name)),
        h("td", { class: "plot" }, bench.whisker(found, 0, 1, { zero: 0.5 })),
        h("td", { class: "number" }, bench.figures(found, "share")),
      ),
    );
    const heads = ["judged", "0 \u2026 0.5 \u2026 1", "first place preferred"].map((text) =>
      h("th", { scope: "col" }, text),
    );
    return [
      h("h3", null, "Position bias of the judge"),
      h(
        "p",
        { class: "lead" },
        "How often the answer that is shown first is preferred. The line is 0.5: no bias.",
      ),
      bench.box(
        "Position bias",
        h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, body)),
      ),
    ];
  }

  bench.views.versus = {
    title: "Win rates",
    there: () => matches().size > 0,
    build(main, params) {
      const all = matches();
      if (!all.size) {
        main.append(bench.note("No run here was judged against another (tasks versus/RUN/TASK)."));
        return;
      }
      const task = all.has(params.get("task")) ? params.get("task") : [...all.keys()][0];
      const runs = having(all.get(task));
      main.append(
        h(
          "p",
          { class: "lead" },
          "Win rate of the row against the column: wins and half of the ties; 0.5 is even. Blue: wins more often, orange: less often.",
        ),
        h(
          "div",
          { class: "tools" },
          bench.choose("versus-task", "Task", [...all.keys()], task, (one) =>
            bench.set({ task: one }),
          ),
        ),
        matrix(all.get(task), runs),
        ...bias(all.get(task), runs),
      );
    },
  };
})();
