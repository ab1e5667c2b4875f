"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const media = matchMedia("(prefers-color-scheme: dark)");
  root.dataset.theme = media.matches ? "dark" : "light";
  const FIRST = 16, LOWEST = -46, DECADE = 760, BROKEN = 2, ZERO = 1;
  const SYMBOLS = { error: "x", warning: "triangle-up", advice: "circle" };
  const drawn = new Map();
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const safe = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const short = (text, most = 28) => text.length > most ? `…${text.slice(1 - most)}` : text;
  const wrap = (text, most = 60) => safe(text).replace(new RegExp(`(.{1,${most}})(\\s|$)`, "g"), "$1<br>");
  const isNarrow = () => innerWidth < 640;
  const size = (code) => 10 ** ((code - FIRST) / DECADE + LOWEST);
  const say = (code) => code === ZERO ? "0" : code === BROKEN ? "not finite" : size(code).toPrecision(3);
  const decode = (text) => {
    const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
    return Array.from({ length: bytes.length / 2 }, (_, at) => bytes[2 * at] + 256 * bytes[2 * at + 1]);
  };
  const layout = (more) => ({
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
    font: { color: colour("text"), size: 12 }, margin: { l: 56, r: 16, t: 8, b: 36 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") }, align: "left" },
    showlegend: false, ...more,
  });
  const axis = (more) => ({ gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), ...more });
  const stepAxis = (more) => axis({ title: { text: "step", standoff: 6 }, range: [0, data.end + 1], ...more });
  const put = (element, make) => {
    drawn.set(element, make);
    const [traces, form] = make();
    return Plotly.react(element, traces, form, { responsive: true, displaylogo: false, displayModeBar: false });
  };
  const finite = (values) => values.map((one) => typeof one === "number" ? one : null);
  const isLog = (values) => {
    const known = values.filter((one) => typeof one === "number");
    const low = Math.min(...known), high = Math.max(...known);
    return known.length > 0 && low > 0 && high / low > 20;
  };

  const loss = () => {
    const { x, y } = data.loss, numbers = finite(y);
    const known = numbers.filter((one) => one !== null);
    const top = known.length ? Math.max(...known) : 1;
    const broken = x.filter((_, at) => numbers[at] === null);
    const said = data.diagnoses.filter((one) => one.step > 0);
    const near = (step) => {
      let best = null;
      for (let at = 0; at < x.length && x[at] <= step; at += 1) if (numbers[at] !== null) best = numbers[at];
      return best ?? top;
    };
    const traces = [
      { x, y: numbers, name: "loss", mode: "lines", line: { color: colour("accent"), width: 1.4 }, hovertemplate: "step %{x}<br>loss %{y:.4g}<extra></extra>" },
      { x: data.spikes.map((one) => one[0]), y: data.spikes.map((one) => one[1]), name: "spike", mode: "markers",
        marker: { symbol: "star", size: 11, color: colour("warning") }, hovertemplate: "spike at step %{x}<br>loss %{y:.4g}<extra></extra>" },
      { x: broken, y: broken.map(() => top), name: "not finite", mode: "markers", marker: { symbol: "x-thin-open", size: 9, color: colour("error") }, hovertemplate: "step %{x}<br>loss is not finite<extra></extra>" },
      ...Object.keys(SYMBOLS).map((severity) => {
        const some = said.filter((one) => one.severity === severity);
        return { x: some.map((one) => one.step), y: some.map((one) => near(one.step)), name: severity, mode: "markers",
          text: some.map((one) => `step ${one.step}: ${safe(one.rule)}<br>${safe(one.layer)}`), hoverinfo: "text",
          marker: { symbol: SYMBOLS[severity], size: 10, color: colour(severity), line: { width: 1, color: colour("back") } } };
      }),
      { ...data.rate, y: finite(data.rate.y), name: "learning rate", yaxis: "y2", mode: "lines", line: { color: colour("muted"), width: 1.4, dash: "dot" },
        hovertemplate: "step %{x}<br>learning rate %{y:.3g}<extra></extra>" },
    ].filter((one) => one.x.length);
    return [traces, layout({
      height: 380, xaxis: stepAxis({ anchor: "y2" }), showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      margin: { l: 64, r: 16, t: 40, b: 40 },
      yaxis: axis({ title: { text: "loss" }, domain: [0.3, 1], type: isLog(y) ? "log" : "linear", ...(isLog(y) ? { dtick: 1 } : {}) }),
      yaxis2: axis({ title: { text: "rate" }, domain: [0, 0.22], rangemode: "tozero", nticks: 3 }),
      shapes: data.resumed.map((at) => ({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: colour("muted"), dash: "dash", width: 1 } })),
    })];
  };

  const time = () => {
    const rules = [...new Set(data.diagnoses.map((one) => one.rule))].reverse();
    const traces = Object.keys(SYMBOLS).map((severity) => {
      const some = data.diagnoses.map((one, number) => ({ ...one, number })).filter((one) => one.severity === severity);
      return { x: some.map((one) => one.step), y: some.map((one) => rules.indexOf(one.rule)), name: severity, mode: "markers", customdata: some.map((one) => one.number),
        text: some.map((one) => `step ${one.step} ${safe(short(one.layer, 40))}<br>${wrap(one.message)}`), hoverinfo: "text",
        marker: { symbol: SYMBOLS[severity], size: 12, color: colour(severity) } };
    }).filter((one) => one.x.length);
    return [traces, layout({
      height: 110 + 26 * rules.length, showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      margin: { l: isNarrow() ? 118 : 190, r: 16, t: 36, b: 40 },
      xaxis: stepAxis({ range: [-data.end * 0.02, data.end * 1.02] }),
      yaxis: axis({ tickvals: rules.map((_, at) => at), ticktext: rules.map((one) => safe(short(one, isNarrow() ? 16 : 28))), range: [-0.6, rules.length - 0.4], fixedrange: true }),
    })];
  };

  let chosen = 0, cursor = null;
  const cells = new Map();
  const cellsOf = (number) => {
    if (!cells.has(number)) {
      const grid = data.grids[number], low = grid.low.map(decode), high = grid.high.map(decode);
      const middle = high.map((row) => { const some = row.filter((one) => one >= FIRST).sort((a, b) => a - b); return some[some.length >> 1] ?? FIRST; });
      const floor = Math.min(...low.map((row) => Math.min(...row.filter((one) => one >= FIRST), 65535)));
      // Of the two ends of a cell the one is shown that stands out from its layer.
      const shown = high.map((row, r) => row.map((top, c) => {
        const bottom = low[r][c];
        if (top === 0 || top === BROKEN) return null;
        const code = (code) => Math.max(code, floor);
        const one = Math.abs(code(top) - middle[r]) >= Math.abs(code(bottom) - middle[r]) ? top : bottom;
        return (code(one) - FIRST) / DECADE + LOWEST;
      }));
      const broken = high.map((row) => row.map((one) => one === BROKEN ? 1 : null));
      cells.set(number, { low, high, shown, broken, hasBroken: broken.some((row) => row.some((one) => one)) });
    }
    return cells.get(number);
  };
  const stepsOf = (column) => {
    const first = column * data.width + 1, last = Math.min(data.end, first + data.width - 1);
    return first === last ? `step ${first}` : `steps ${first}–${last}`;
  };
  const tell = (number, row, column) => {
    const { low, high } = cellsOf(number), a = low[row][column], b = high[row][column];
    return high[row][column] === 0 ? "not measured" : a === b ? say(a) : `${say(a)} to ${say(b)}`;
  };
  const heat = () => {
    const grid = data.grids[chosen], { shown, broken, hasBroken } = cellsOf(chosen);
    const x = Array.from({ length: data.columns }, (_, at) => at * data.width + 1 + (data.width - 1) / 2);
    const y = grid.names.map((_, at) => at);
    const text = grid.names.map((name, r) => x.map((_, c) => `${safe(name || "the model")}<br>${stepsOf(c)}: ${tell(chosen, r, c)}`));
    const all = shown.flat().filter((one) => one !== null);
    let low = 0, high = 1;
    if (all.length) { low = all.reduce((a, b) => Math.min(a, b)); high = all.reduce((a, b) => Math.max(a, b)); }
    if (high - low < 0.5) { const mid = (low + high) / 2; low = mid - 0.25; high = mid + 0.25; }
    const isShare = ["dead_units", "saturated"].includes(grid.signal);
    if (isShare) { high = 0; low = -3; }
    const ticks = [];
    for (let at = Math.ceil(low); at <= Math.floor(high); at += Math.max(1, Math.ceil((high - low) / 6))) ticks.push(at);
    const traces = [{ type: "heatmap", x, y, z: shown, text, hoverinfo: "text", colorscale: "Cividis", zmin: low, zmax: high,
      colorbar: { thickness: isNarrow() ? 8 : 12, outlinewidth: 0, ...(ticks.length ? { tickvals: ticks, ticktext: ticks.map((one) => isShare ? `${+(100 * 10 ** one).toPrecision(2)}%` : `1e${one}`) } : {}) } }];
    if (hasBroken) traces.push({ type: "heatmap", x, y, z: broken, text, hoverinfo: "text", showscale: false, zmin: 0, zmax: 1, colorscale: [[0, "#d55e00"], [1, "#d55e00"]] });
    const every = Math.max(1, Math.ceil(y.length / 36)), marks = y.filter((one) => one % every === 0);
    const most = isNarrow() ? 13 : 28;
    return [traces, layout({
      height: Math.max(220, Math.min(760, 70 + 20 * y.length)), margin: { l: isNarrow() ? 92 : 190, r: 8, t: 8, b: 40 },
      xaxis: stepAxis({ showgrid: false, range: [0.5, data.end + 0.5] }),
      yaxis: axis({ range: [y.length - 0.5, -0.5], tickvals: marks, ticktext: marks.map((one) => safe(short(grid.names[one] || "the model", most))), showgrid: false, zeroline: false }),
      shapes: cursor ? [{ type: "rect", x0: cursor.c * data.width + 0.5, x1: (cursor.c + 1) * data.width + 0.5, y0: cursor.r - 0.5, y1: cursor.r + 0.5, line: { color: "#d55e00", width: 2 } }] : [],
    })];
  };

  const line = (title, x, y, bound, at, band) => () => {
    const numbers = finite(y), log = isLog(bound !== null && bound > 0 ? [...y, bound] : y);
    const known = numbers.filter((one) => one !== null);
    const top = known.length ? Math.max(...known) : 1;
    const bad = x.filter((_, i) => y[i] !== null && typeof y[i] !== "number");
    const traces = [
      ...(band ? [{ x, y: band, mode: "lines", line: { width: 0 }, hoverinfo: "skip" }] : []),
      { x, y: numbers, mode: known.length > 1 ? "lines" : "markers", connectgaps: true, ...(band ? { fill: "tonexty" } : {}), line: { color: colour("accent"), width: 1.4 }, hovertemplate: "step %{x}: %{y:.3g}<extra></extra>" },
      ...(bad.length ? [{ x: bad, y: bad.map(() => top), mode: "markers", marker: { symbol: "x-thin-open", size: 8, color: colour("error") }, hovertemplate: "step %{x}: not finite<extra></extra>" }] : []),
    ];
    const shapes = [];
    if (bound !== null) shapes.push({ type: "line", xref: "paper", x0: 0, x1: 1, y0: bound, y1: bound, line: { color: colour("error"), dash: "dash", width: 1.5 } });
    if (at !== null) shapes.push({ type: "line", x0: at, x1: at, yref: "paper", y0: 0, y1: 1, line: { color: colour("muted"), dash: "dot", width: 1.5 } });
    const yaxis = axis({ type: log ? "log" : "linear", nticks: 5, ...(log ? { exponentformat: "power" } : {}) });
    if (!log && bound !== null && known.length) { // the bound is always in sight
      const low = Math.min(bound, ...known), high = Math.max(bound, top), pad = (high - low || Math.abs(high) || 1) * 0.08;
      yaxis.range = [low - pad, high + pad];
    }
    return [traces, layout({ height: 190, margin: { l: 52, r: 10, t: 26, b: 36 }, title: { text: safe(title), font: { size: 13 }, x: 0.02, y: 0.97 }, xaxis: stepAxis(), yaxis, shapes })];
  };
  const child = (parent) => parent.appendChild(document.createElement("div"));
  const proofs = (element) => {
    const one = data.diagnoses[+element.dataset.proofs];
    for (const it of one.proofs) put(child(element), line(`${it.what}${it.bound === null ? "" : ` (bound ${+it.bound.toPrecision(3)})`}`, it.x, it.y, it.bound, one.step, null));
  };
  const curves = (element, name) => {
    data.grids.forEach((grid, number) => {
      const row = grid.names.indexOf(name);
      if (row < 0) return;
      const { low, high } = cellsOf(number), some = high[row].map((one, at) => [one, at]).filter(([one]) => one !== 0);
      const value = (code) => code === BROKEN ? "NaN" : code === ZERO ? 0 : size(code);
      const x = some.map(([, at]) => at * data.width + 1);
      put(child(element), line(grid.title, x, some.map(([one]) => value(one)), null, null, some.map(([, at]) => low[row][at] === BROKEN ? null : value(low[row][at]))));
    });
  };

  // --- the page

  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) { seen.unobserve(entry.target); show(entry.target); }
  }), { rootMargin: "300px" });
  const pending = new Set();
  const later = (element) => { pending.add(element); seen.observe(element); };
  const show = (element) => {
    if (!pending.delete(element)) return;
    if (element.dataset.chart === "loss") put(element, loss);
    else if (element.dataset.chart === "time") put(element, time).then(() => element.on("plotly_click", (event) => {
      document.getElementById(`diagnosis-${event.points[0].customdata}`)?.scrollIntoView({ behavior: "smooth" });
    }));
    else if (element.id === "heat") put(element, heat).then(() => { root.dataset.drawn = Math.round(performance.now()); });
    else proofs(element);
  };
  const tabs = document.getElementById("tabs"), field = document.getElementById("heat");
  const choose = (number) => {
    chosen = number; cursor = null;
    [...tabs.children].forEach((one, at) => { one.setAttribute("aria-selected", at === number); one.tabIndex = at === number ? 0 : -1; });
    pending.delete(field);
    put(field, heat);
  };
  data.grids.forEach((grid, number) => {
    const tab = document.createElement("button");
    Object.assign(tab, { type: "button", textContent: grid.title, tabIndex: number ? -1 : 0, onclick: () => choose(number) });
    tab.setAttribute("role", "tab"); tab.setAttribute("aria-selected", number === 0);
    tabs.append(tab);
  });
  tabs.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    choose((chosen + by + data.grids.length) % data.grids.length); tabs.children[chosen].focus();
  });
  field.addEventListener("keydown", (event) => {
    const by = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!by || !data.grids.length) return;
    event.preventDefault();
    const names = data.grids[chosen].names, far = event.shiftKey ? 10 : 1;
    cursor = cursor
      ? { r: Math.max(0, Math.min(names.length - 1, cursor.r + far * by[0])), c: Math.max(0, Math.min(data.columns - 1, cursor.c + far * by[1])) }
      : { r: 0, c: 0 };
    document.getElementById("cell").textContent = `${names[cursor.r] || "the model"}, ${stepsOf(cursor.c)}: ${tell(chosen, cursor.r, cursor.c)}`;
    Plotly.relayout(field, { shapes: heat()[1].shapes });
  });
  if (data.grids.length) later(field);
  else field.textContent = "No layer was measured.";
  document.querySelectorAll("[data-chart], [data-proofs]").forEach(later);
  document.querySelectorAll("details").forEach((one) => one.addEventListener("toggle", () => {
    const element = one.querySelector(".curves");
    if (one.open && !element.childElementCount) curves(element, one.dataset.layer);
  }));
  document.getElementById("filter")?.addEventListener("input", (event) => {
    const wanted = event.target.value.toLowerCase();
    document.querySelectorAll("details").forEach((one) => { one.hidden = !one.dataset.find.includes(wanted); });
  });
  const redraw = () => drawn.forEach((make, element) => { const [traces, form] = make(); Plotly.react(element, traces, form); });
  document.getElementById("theme").onclick = () => { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; redraw(); };
  media.addEventListener("change", () => { root.dataset.theme = media.matches ? "dark" : "light"; redraw(); });
  addEventListener("beforeprint", () => { root.dataset.theme = "light"; [...pending].forEach(show); redraw(); });
  root.dataset.ready = Math.round(performance.now());
})();
