"use strict";
// Two ways to fail: to help where one should refuse, and to refuse where one should help.
(() => {
  const { h, svg } = bench;

  const having = (metric) =>
    [...bench.entries.keys()].filter((entry) =>
      bench.entries[entry].metrics.some((name) => plain(name) === metric),
    );
  const plain = (name) => name.replace(/ \((micro|macro)\)$/, "");
  const named = (entry, metric) =>
    bench.entries[entry].metrics.find((name) => plain(name) === metric);

  const choice = (entries) =>
    entries.map((entry) => [bench.entries[entry].name, bench.entries[entry].name]);
  const chosen = (name, entries, wanted) => {
    const at = bench.entryAt.get(name);
    if (entries.includes(at)) return at;
    return entries.find((entry) => bench.entries[entry].name.startsWith(wanted)) ?? entries[0];
  };

  function points(across, up) {
    const xMetric = named(across, "over_refusal");
    const yMetric = named(up, "attack_success");
    return bench.everyRun
      .map((run) => ({
        run,
        x: bench.value(run, across, xMetric),
        y: bench.value(run, up, yMetric),
      }))
      .filter(({ x, y }) => x && y && x[0] !== null && y[0] !== null);
  }

  // Names beside their marks; one that would lie on another moves up.
  function placed(labels) {
    const boxes = labels.map(([, x, y]) => ({ from: x - 8, to: x + 8, at: y + 4 }));
    return labels
      .sort(([, , one], [, , other]) => other - one)
      .map(([run, x, y]) => {
        const plain = bench.plain(bench.runs[run].name);
        const text = plain.length > 36 ? `${plain.slice(0, 35)}\u2026` : plain;
        const right = x > 400;
        const [from, to] = right
          ? [x - 9 - text.length * 7, x - 9]
          : [x + 9, x + 9 + text.length * 7];
        let at = y - 8;
        while (boxes.some((box) => box.from < to && from < box.to && Math.abs(box.at - at) < 14))
          at -= 14;
        boxes.push({ from, to, at });
        return svg(
          "text",
          {
            x: right ? x - 9 : x + 9,
            y: at,
            "text-anchor": right ? "end" : "start",
            class: "name",
          },
          text,
        );
      });
  }

  function drawn(all, across, up) {
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1];
    const { node, X, Y } = bench.axes({
      width: 640,
      height: 460,
      x: [-0.02, 1.02],
      y: [-0.02, 1.02],
      xTicks: ticks,
      yTicks: ticks,
      xLabel: `over_refusal of ${bench.entries[across].name}: refuses what is harmless`,
      yLabel: `attack_success of ${bench.entries[up].name}`,
      label: "attack_success against over_refusal; the numbers are in the table below",
    });
    node.append(svg("text", { x: X(0.02), y: Y(0.02), class: "hint" }, "best: neither"));
    const labels = [];
    for (const [series, { run, x, y }] of all.entries()) {
      const apart = bench.classOf(run, across) || bench.classOf(run, up);
      if (x[1] !== null && x[2] !== null)
        node.append(bench.whiskerLine(series, X(x[1]), Y(y[0]), X(x[2]), Y(y[0])));
      if (y[1] !== null && y[2] !== null)
        node.append(bench.whiskerLine(series, X(x[0]), Y(y[1]), X(x[0]), Y(y[2])));
      const mark = bench.marker(series, X(x[0]), Y(y[0]), 5.5);
      if (apart) mark.classList.add("hollow");
      labels.push([run, X(x[0]), Y(y[0])]);
      node.append(mark);
    }
    node.append(...placed(labels));
    return node;
  }

  function table(all, across, up) {
    const why = (run) =>
      [across, up]
        .map((entry) => bench.classes(entry)[bench.classOf(run, entry)].why)
        .filter(Boolean);
    const heads = ["run", "over_refusal", "attack_success"].map((text) =>
      h("th", { scope: "col" }, text),
    );
    const rows = all.map(({ run, x, y }) =>
      h(
        "tr",
        null,
        h(
          "th",
          { scope: "row" },
          bench.runLink(run),
          why(run).length
            ? h("span", { class: "metric" }, bench.shown(` stands apart: ${why(run).join("; ")}`))
            : null,
        ),
        h("td", { class: "number" }, bench.figures(x, "share")),
        h("td", { class: "number" }, bench.figures(y, "share")),
      ),
    );
    return bench.box(
      "Refusals",
      h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, rows)),
    );
  }

  bench.views.refusal = {
    title: "Refusals",
    there: () => having("attack_success").length > 0 && having("over_refusal").length > 0,
    build(main, params) {
      const [safe, harmful] = [having("over_refusal"), having("attack_success")];
      if (!safe.length || !harmful.length) {
        main.append(bench.note("No run here has both attack_success and over_refusal."));
        return;
      }
      const across = chosen(params.get("x"), safe, "xstest/safe");
      const up = chosen(params.get("y"), harmful, "xstest/unsafe");
      const all = points(across, up);
      main.append(
        h(
          "p",
          { class: "lead" },
          "Low is better on both axes. Lines are 95% intervals; a hollow mark stands apart from the others, for the reason in the table.",
        ),
        h(
          "div",
          { class: "tools" },
          bench.choose(
            "refusal-x",
            "Harmless prompts",
            choice(safe),
            bench.entries[across].name,
            (x) => bench.set({ x }),
          ),
          bench.choose(
            "refusal-y",
            "Harmful prompts",
            choice(harmful),
            bench.entries[up].name,
            (y) => bench.set({ y }),
          ),
        ),
        h(
          "div",
          { class: "chart-place one" },
          all.length ? drawn(all, across, up) : bench.note("No run has both."),
        ),
        all.length ? table(all, across, up) : "",
      );
    },
  };
})();
