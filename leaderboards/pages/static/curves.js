"use strict";
// How a result changes with more noise, or with longer words: a chart each, a line a run.
(() => {
  const { h, svg } = bench;

  // Charts by title: {kind, group, points: [[x, label, entry]], task}.
  function charts() {
    const found = new Map();
    for (const [entry, { name, kind }] of bench.entries.entries()) {
      if (kind !== "task") continue;
      const noise = /^typos\/([^/]+)-(\d+)\/(.+)$/.exec(name);
      const length = /^([^/]+)\/([^/]+)\/(\d+)-(\d+)$/.exec(name);
      if (noise)
        add(
          found,
          { kind: "noise", group: noise[1], task: noise[3] },
          Number(noise[2]),
          noise[2],
          entry,
        );
      else if (length)
        add(
          found,
          { kind: "length", group: length[1], task: length[2] },
          Number(length[3]),
          `${length[3]}\u2013${length[4]}`,
          entry,
        );
    }
    return [...found.values()].filter(({ kind, points }) => kind === "noise" || points.length > 1);
  }

  function add(found, what, x, label, entry) {
    const key = JSON.stringify(what);
    if (!found.has(key)) found.set(key, { ...what, points: [] });
    const { points } = found.get(key);
    points.push([x, label, entry]);
    points.sort(([one], [other]) => one - other);
  }

  // Of noise the gap to the clean task, of lengths the value.
  const read = (kind, run, entry) =>
    kind === "noise"
      ? bench.result(run, entry)?.gap?.m?.[bench.metric(entry)]
      : bench.value(run, entry);

  function lines(chart, runs) {
    return runs
      .map((run, series) => {
        const points = chart.points
          .map(([x, label, entry], at) => [
            chart.kind === "noise" ? x : at,
            label,
            read(chart.kind, run, entry),
            entry,
          ])
          .filter(([, , found]) => found && found[0] !== null);
        return { run, series, points };
      })
      .filter(({ points }) => points.length);
  }

  function range(kind, all) {
    const values = all
      .flatMap(({ points }) => points.flatMap(([, , found]) => found.slice(0, 3)))
      .filter((value) => value !== null);
    if (kind === "length" && values.every((value) => value >= 0 && value <= 1)) return [0, 1];
    const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
    const room = (high - low || 0.1) * 0.08;
    return [low - room, high + room];
  }

  // Lines are moved a little, so that intervals do not lie on one another.
  const moved = (x, series, count) => x + (series - (count - 1) / 2) * 0.06;

  function drawn(chart, all) {
    const noise = chart.kind === "noise";
    const xs = noise ? [0, ...chart.points.map(([x]) => x)] : chart.points.map((_, at) => at);
    const unit = bench.unit(chart.points[0][2]);
    const [low, high] = range(chart.kind, all);
    const { node, X, Y } = bench.axes({
      width: 380,
      height: 250,
      x: [Math.min(...xs) - 0.35, Math.max(...xs) + 0.35],
      y: [low, high],
      xTicks: xs,
      yTicks: bench.ticks(low, high),
      xText: (x) => (noise ? String(x) : chart.points[x][1]),
      yText: (y) => (noise ? bench.signed(Number(y.toFixed(6)), "number") : String(y)),
      xLabel: noise ? "edits" : "letters of the word",
      yLabel: noise ? "gap to the clean task" : bench.metric(chart.points[0][2]),
      label: `${title(chart)}: ${all.length} runs; the numbers are in the table below`,
    });
    for (const { series, points, run } of all) {
      const places = points.map(([x, , found]) => [X(moved(x, series, all.length)), found]);
      const start = noise ? [`${X(0)},${Y(0)}`] : [];
      node.append(
        svg("polyline", {
          class: `line s${series % 8}`,
          points: [...start, ...places.map(([x, found]) => `${x},${Y(found[0])}`)].join(" "),
        }),
      );
      for (const [x, found] of places) {
        if (found[1] !== null && found[2] !== null)
          node.append(bench.whiskerLine(series, x, Y(found[1]), x, Y(found[2])));
        const mark = bench.marker(series, x, Y(found[0]));
        mark.append(
          svg(
            "title",
            null,
            `${bench.runs[run].name}: ${noise ? bench.signed(found[0], unit) : bench.number(found[0], unit)}`,
          ),
        );
        node.append(mark);
      }
    }
    return node;
  }

  const title = ({ kind, group, task }) =>
    kind === "noise" ? `${group} on ${task}` : `${group}: ${task}`;

  function table(chart, all) {
    const noise = chart.kind === "noise";
    const rows = all.flatMap(({ run, points }) =>
      points.map(([, label, found, entry]) => {
        const write = (one) =>
          noise ? bench.signed(one, bench.unit(entry)) : bench.number(one, bench.unit(entry));
        const apart = bench.classOf(run, entry)
          ? ` (stands apart: ${bench.classes(entry)[bench.classOf(run, entry)].why})`
          : "";
        return [
          [bench.runLink(run), apart],
          label,
          write(found[0]),
          bench.interval(found[1], found[2], write),
          bench.count(found[3]),
        ];
      }),
    );
    return bench.numbers(
      ["run", noise ? "edits" : "letters", noise ? "gap" : "value", "95% interval", "n"],
      rows,
    );
  }

  function figure(chart, runs) {
    const all = lines(chart, runs);
    const content = all.length
      ? [drawn(chart, all), table(chart, all)]
      : [bench.note("None of the chosen runs has numbers here.")];
    return h("figure", null, h("figcaption", null, bench.path(title(chart))), content);
  }

  bench.views.curves = {
    title: "Curves",
    there: () => charts().length > 0,
    build(main, params) {
      const all = charts();
      const kinds = [...new Set(all.map(({ kind, group }) => `${kind}:${group}`))];
      const names = kinds.map((key) => [
        key,
        key.startsWith("noise:") ? `typos: ${key.slice(6)}` : `word length: ${key.slice(7)}`,
      ]);
      const kind = kinds.includes(params.get("k")) ? params.get("k") : "";
      const own = all.filter(({ kind: one, group }) => !kind || `${one}:${group}` === kind);
      const having = bench.everyRun.filter((run) =>
        own.some((chart) => chart.points.some(([, , entry]) => bench.value(run, entry))),
      );
      const runs = bench.picked(params, having);
      const pick = (k) => bench.set({ k });
      main.append(
        h(
          "p",
          { class: "lead" },
          "A line a run, with 95% intervals. Noise: the difference to the clean task, on the same samples; below 0 the noise costs something where more is better.",
        ),
        h(
          "div",
          { class: "tools" },
          bench.choose("curve-kind", "Show", [["", "all"], ...names], kind, pick),
        ),
        bench.legend(having, runs),
        h(
          "div",
          { class: "figures" },
          own.slice(0, 60).map((chart) => figure(chart, runs)),
        ),
        own.length > 60
          ? bench.note(`The first 60 of ${own.length} charts; choose one kind above.`)
          : "",
      );
    },
  };
})();
