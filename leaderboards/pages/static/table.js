"use strict";
// Cells that several views show: a value with its interval, n and rank.
(() => {
  const ranked = ({ rank, tied }) => (tied ? `rank ${rank}, tied` : `rank ${rank}`);

  // Runs of a later class may not be compared with the first; a letter leads to the reason.
  const apartOf = (run, entry) => {
    const at = bench.classOf(run, entry);
    return at ? { letter: letter(at), why: bench.classes(entry)[at].why } : null;
  };

  bench.marks = (run, entry) => {
    const [rank, apart] = [bench.rank(run, entry), apartOf(run, entry)];
    const text = rank && `${rank.rank}${rank.tied ? "=" : ""}`;
    return [
      rank &&
        bench.h(
          "span",
          { class: rank.rank === 1 ? "rank first" : "rank", title: ranked(rank) },
          text,
        ),
      apart &&
        bench.h("span", { class: "apart-mark", title: `stands apart: ${apart.why}` }, apart.letter),
    ];
  };

  const letter = (at) => String.fromCharCode(96 + Math.min(at, 26));
  bench.letter = letter;

  const percent = (value) => `${(100 * Math.min(1, Math.max(0, value))).toFixed(1)}%`;

  // The strip below a share shows its interval.
  bench.strip = (found, unit) =>
    unit !== "share" || found[1] === null || found[2] === null
      ? {}
      : { "--low": percent(found[1]), "--high": percent(found[2]), class: "number strip" };

  bench.figures = (found, unit, marks = []) => [
    bench.h("span", { class: "value" }, bench.number(found[0], unit)),
    marks,
    bench.h(
      "span",
      { class: "around" },
      `${bench.interval(found[1], found[2], (value) => bench.number(value, unit))} n\u00a0${bench.count(found[3])}`,
    ),
  ];

  // What is read out of a cell, as one text: a board has thousands of them.
  function spoken(found, run, entry) {
    const unit = bench.unit(entry);
    const [rank, apart] = [bench.rank(run, entry), apartOf(run, entry)];
    const interval = bench.interval(found[1], found[2], (value) => bench.number(value, unit));
    const parts = [
      bench.number(found[0], unit),
      rank && ranked(rank),
      apart && `stands apart, ${apart.letter}`,
    ];
    return [...parts, `95% interval ${interval}`, `n ${bench.count(found[3])}`]
      .filter(Boolean)
      .join(", ");
  }

  bench.valueCell = (run, entry, metric) => {
    const found = bench.value(run, entry, metric);
    if (!found) return bench.h("td", { class: "none", "aria-label": "not run" });
    const unit = bench.unit(entry);
    const unscored = bench.result(run, entry).u;
    const href = bench.link("entry", { e: bench.entries[entry].name, a: bench.runs[run].name });
    const link = bench.h(
      "a",
      { href, "aria-label": spoken(found, run, entry) },
      bench.figures(found, unit, bench.marks(run, entry)),
      unscored ? bench.h("span", { class: "unscored" }, `${bench.count(unscored)} unscored`) : null,
    );
    return bench.h("td", { class: "number", ...bench.strip(found, unit) }, link);
  };

  // Sets rows into an order; those of a later class come below a line that says why.
  bench.sections = (body, rows, entry, columns) => {
    const classes = entry === null ? [] : bench.classes(entry);
    if (classes.length < 2) {
      body.replaceChildren(...rows.map(({ node }) => node));
      return;
    }
    const nodes = classes.flatMap(({ why }, at) => {
      const own = rows.filter(
        ({ run }) => bench.classOf(run, entry) === at && bench.value(run, entry),
      );
      return at && own.length ? [apart(why, at, columns), ...own] : own;
    });
    const rest = rows.filter((row) => !nodes.includes(row));
    body.replaceChildren(...[...nodes, ...rest].map((row) => row.node ?? row));
  };

  function apart(why, at, columns) {
    const text = `${letter(at)}. Not comparable with the runs above: ${why}`;
    return bench.h(
      "tr",
      { class: "apart" },
      bench.h(
        "th",
        { colspan: columns, scope: "rowgroup" },
        bench.h("span", null, bench.shown(text)),
      ),
    );
  }

  bench.verdicts = (counts) => {
    const total = Object.values(counts ?? {}).reduce((sum, count) => sum + count, 0);
    const order = bench.board.verdicts.filter((verdict) => counts?.[verdict]);
    return order
      .map((verdict) => [verdict.replaceAll("_", " "), counts[verdict] / total])
      .map(([verdict, share]) => `${verdict} ${share < 0.005 ? "<1" : Math.round(100 * share)}%`)
      .join(" · ");
  };

  // Rates that verdicts do not tell already.
  const RATES = { truncated: "at the token limit", empty: "empty" };
  bench.rates = (rates) =>
    Object.entries(RATES)
      .filter(([name]) => rates?.[name] > 0)
      .map(([name, words]) => `(${words} ${(100 * rates[name]).toFixed(1)}%)`)
      .join(" · ");
})();
