"use strict";
// Questions to the board: by position (R of a run, E of an entry) or by name, as links have them.
(() => {
  const lookup = (rows) => new Map(rows.map((row, at) => [row.name, at]));

  bench.open = () => {
    const board = bench.board;
    bench.runs = board.runs;
    bench.entries = board.entries;
    bench.runAt = lookup(board.runs);
    bench.entryAt = lookup(board.entries);
    bench.everyRun = board.runs.map((_, at) => at);
    bench.compared = new Set((board.pairs ?? []).map(([a, b]) => `${a}-${b}`));
    bench.benchmarks = [...new Set(board.entries.map((entry) => benchmark(entry.name)))];
  };

  const benchmark = (name) => name.split("/")[0];
  bench.benchmark = benchmark;

  bench.result = (run, entry) => bench.board.results[run]?.[entry];

  bench.metric = (entry, macro = false) => {
    const { metrics } = bench.entries[entry];
    const other = metrics[0]?.replace(/ \(micro\)$/, " (macro)");
    return macro && metrics.includes(other) ? other : metrics[0];
  };

  // [value, low, high, n], by the metric that ranks unless another is named.
  bench.value = (run, entry, metric = bench.metric(entry)) =>
    bench.result(run, entry)?.m[metric] ?? null;

  bench.lower = (entry, metric = bench.metric(entry)) =>
    (bench.entries[entry].lower ?? []).includes(metric);

  bench.unit = (entry) => bench.entries[entry].unit;

  // Which runs may stand side by side: the first class is the largest.
  bench.classes = (entry) => bench.board.classes?.[entry] ?? [{ runs: bench.everyRun, why: "" }];
  bench.classOf = (run, entry) =>
    Math.max(
      0,
      bench.classes(entry).findIndex(({ runs }) => runs.includes(run)),
    );

  bench.rank = (run, entry) => {
    const ranks = bench.board.ranks?.[entry];
    const rank = ranks?.[run];
    if (!rank) return null;
    const peers = bench.classes(entry)[bench.classOf(run, entry)].runs;
    return { rank, tied: peers.some((peer) => peer !== run && ranks[peer] === rank) };
  };

  // Runs with a result, the best first and those without a value last.
  bench.ordered = (runs, entry, metric = bench.metric(entry)) => {
    const sign = bench.lower(entry, metric) ? 1 : -1;
    const value = (run) => bench.value(run, entry, metric)?.[0] ?? null;
    return [...runs].sort((one, other) => {
      const [a, b] = [value(one), value(other)];
      if (a === null || b === null) return (a === null) - (b === null) || one - other;
      return sign * (a - b) || one - other;
    });
  };

  // The comparison of B with its base A. Files hold one direction; the other has its signs turned.
  bench.pair = async (a, b) => {
    if (!bench.compared.has(`${Math.min(a, b)}-${Math.max(a, b)}`)) return null;
    const pair = await bench.load(`pairs/${Math.min(a, b)}-${Math.max(a, b)}`);
    return a < b
      ? pair
      : Object.fromEntries(Object.entries(pair).map(([e, row]) => [e, turn(row)]));
  };

  const less = (value) => (value === null ? null : value === 0 ? 0 : -value);
  const TURNED = { better: "worse", worse: "better", undecided: "undecided" };

  function turn([value, low, high, n, p, holm, detectable, verdict, base, candidate]) {
    const turned = [less(value), less(high), less(low), n, p, holm, detectable];
    return [...turned, TURNED[verdict], candidate, base];
  }

  bench.runNamed = (name, otherwise = 0) => bench.runAt.get(name) ?? otherwise;

  // Runs as choices of a list.
  bench.runChoices = (none = "") => [
    ...(none ? [["", none]] : []),
    ...bench.runs.map(({ name }) => [name, name]),
  ];

  bench.runLabel = (run) => {
    const { name, imported } = bench.runs[run];
    return [
      bench.name(name),
      imported ? bench.h("span", { class: "tag" }, `imported: ${imported}`) : null,
    ];
  };

  bench.runLink = (run) =>
    bench.h(
      "a",
      { href: bench.link("run", { run: bench.runs[run].name }) },
      bench.name(bench.runs[run].name),
    );

  bench.entryLink = (entry, extra = {}) => {
    const { name } = bench.entries[entry];
    return bench.h("a", { href: bench.link("entry", { e: name, ...extra }) }, bench.path(name));
  };
})();
