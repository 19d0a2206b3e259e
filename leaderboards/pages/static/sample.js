"use strict";
// One sample: what was asked, and what one run or two answered.
(() => {
  const { h } = bench;

  function text(label, content, { dim = false } = {}) {
    const said = content === "" || content === null || content === undefined;
    return h(
      "section",
      { class: dim ? "text dim" : "text" },
      h("h5", null, label),
      h(
        "pre",
        { dir: "auto", tabindex: "0", role: "group", "aria-label": label },
        said ? h("em", null, "empty") : bench.shown(content),
      ),
    );
  }

  function folded(label, ...content) {
    return h("details", null, h("summary", null, label), content);
  }

  // Runs may have asked in other ways; those stand beside the question of most.
  const questionOf = (sample, run) =>
    sample.otherwise?.find(({ runs }) => runs.includes(run)) ?? sample;

  function questions(sample, runs) {
    const different = new Set(runs.map((run) => questionOf(sample, run)));
    return [...different].map((question) => {
      const own = runs
        .filter((run) => questionOf(sample, run) === question)
        .map((run) => bench.runs[run].name);
      const title = different.size > 1 ? ["Asked of ", bench.name(own.join(", "))] : "Asked";
      const target = question.target
        ? folded("what was expected", text("target", question.target))
        : null;
      return h("section", { class: "asked" }, h("h3", null, title), prompt(question), target);
    });
  }

  function prompt(sample) {
    if (!sample.prompt && !sample.choices?.length) {
      return [
        bench.note(
          `The prompt is not on this page${sample.why ? `: ${sample.why}` : "; its data was not at hand when the page was built"}.`,
        ),
      ];
    }
    const turns = (sample.prompt ?? []).map(([role, content]) => text(role || "prompt", content));
    const choices = (sample.choices ?? []).map(([context, continuation], at) =>
      folded(
        h("span", null, `choice ${at + 1}: `, bench.name(continuation.slice(0, 120))),
        text("context", context),
        text("continuation", continuation),
      ),
    );
    return [...turns, ...choices];
  }

  function weighed(draw, sample) {
    if (!draw.logprobs?.length) return null;
    const best = Math.max(...draw.logprobs.map(([sum]) => sum));
    const rows = draw.logprobs.map(([sum, tokens, greedy], at) =>
      h(
        "tr",
        null,
        h(
          "th",
          { scope: "row" },
          bench.name((sample.choices?.[at]?.[1] ?? `${at + 1}`).slice(0, 80)),
          sum === best ? " (likeliest)" : "",
        ),
        h("td", { class: "number" }, bench.number(sum)),
        h("td", { class: "number" }, bench.count(tokens)),
        h("td", null, greedy ? "yes" : "no"),
      ),
    );
    const heads = ["continuation", "log-likelihood", "tokens", "greedy"].map((word) =>
      h("th", { scope: "col" }, word),
    );
    return bench.box(
      "Log-likelihoods",
      h("table", null, h("thead", null, h("tr", null, heads)), h("tbody", null, rows)),
    );
  }

  function facts(draw) {
    const values = Object.entries(draw.values ?? {}).map(
      ([name, value]) => `${name} ${bench.number(value)}`,
    );
    const tokens = draw.tokens
      ? [`${bench.count(draw.tokens[0])} + ${bench.count(draw.tokens[1])} tokens`]
      : [];
    const ended = draw.finish ? [`ended by ${draw.finish}`] : [];
    const reward = typeof draw.reward === "number" ? [`reward ${bench.number(draw.reward)}`] : [];
    return [...values, ...reward, ...ended, ...tokens].join(" · ");
  }

  function answer(draw, sample, at, count) {
    const judged = (draw.judge ?? []).map((word, i) => [
      text(`judge was asked (${i + 1})`, word.prompt, { dim: true }),
      text("judge said", word.text),
    ]);
    return h(
      "article",
      { class: "answer" },
      h(
        "h4",
        null,
        count > 1 ? `Answer ${at + 1} of ${count} ` : "Answer ",
        bench.verdict(draw.verdict),
      ),
      h("p", { class: "facts" }, bench.shown(facts(draw))),
      draw.error ? text("error", draw.error) : null,
      draw.thinking ? folded("thinking", text("thinking", draw.thinking, { dim: true })) : null,
      draw.logprobs?.length ? weighed(draw, sample) : text("answer", draw.text),
      draw.extracted && draw.extracted !== draw.text ? text("extracted", draw.extracted) : null,
      draw.detail && !draw.error ? text("detail", draw.detail, { dim: true }) : null,
      judged.length ? folded("judge", judged) : null,
    );
  }

  function column(run, draws, sample) {
    const label = h("h3", null, bench.runLabel(run));
    if (!draws?.length)
      return h(
        "section",
        { class: "side" },
        label,
        bench.note("This run has not answered this sample."),
      );
    return h(
      "section",
      { class: "side" },
      label,
      draws.map((draw, at) => answer(draw, questionOf(sample, run), at, draws.length)),
    );
  }

  async function steps(query, position) {
    const place = document.getElementById("steps");
    const positions = await bench.samples.matching(query);
    if (positions === undefined || !place?.isConnected) return;
    const { n } = bench.board.samples[query.entry];
    const all = positions?.length ?? n;
    const at = positions ? positions.indexOf(position) : position;
    const before = positions ? positions.findLast((one) => one < position) : position - 1;
    const after = positions ? positions.find((one) => one > position) : position + 1;
    const step = (id, label, to) => {
      const there = to !== undefined && to >= 0 && to < n;
      return h(
        "button",
        {
          type: "button",
          id,
          disabled: !there,
          onclick: () => bench.set({ s: String(to), id: "" }),
        },
        label,
      );
    };
    const where =
      at < 0
        ? "not among those chosen"
        : `${bench.count(at + 1)} of ${bench.count(all)}${positions ? " found" : ""}`;
    const used = document.activeElement?.id;
    place.replaceChildren(
      step("previous", "\u2190 previous", before),
      h("span", { class: "count" }, where),
      step("next", "next \u2192", after),
    );
    if (used === "previous" || used === "next" || place.dataset.used)
      document.getElementById(place.dataset.used || used)?.focus();
  }

  function tools(entry, query, params) {
    const runs = bench.ordered(
      bench.everyRun.filter((run) => bench.result(run, entry)),
      entry,
    );
    const names = runs.map((run) => bench.runs[run].name);
    return h(
      "div",
      { class: "tools" },
      bench.choose("sample-a", "Run", names, bench.runs[query.a].name, (a) => bench.set({ a })),
      bench.choose(
        "sample-b",
        "beside",
        [["", "no other run"], ...names],
        query.b === null ? "" : bench.runs[query.b].name,
        (b) => bench.set({ b }),
      ),
      h("div", { class: "steps", id: "steps" }),
      h(
        "a",
        { href: bench.link("entry", without(params, "s", "id")) },
        "all samples of ",
        bench.path(bench.entries[entry].name),
      ),
    );
  }

  // A link may be older than the page: the id counts, and the position only finds it quickly.
  async function moved(query, id) {
    const { n, index } = bench.board.samples[query.entry];
    for (let from = 0; from < n; from += index) {
      const at = (await bench.samples.piece(query.entry, from)).ids.indexOf(id);
      if (at >= 0) return from + at;
    }
    return -1;
  }

  async function fillSample(main, place, query, position) {
    const { piece } = bench.board.samples[query.entry];
    const [chunk, at] = [Math.floor(position / piece), position % piece];
    const runs = [query.a, ...(query.b === null || query.b === query.a ? [] : [query.b])];
    const answers = (run) => bench.load(`answers/${run}/${query.entry}/${chunk}`).catch(() => []);
    const [samples, ...said] = await Promise.all([
      bench.load(`samples/${query.entry}/${chunk}`),
      ...runs.map(answers),
    ]);
    if (!place.isConnected) return;
    const sample = samples[at];
    if (!sample) throw new Error("This page has no such sample.");
    const id = bench.params().get("id");
    if (id && id !== sample.id) {
      const now = await moved(query, id);
      if (now >= 0) return bench.set({ s: String(now) }, { replace: true });
    }
    main
      .querySelector("h2")
      .replaceChildren(
        bench.path(bench.entries[query.entry].name),
        " \u203a ",
        bench.name(sample.id),
      );
    place.replaceChildren(
      ...questions(sample, runs),
      h(
        "div",
        { class: runs.length > 1 ? "sides two" : "sides" },
        runs.map((run, i) => column(run, said[i][at], sample)),
      ),
    );
    bench.say(`Sample ${sample.id}`);
    if (!id) bench.set({ id: sample.id }, { replace: true });
    return undefined;
  }

  let drawn = "";

  bench.views.sample = {
    title: "Sample",
    there: () => false,
    build(main, params) {
      const entry = bench.entryAt.get(params.get("e"));
      drawn = signature(params);
      if (!bench.board.samples?.[entry]) {
        main.append(bench.note("This page has no such sample. Go to the board."));
        return;
      }
      const query = bench.samples.asked(entry, params);
      const position = Number(params.get("s")) || 0;
      const place = h("div", { class: "sample" }, bench.note("Loading."));
      main.append(tools(entry, query, params), place);
      steps(query, position).catch(() => {});
      fillSample(main, place, query, position).catch((problem) =>
        place.replaceChildren(bench.note(problem.message)),
      );
    },
    // The id that a sample adds to its own address changes nothing.
    update(params) {
      if (signature(params) === drawn) return;
      const main = document.querySelector("main");
      const used = document.activeElement?.id;
      main.replaceChildren(main.querySelector("h2"));
      this.build(main, params);
      const place = document.getElementById("steps");
      if (place && (used === "previous" || used === "next")) place.dataset.used = used;
      else document.getElementById(used)?.focus({ preventScroll: true });
    },
  };

  function without(params, ...names) {
    return Object.fromEntries([...params].filter(([name]) => !names.includes(name)));
  }

  const signature = (params) => JSON.stringify(without(params, "id"));
})();
