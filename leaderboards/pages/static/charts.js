"use strict";
// Small parts of charts. Every chart has its numbers beside it, in cells or in a table.
(() => {
  const { h, svg } = bench;

  // The nodes of a dot with its interval, in a row of its own.
  bench.whisker = ([value, low, high], from, to, { zero = null, kind = "" } = {}) => {
    const [width, height] = [160, 16];
    const span = to - from || 1;
    const x = (at) => 4 + Math.min(1, Math.max(0, (at - from) / span)) * (width - 8);
    const known = low !== null && high !== null && low !== undefined && high !== undefined;
    return svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${height}`,
        width,
        height,
        class: `whisker ${kind}`,
        "aria-hidden": "true",
      },
      svg("line", { x1: 4, x2: width - 4, y1: 8, y2: 8, class: "rail" }),
      zero === null
        ? null
        : svg("line", { x1: x(zero), x2: x(zero), y1: 0, y2: height, class: "zero" }),
      known ? svg("line", { x1: x(low), x2: x(high), y1: 8, y2: 8, class: "span" }) : null,
      value === null ? null : svg("circle", { cx: x(value), cy: 8, r: 3.5, class: "dot" }),
    );
  };

  bench.gapFigures = ([value, low, high, , , holm], unit) => {
    const write = (one) => bench.signed(one, unit);
    const sure = holm !== null && holm !== undefined ? holm <= 0.05 : low > 0 || high < 0;
    return [
      h(
        "span",
        { class: "value" },
        write(value),
        sure ? h("span", { title: "surely not 0, corrected for all that was tested" }, "*") : null,
      ),
      h(
        "span",
        { class: "around" },
        bench.interval(low, high, write),
        holm === null || holm === undefined ? "" : ` p\u00a0${bench.p(holm)}`,
      ),
    ];
  };

  // Round numbers between two others, at most some six.
  bench.ticks = (from, to, most = 6) => {
    const raw = (to - from) / most || 1;
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= raw);
    const count = Math.floor(to / step + 1e-9) - Math.ceil(from / step - 1e-9) + 1;
    return Array.from({ length: count }, (_, at) =>
      Number(((Math.ceil(from / step - 1e-9) + at) * step).toPrecision(12)),
    );
  };

  bench.marker = (kind, x, y, r = 4.5) => {
    const at = (dx, dy) => `${x + dx * r},${y + dy * r}`;
    const points = [
      null,
      [
        [-1, -1],
        [1, -1],
        [1, 1],
        [-1, 1],
      ],
      [
        [0, -1.2],
        [1.1, 0.9],
        [-1.1, 0.9],
      ],
      [
        [0, -1.3],
        [1.3, 0],
        [0, 1.3],
        [-1.3, 0],
      ],
      [
        [0, 1.2],
        [1.1, -0.9],
        [-1.1, -0.9],
      ],
      [
        [-1.3, 0],
        [1, -1.1],
        [1, 1.1],
      ],
      [
        [1.3, 0],
        [-1, -1.1],
        [-1, 1.1],
      ],
      [
        [-0.5, -1.2],
        [0.5, -1.2],
        [1.2, 0],
        [0.5, 1.2],
        [-0.5, 1.2],
        [-1.2, 0],
      ],
    ][kind % 8];
    const shape = points
      ? svg("polygon", { points: points.map(([dx, dy]) => at(dx, dy)).join(" ") })
      : svg("circle", { cx: x, cy: y, r });
    shape.setAttribute("class", `mark s${kind % 8}`);
    return shape;
  };

  // Axes with ticks; gives the drawing and the ways from numbers to places.
  bench.axes = ({
    width,
    height,
    x,
    y,
    xTicks,
    yTicks,
    xText = String,
    yText = String,
    xLabel,
    yLabel,
    label,
  }) => {
    const edge = { left: 52, right: 14, top: 10, bottom: 38 };
    const X = (at) =>
      edge.left + ((at - x[0]) / (x[1] - x[0] || 1)) * (width - edge.left - edge.right);
    const Y = (at) =>
      height - edge.bottom - ((at - y[0]) / (y[1] - y[0] || 1)) * (height - edge.top - edge.bottom);
    const node = svg("svg", {
      viewBox: `0 0 ${width} ${height}`,
      class: "chart",
      role: "img",
      "aria-label": label,
    });
    const [bottom, right] = [height - edge.bottom, width - edge.right];
    const line = (kind, ...ends) => {
      const [x1, y1, x2, y2] = ends;
      node.append(svg("line", { x1, y1, x2, y2, class: kind }));
    };
    const write = (x, y, anchor, text, more) =>
      node.append(svg("text", { x, y, "text-anchor": anchor, ...more }, text));
    for (const tick of yTicks) {
      line(tick === 0 ? "grid zero" : "grid", edge.left, Y(tick), right, Y(tick));
      write(edge.left - 6, Y(tick) + 4, "end", yText(tick));
    }
    for (const tick of xTicks) {
      line("grid", X(tick), edge.top, X(tick), bottom);
      write(X(tick), bottom + 15, "middle", xText(tick));
    }
    write((edge.left + right) / 2, height - 5, "middle", xLabel, { class: "axis" });
    const upwards = { class: "axis", transform: "rotate(-90)" };
    write(-(bottom + edge.top) / 2, 12, "middle", yLabel, upwards);
    return { node, X, Y };
  };

  bench.whiskerLine = (series, x1, y1, x2, y2) =>
    svg("line", { x1, y1, x2, y2, class: `bar s${series % 8}` });

  // Runs to be shown, with the marks that they have in the chart. Eight can be told apart.
  bench.MOST = 8;
  bench.picked = (params, having) => {
    const names = params.getAll("run").map((name) => bench.runAt.get(name));
    const chosen = having.filter((run) => names.includes(run));
    return (chosen.length ? chosen : having).slice(0, bench.MOST);
  };

  bench.legend = (having, runs) =>
    h(
      "fieldset",
      { class: "legend" },
      h("legend", null, having.length > bench.MOST ? `Runs (${bench.MOST} at most)` : "Runs"),
      having.map((run) => {
        const at = runs.indexOf(run);
        const mark = svg(
          "svg",
          { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
          at < 0 ? null : bench.marker(at, 8, 8),
        );
        const name = bench.runs[run].name;
        const change = (on) => {
          const next = on ? [...runs, run] : runs.filter((one) => one !== run);
          bench.set({ run: next.map((one) => bench.runs[one].name) });
        };
        return bench.tick(`pick-${run}`, [mark, " ", bench.name(name)], at >= 0, change);
      }),
    );

  // The numbers of a chart as a table.
  bench.numbers = (heads, rows) =>
    h(
      "details",
      { class: "numbers" },
      h("summary", null, "The numbers"),
      bench.box(
        "The numbers",
        h(
          "table",
          null,
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
            rows.map(([first, ...rest]) =>
              h(
                "tr",
                null,
                h("th", { scope: "row" }, first),
                rest.map((cell) => h("td", { class: "number" }, cell)),
              ),
            ),
          ),
        ),
      ),
    );
})();
