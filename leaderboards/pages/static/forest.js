"use strict";
// A comparison of two runs: a row an entry, the difference with its interval around 0.
(() => {
  const { h } = bench;
  const LIMIT = 500;
  const LEAD =
    "Candidate less base on the samples that both have; 95% intervals, exact p where there is one, " +
    "Holm over all that is compared. Detectable: the smallest true difference that a comparison of " +
    "this size would see 4 times in 5.";
  const WORDS = { better: "\u25b2 better", worse: "\u25bc worse", undecided: "undecided" };
  const KINDS = [
    ["", "benchmarks and groups"],
    ["task", "tasks"],
    ["all", "all"],
  ];

  function wanted(params) {
    const kind = params.get("kind") ?? "";
    const words = (params.get("t") ?? "").toLowerCase();
    const verdict = params.get("v") ?? "";
    const main = new Set(bench.board.main);
    return ([entry, row]) => {
      const one = bench.entries[entry];
      if (!one || !one.name.toLowerCase().includes(words)) return false;
      if (kind === "task" && one.kind !== "task") return false;
      if (!kind && one.kind !== "group" && !main.has(Number(entry))) return false;
      return !verdict || row[7] === verdict;
    };
  }

  function range(rows, unit) {
    const values = rows.flatMap(([, row]) => row.slice(0, 3)).filter((value) => value !== null);
    const most = Math.max(...values.map(Math.abs), unit === "share" ? 0.05 : 1e-9) * 1.05;
    return [-most, most];
  }

  function line([entry, row], ranges, names) {
    const [value, low, high, n, p, holm, detectable, verdict, base, candidate] = row;
    const unit = bench.unit(entry);
    const write = (one) => bench.number(one, unit);
    const signed = (one) => bench.signed(one, unit);
    return h(
      "tr",
      { class: verdict },
      h(
        "th",
        { scope: "row" },
        bench.entryLink(entry, names),
        h(
          "span",
          { class: "metric" },
          " ",
          bench.name(bench.metric(entry)),
          bench.lower(entry) ? " · less is better" : "",
        ),
      ),
      h(
        "td",
        { class: "plot" },
        bench.whisker([value, low, high], ...ranges[unit], { zero: 0, kind: verdict }),
      ),
      h(
        "td",
        { class: "number" },
        h("span", { class: "value" }, signed(value)),
        h("span", { class: "around" }, bench.interval(low, high, signed)),
      ),
      h("td", null, h("span", { class: `mark-${verdict}` }, WORDS[verdict])),
      h("td", { class: "number" }, write(base)),
      h("td", { class: "number" }, write(candidate)),
      h("td", { class: "number" }, bench.count(n)),
      h("td", { class: "number" }, bench.p(holm)),
      h("td", { class: "number" }, bench.p(p)),
      h("td", { class: "number" }, detectable === null ? "none" : write(detectable)),
    );
  }

  function table(rows, names) {
    const ranges = Object.fromEntries(
      ["share", "number"].map((unit) => [
        unit,
        range(
          rows.filter(([entry]) => bench.unit(entry) === unit),
          unit,
        ),
      ]),
    );
    const most = bench.number(ranges.share[1], "share");
    const heads = [
      "entry",
      `\u2212${most} \u2026 0 \u2026 +${most}`,
      "difference",
      "verdict",
      "base",
      "candidate",
      "n",
      "p (Holm)",
      "p",
      "detectable",
    ];
    return bench.box(
      "Differences",
      h(
        "table",
        { class: "forest" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            heads.map((text) => h("th", { scope: "col" }, text)),
          ),
        ),
        h(
          "tbody",
          null,
          rows.map((row) => line(row, ranges, names)),
        ),
      ),
    );
  }

  async function fillForest(place, params, base, candidate) {
    const pair = await bench.pair(base, candidate);
    if (!place.isConnected) return;
    if (!pair) {
      place.replaceChildren(
        bench.note(
          base === candidate
            ? "Choose two different runs."
            : "These two runs have nothing in common that may be compared.",
        ),
      );
      return;
    }
    const fits = wanted(params);
    const order = params.get("order") === "name" ? 0 : 1;
    const gain = ([entry, [value]]) =>
      value === null ? -Infinity : bench.lower(entry) ? -value : value;
    const rows = Object.entries(pair)
      .map(([entry, row]) => [Number(entry), row])
      .filter(fits);
    rows.sort((one, other) => (order ? gain(other) - gain(one) : 0) || one[0] - other[0]);
    const counts = Object.keys(WORDS).map(
      (verdict) => `${rows.filter(([, row]) => row[7] === verdict).length} ${verdict}`,
    );
    const said = `${rows.length} compared: ${counts.join(", ")}`;
    const names = { a: bench.runs[candidate].name, b: bench.runs[base].name };
    place.replaceChildren(
      h(
        "p",
        { class: "lead" },
        `${said}${rows.length > LIMIT ? `; the first ${LIMIT} are shown` : ""}.`,
      ),
      rows.length ? table(rows.slice(0, LIMIT), names) : bench.note("Nothing here fits."),
    );
    bench.say(said);
  }

  function tools(params, base, candidate) {
    const pick = (key) => (value) => bench.set({ [key]: value });
    const verdicts = [["", "all"], "better", "worse", "undecided"];
    const [from, to] = [bench.runs[base].name, bench.runs[candidate].name];
    return h(
      "div",
      { class: "tools" },
      bench.choose("forest-base", "Base", bench.runChoices(), from, pick("base")),
      bench.choose("forest-candidate", "Candidate", bench.runChoices(), to, pick("candidate")),
      bench.choose("forest-kind", "Entries", KINDS, params.get("kind") ?? "", pick("kind")),
      bench.choose("forest-verdict", "Verdict", verdicts, params.get("v") ?? "", pick("v")),
      bench.choose(
        "forest-order",
        "Order",
        [
          ["", "by difference"],
          ["name", "as on the board"],
        ],
        params.get("order") ?? "",
        pick("order"),
      ),
      bench.field(
        "forest-text",
        "Find",
        params.get("t") ?? "",
        (t) => bench.set({ t }, { replace: true }),
        "part of a name",
      ),
      h(
        "button",
        {
          type: "button",
          id: "forest-swap",
          onclick: () => bench.set({ base: to, candidate: from }),
        },
        "Swap",
      ),
    );
  }

  bench.views.forest = {
    title: "Compare",
    there: () => bench.runs.length > 1,
    build(main, params) {
      const [first] = bench.board.pairs ?? [];
      const base = bench.runNamed(params.get("base"), first?.[0] ?? 0);
      const candidate = bench.runNamed(
        params.get("candidate"),
        bench.everyRun.find(
          (run) =>
            run !== base && bench.compared.has(`${Math.min(run, base)}-${Math.max(run, base)}`),
        ) ?? base,
      );
      const place = h("div", { class: "chart-place" }, bench.note("Loading."));
      main.append(h("p", { class: "lead" }, LEAD), tools(params, base, candidate), place);
      fillForest(place, params, base, candidate).catch((problem) =>
        place.replaceChildren(bench.note(problem.message)),
      );
    },
  };
})();
