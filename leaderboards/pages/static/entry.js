"use strict";
// One entry: all its metrics in every run, its members or its samples. And one run.
(() => {
  const { h } = bench;
  let drawn;

  function intervals(entry, run) {
    const found = bench.value(run, entry);
    if (!found || found[0] === null) return h("td");
    const [from, to] = bench.unit(entry) === "share" ? [0, 1] : range(entry);
    return h("td", { class: "plot" }, bench.whisker(found, from, to));
  }

  function range(entry) {
    const all = bench.everyRun.flatMap((run) => bench.value(run, entry)?.slice(0, 3) ?? []);
    const known = all.filter((value) => value !== null);
    return [Math.min(...known), Math.max(...known)];
  }

  function gapCell(run, entry) {
    const gap = bench.result(run, entry)?.gap;
    const found = gap?.m?.[bench.metric(entry)];
    if (!found) return h("td", null, bench.words("none"));
    return h(
      "td",
      { class: "number" },
      bench.gapFigures(found, bench.unit(entry)),
      bench.words(` to ${gap.to}`),
    );
  }

  function runRow(run, entry, hasGap) {
    const { metrics } = bench.entries[entry];
    const result = bench.result(run, entry);
    const cells = metrics.map((metric, at) => {
      const found = result.m[metric];
      if (!found) return h("td", { class: "none" }, bench.words("none"));
      const marks = at ? [] : bench.marks(run, entry);
      return h("td", { class: "number" }, bench.figures(found, bench.unit(entry), marks));
    });
    const told = [
      bench.verdicts(result.v),
      bench.rates(result.r),
      result.u ? `${bench.count(result.u)} unscored` : "",
    ];
    const node = h(
      "tr",
      null,
      h("th", { scope: "row" }, bench.runLink(run), bench.runLabel(run).slice(1)),
      intervals(entry, run),
      cells,
      hasGap ? gapCell(run, entry) : null,
      h("td", { class: "told" }, told.filter(Boolean).join(" · ")),
    );
    return { run, node };
  }

  function runsTable(entry) {
    const { metrics, lower } = bench.entries[entry];
    const runs = bench.ordered(
      bench.everyRun.filter((run) => bench.result(run, entry)),
      entry,
    );
    const hasGap = runs.some((run) => bench.result(run, entry).gap);
    const less = (metric) =>
      lower?.includes(metric) ? h("div", { class: "metric" }, "less is better") : null;
    const heads = ["run", "95% interval"].map((text) => h("th", { scope: "col" }, text));
    heads.push(
      ...metrics.map((metric) => h("th", { scope: "col" }, bench.name(metric), less(metric))),
    );
    if (hasGap) heads.push(h("th", { scope: "col" }, "gap to ", bench.path(gapName(runs, entry))));
    heads.push(h("th", { scope: "col" }, "how the answers ended"));
    const body = h("tbody");
    bench.sections(
      body,
      runs.map((run) => runRow(run, entry, hasGap)),
      entry,
      heads.length,
    );
    return bench.box(
      "Runs",
      h("table", { class: "runs" }, h("thead", null, h("tr", null, heads)), body),
    );
  }

  const gapName = (runs, entry) =>
    runs.map((run) => bench.result(run, entry).gap?.to).find(Boolean) ?? "baseline";

  function members(entry, runs) {
    const rows = bench.entries[entry].tasks.map((task) =>
      h(
        "tr",
        null,
        h("th", { scope: "row" }, bench.entryLink(task, { a: bench.runs[runs[0]].name })),
        runs.map((run) => bench.valueCell(run, task)),
      ),
    );
    const heads = runs.map((run) => h("th", { scope: "col" }, bench.name(bench.runs[run].name)));
    return [
      h("h3", null, `Its ${rows.length} tasks`),
      bench.box(
        "Tasks",
        h(
          "table",
          null,
          h("thead", null, h("tr", null, h("th", { scope: "col" }, "task"), heads)),
          h("tbody", null, rows),
        ),
      ),
    ];
  }

  function headline(entry) {
    const { about, kind, by, tasks, version, baseline } = bench.entries[entry];
    const facts = [
      kind === "group"
        ? `group of ${tasks.length} tasks${by ? ` by ${by}` : ""}`
        : `task, version ${version}`,
    ];
    const base =
      baseline === null || baseline === undefined
        ? null
        : [" · baseline ", bench.entryLink(baseline)];
    return [
      about ? h("p", { class: "lead" }, bench.shown(about)) : null,
      h("p", { class: "facts" }, facts, base),
    ];
  }

  bench.views.entry = {
    title: "Entry",
    there: () => false,
    build(main, params) {
      const entry = bench.entryAt.get(params.get("e"));
      drawn = params.get("e");
      if (entry === undefined) {
        main.append(bench.note("This page has no such entry. Go to the board."));
        return;
      }
      main.firstChild.replaceChildren(bench.path(bench.entries[entry].name));
      main.append(...headline(entry).filter(Boolean), runsTable(entry));
      const runs = bench.ordered(
        bench.everyRun.filter((run) => bench.result(run, entry)),
        entry,
      );
      if (bench.entries[entry].kind === "group") main.append(...members(entry, runs.slice(0, 20)));
      else if (bench.board.samples?.[entry]) main.append(bench.samples.section(entry, params));
      else main.append(bench.note("The samples of this task are not on this page."));
    },
    update(params) {
      if (drawn === params.get("e")) bench.samples.update(params);
      else {
        const main = document.querySelector("main");
        main.replaceChildren(main.querySelector("h2"));
        this.build(main, params);
        window.scrollTo(0, 0);
      }
    },
  };

  function pairs(title, values) {
    const rows = Object.entries(values ?? {}).filter(([, value]) => value !== null && value !== "");
    if (!rows.length) return null;
    const write = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));
    const list = rows.map(([key, value]) => [
      h("dt", null, bench.name(key)),
      h("dd", null, bench.name(write(value))),
    ]);
    return h("section", { class: "pairs" }, h("h3", null, title), h("dl", null, list));
  }

  function resultsOf(run) {
    const have = [...bench.entries.keys()].filter((entry) => bench.result(run, entry));
    const rows = have.map((entry) => {
      const result = bench.result(run, entry);
      const told = [bench.verdicts(result.v), bench.rates(result.r)].filter(Boolean).join(" · ");
      const label = h("th", { scope: "row" }, bench.entryLink(entry, { a: bench.runs[run].name }));
      return h(
        "tr",
        null,
        label,
        h("td", null, bench.name(bench.metric(entry) ?? "")),
        bench.valueCell(run, entry),
        h("td", { class: "told" }, told),
      );
    });
    const heads = ["entry", "metric", "value", "how the answers ended"].map((text) =>
      h("th", { scope: "col" }, text),
    );
    return bench.box(
      "Results",
      h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, rows)),
    );
  }

  bench.views.run = {
    title: "Run",
    there: () => false,
    build(main, params) {
      const run = bench.runAt.get(params.get("run"));
      if (run === undefined) {
        main.append(bench.note("This page has no such run. Go to the board."));
        return;
      }
      const {
        name,
        model,
        form,
        sampling,
        created,
        imported,
        usage,
        versions,
        hardware,
        folder,
        draws,
      } = bench.runs[run];
      main.firstChild.replaceChildren(bench.name(name));
      const facts = { created, form, folder, "answers a sample": draws, "imported from": imported };
      const sections = [
        pairs("Run", facts),
        pairs("Model", model),
        pairs("Sampling", sampling),
        pairs("Usage", usage),
        pairs("Hardware", hardware),
        pairs("Versions", versions),
      ];
      main.append(h("div", { class: "facts-grid" }, sections), resultsOf(run));
    },
  };
})();
