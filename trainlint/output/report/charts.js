"use strict";
// The charts of a report: from its data to what plotly draws.
const bytesOf = (text) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at);
  return bytes;
};
const chartsOf = (data, cellsAt) => {
  const FIRST = 16, LOWEST = -46, DECADE = 760, BROKEN = 2, ZERO = 1, ABSENT = 0;
  const SYMBOLS = { error: "x", warning: "triangle-up", advice: "circle" };
  const SHARES = ["dead_units", "saturated"];
  const ORANGE = "#d55e00";
  const { firsts, lasts, edges } = data.columns;
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const safe = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (text, most) => text.length > most ? `…${text.slice(1 - most)}` : text;
  const wrap = (text, most = 60) => safe(text).replace(new RegExp(`(.{1,${most}})(\\s|$)`, "g"), "$1<br>");
  const isNarrow = () => document.body.clientWidth < 640;
  const named = (name) => name || "the model";
  const many = (number) => number.toLocaleString("en");

  // --- what all charts share

  const margin = Math.max(0.5, data.end * 0.02);
  const whole = [0.5 - margin, data.end + 0.5 + margin];
  const view = { range: null };
  const left = () => isNarrow() ? 92 : 190;
  const right = () => isNarrow() ? 48 : 92;
  const layout = (more) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
    font: { color: colour("text"), size: 12 }, margin: { l: 56, r: 16, t: 8, b: 36 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") }, align: "left" },
    showlegend: false, ...more,
  });
  const axis = (more) => ({ gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), ...more });
  const steps = (range, more) => axis({
    title: { text: "step", standoff: 6 }, range: [...range], zeroline: false, tickformat: ",d", nticks: isNarrow() ? 5 : 10,
    ...(range[1] - range[0] < 8 ? { dtick: 1 } : {}), ...more,
  });
  const legend = { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 };
  const mark = (severity, size) => ({ symbol: SYMBOLS[severity], size, color: colour(severity), line: { width: 1, color: colour("back") } });
  const cross = (size) => ({ symbol: "x-thin-open", size, color: colour("error") });
  const finite = (values) => values.map((one) => typeof one === "number" ? one : null);
  const lines = (count) => count < 60 ? "lines+markers" : "lines";
  const logarithmic = (values) => {
    const known = values.filter((one) => typeof one === "number");
    const low = Math.min(...known), high = Math.max(...known);
    if (known.length && high - low <= 1e-6 * Math.abs(high)) { // one value: it stands in the middle of what is about as large
      const around = Math.abs(high) / 2 || 1;
      return { type: "linear", exponentformat: "power", range: [high - around, high + around] };
    }
    if (!known.length || low <= 0 || high / low <= 20) return { type: "linear", exponentformat: "power" };
    return { type: "log", exponentformat: "power", ...(high / low < 1e6 ? { dtick: 1 } : { nticks: 5 }) };
  };

  // --- the run

  const time = () => {
    const rules = [...new Set(data.diagnoses.map((one) => one.rule))].reverse();
    const traces = Object.keys(SYMBOLS).map((severity) => {
      const some = data.diagnoses.map((one, number) => ({ ...one, number })).filter((one) => one.severity === severity);
      return { x: some.map((one) => one.step), y: some.map((one) => rules.indexOf(one.rule)), name: severity, mode: "markers",
        customdata: some.map((one) => one.number), hoverinfo: "text",
        text: some.map((one) => `step ${many(one.step)} ${safe(short(one.layer, 40))}<br>${wrap(one.message)}`), marker: mark(severity, 12) };
    }).filter((one) => one.x.length);
    return [traces, layout({
      height: 96 + 26 * rules.length, showlegend: true, legend, margin: { l: left(), r: right(), t: 32, b: 38 },
      xaxis: steps(view.range ?? whole),
      yaxis: axis({ tickvals: rules.map((_, at) => at), ticktext: rules.map((one) => safe(short(one, isNarrow() ? 14 : 28))), range: [-0.6, rules.length - 0.4], fixedrange: true, zeroline: false }),
    })];
  };

  const loss = () => {
    const { x, y } = data.loss, numbers = finite(y), known = numbers.filter((one) => one !== null);
    const top = known.length ? Math.max(...known) : 1;
    const broken = x.filter((_, at) => numbers[at] === null);
    const near = (step) => {
      let best = null;
      for (let at = 0; at < x.length && x[at] <= step; at += 1) if (numbers[at] !== null) best = numbers[at];
      return best ?? top;
    };
    // Many would hide the curve; then of each rule the first is shown, and all are in the time line.
    const first = new Map([...data.diagnoses].reverse().map((one) => [one.rule, one]));
    const marked = data.diagnoses.length > 60 ? [...first.values()] : data.diagnoses;
    const traces = [
      { x, y: numbers, name: "loss", mode: lines(known.length), marker: { size: 4 }, line: { color: colour("accent"), width: 1.4 }, hovertemplate: "step %{x}<br>loss %{y:.4g}<extra></extra>" },
      { x: data.spikes.map((one) => one[0]), y: data.spikes.map((one) => one[1]), name: "spike", mode: "markers",
        marker: { symbol: "star", size: 11, color: colour("warning") }, hovertemplate: "spike at step %{x}<br>loss %{y:.4g}<extra></extra>" },
      { x: broken, y: broken.map(() => top), name: "not finite", mode: "markers", marker: cross(9), hovertemplate: "step %{x}<br>loss is not finite<extra></extra>" },
      ...Object.keys(SYMBOLS).map((severity) => {
        const some = marked.filter((one) => one.step > 0 && one.severity === severity);
        return { x: some.map((one) => one.step), y: some.map((one) => near(one.step)), name: severity, mode: "markers", hoverinfo: "text",
          text: some.map((one) => `step ${many(one.step)}: ${safe(one.rule)}<br>${safe(one.layer)}`), marker: mark(severity, 10) };
      }),
      { ...data.rate, y: finite(data.rate.y), name: "learning rate", yaxis: "y2", mode: lines(data.rate.x.length), marker: { size: 4 }, line: { color: colour("muted"), width: 1.4, dash: "dot" },
        hovertemplate: "step %{x}<br>learning rate %{y:.3g}<extra></extra>" },
    ].filter((one) => one.x.length);
    return [traces, layout({
      height: 400, showlegend: true, legend, margin: { l: isNarrow() ? 56 : left(), r: isNarrow() ? 12 : right(), t: 40, b: 40 },
      xaxis: steps(view.range ?? whole, { anchor: "y2" }),
      yaxis: axis({ title: { text: "loss" }, domain: [0.34, 1], zeroline: false, ...logarithmic(y) }),
      yaxis2: axis({ title: { text: "learning rate", standoff: 8 }, domain: [0, 0.25], rangemode: "tozero", nticks: 3 }),
      shapes: data.resumed.map((at) => ({ type: "line", x0: at + 0.5, x1: at + 0.5, yref: "paper", y0: 0, y1: 1, line: { color: colour("muted"), dash: "dash", width: 1 } })),
    })];
  };

  // --- the layers

  const size = (code) => 10 ** ((code - FIRST) / DECADE + LOWEST);
  const cells = new Map(); // of each heat map that was asked for
  const loading = new Map();
  const load = (number) => loading.get(number) ?? loading.set(number, loaded(number)).get(number);
  const loaded = async (number) => {
    const bytes = new Uint8Array(await cellsAt(number)), half = bytes.length / 2, codes = new Uint16Array(half);
    for (let at = 0; at < half; at += 1) codes[at] = bytes[at] | bytes[half + at] << 8;
    const rows = data.grids[number].names.length, columns = firsts.length;
    const from = (start) => Array.from({ length: rows }, (_, row) => codes.subarray((start + row) * columns, (start + row + 1) * columns));
    cells.set(number, { low: from(0), high: from(rows) });
  };
  const shownOf = (number) => {
    const found = cells.get(number), { low, high } = found;
    if (!found.shown) {
      let floor = 65535, hasBroken = false;
      for (const row of low) for (const one of row) if (one >= FIRST && one < floor) floor = one;
      const shown = high.map((row, r) => {
        const known = row.filter((one) => one >= FIRST).sort(), middle = known[known.length >> 1] ?? FIRST;
        return Float32Array.from(row, (top, c) => {
          if (top === BROKEN) hasBroken = true;
          if (top === ABSENT || top === BROKEN) return NaN;
          // Of the two ends of a cell the one is shown that stands out from its layer; 0 has no logarithm.
          const most = Math.max(top, floor), least = Math.max(low[r][c], floor);
          const one = Math.abs(most - middle) >= Math.abs(least - middle) ? most : least;
          return (one - FIRST) / DECADE + LOWEST;
        });
      });
      const broken = hasBroken ? high.map((row) => Float32Array.from(row, (one) => one === BROKEN ? 1 : NaN)) : [];
      Object.assign(found, { shown, broken });
    }
    return found;
  };
  const tell = (number, row, column) => {
    const { low, high } = cells.get(number), a = low[row][column], b = high[row][column];
    const share = SHARES.includes(data.grids[number].signal);
    const say = (code) => code === ZERO ? "0" : code === BROKEN ? "NaN or infinite" : share ? `${+(100 * size(code)).toPrecision(3)} %` : size(code).toPrecision(3);
    if (b === ABSENT) return "not measured";
    return a === b ? say(a) : `${say(a)} to ${say(b)}`;
  };
  const stepsOf = (column) => firsts[column] === lasts[column] ? `step ${many(firsts[column])}` : `steps ${many(firsts[column])}–${many(lasts[column])}`;
  const cell = (number, row, column) => `${named(data.grids[number].names[row])}, ${stepsOf(column)}: ${data.grids[number].title.toLowerCase()} ${tell(number, row, column)}`;
  const frame = (cursor) => !cursor ? [] : [{ type: "rect", x0: edges[cursor.c], x1: edges[cursor.c + 1], y0: cursor.r - 0.5, y1: cursor.r + 0.5, line: { color: ORANGE, width: 2 } }];
  const heat = (number, cursor) => () => {
    const grid = data.grids[number], { shown, broken } = shownOf(number), y = grid.names.map((_, at) => at);
    let low = Infinity, high = -Infinity;
    for (const row of shown) for (const one of row) { if (one < low) low = one; if (one > high) high = one; }
    if (low > high) { low = 0; high = 1; }
    if (high - low < 0.5) { const middle = (low + high) / 2; low = middle - 0.25; high = middle + 0.25; }
    const share = SHARES.includes(grid.signal);
    if (share) { high = 0; low = -3; }
    const ticks = [];
    for (let at = Math.ceil(low); at <= Math.floor(high); at += Math.max(1, Math.ceil((high - low) / 6))) ticks.push(at);
    const colorbar = { thickness: isNarrow() ? 8 : 12, outlinewidth: 0, x: 1.01, xpad: 4, ...(isNarrow() ? {} : { title: { text: grid.title, side: "right" } }) };
    if (ticks.length) Object.assign(colorbar, { tickvals: ticks, ticktext: ticks.map((one) => share ? `${+(100 * 10 ** one).toPrecision(2)} %` : one === 0 ? "1" : `10<sup>${one}</sup>`) });
    else Object.assign(colorbar, { tickvals: [low, high], ticktext: [low, high].map((one) => (10 ** one).toPrecision(2)) });
    const common = { type: "heatmap", x: edges, y, hoverinfo: "none" };
    const traces = [{ ...common, z: shown, colorscale: "Cividis", zmin: low, zmax: high, colorbar }];
    if (broken.length) traces.push({ ...common, z: broken, showscale: false, zmin: 0, zmax: 1, colorscale: [[0, ORANGE], [1, ORANGE]] });
    const every = Math.max(1, Math.ceil(y.length / 36)), marks = y.filter((one) => one % every === 0);
    return [traces, layout({
      height: Math.max(200, Math.min(760, 60 + 22 * y.length)), margin: { l: left(), r: right(), t: 8, b: 40 },
      xaxis: steps(view.range ?? whole, { showgrid: false }),
      yaxis: axis({ range: [y.length - 0.5, -0.5], tickvals: marks, ticktext: marks.map((one) => safe(short(named(grid.names[one]), isNarrow() ? 13 : 28))), showgrid: false, zeroline: false }),
      shapes: frame(cursor),
    })];
  };

  // --- single curves

  const line = ({ title, x, y, bound = null, at = null, band = null, range = whole }) => () => {
    const numbers = finite(y), known = numbers.filter((one) => one !== null);
    const top = known.length ? Math.max(...known) : 1;
    const bad = x.filter((_, i) => y[i] !== null && typeof y[i] !== "number");
    const traces = [
      ...(band ? [{ x, y: band, mode: "lines", line: { width: 0 }, hoverinfo: "skip" }] : []),
      { x, y: numbers, mode: lines(known.length), marker: { size: 4 }, connectgaps: true, ...(band ? { fill: "tonexty" } : {}), line: { color: colour("accent"), width: 1.4 }, hovertemplate: "step %{x}: %{y:.3g}<extra></extra>" },
      ...(bad.length ? [{ x: bad, y: bad.map(() => top), mode: "markers", marker: cross(8), hovertemplate: "step %{x}: not finite<extra></extra>" }] : []),
    ];
    const shapes = [], annotations = [];
    const yaxis = axis({ nticks: 5, zeroline: false, ...logarithmic(bound !== null ? [...y, bound] : y) });
    if (bound !== null) {
      shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: bound, y1: bound, line: { color: colour("error"), dash: "dash", width: 1.5 } });
      if (yaxis.type === "linear" && known.length) { // the bound is always in sight
        const low = Math.min(bound, ...known), high = Math.max(bound, top), pad = (high - low || Math.abs(high) || 1) * 0.12;
        yaxis.range = [low - pad, high + pad];
      } else if (known.length) {
        const ends = [Math.log10(Math.min(bound, ...known)), Math.log10(Math.max(bound, top))], pad = (ends[1] - ends[0]) * 0.08;
        yaxis.range = [ends[0] - pad, ends[1] + pad];
      }
      annotations.push({ xref: "paper", x: 1, xanchor: "right", y: yaxis.type === "log" ? Math.log10(bound) : bound, yanchor: "bottom", showarrow: false, text: `bound ${+bound.toPrecision(3)}`, font: { color: colour("error"), size: 11 } });
    }
    if (at !== null) shapes.push({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: colour("muted"), dash: "dot", width: 1.5 } });
    return [traces, layout({ height: 200, margin: { l: 56, r: 10, t: 28, b: 38 }, title: { text: safe(title), font: { size: 13 }, x: 0.02, y: 0.97 }, xaxis: steps(range, { nticks: 5 }), yaxis, shapes, annotations })];
  };
  const proofs = (number) => {
    const { step, proofs } = data.diagnoses[number];
    return proofs.map(({ what, bound, curve }) => {
      const { x, y } = data.curves[curve], ends = [Math.min(x[0], step || x[0]), Math.max(x[x.length - 1], step)];
      const pad = Math.max(0.5, (ends[1] - ends[0]) * 0.03);
      return line({ title: what, x, y, bound, at: step || null, range: [ends[0] - pad, ends[1] + pad] });
    });
  };
  const curves = (name) => data.grids.flatMap((grid, number) => {
    const row = grid.names.indexOf(name);
    if (row < 0) return [];
    const { low, high } = cells.get(number), known = firsts.map((_, at) => at).filter((at) => high[row][at] !== ABSENT);
    const value = (code) => code === BROKEN ? "NaN" : code === ZERO ? 0 : size(code);
    return [line({ title: grid.title, x: known.map((at) => firsts[at]), y: known.map((at) => value(high[row][at])),
      band: known.map((at) => low[row][at] === BROKEN ? null : value(low[row][at])) })];
  });

  return { time, loss, heat, proofs, curves, cell, frame, view, whole, load, hasBroken: (number) => shownOf(number).broken.length > 0, firsts };
};
