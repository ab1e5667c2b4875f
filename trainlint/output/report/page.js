// The page of a report: when a chart is drawn, and what keys and buttons do.
(async () => {
  const root = document.documentElement, media = matchMedia("(prefers-color-scheme: dark)");
  const by = (name) => document.getElementById(name), all = (selector) => [...document.querySelectorAll(selector)];
  const follow = () => { root.dataset.theme = media.matches ? "dark" : "light"; };
  follow();

  const reveal = () => { // a link opens what it leads to
    const target = location.hash.length > 1 ? by(decodeURIComponent(location.hash.slice(1))) : null;
    if (!target) return;
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);

  // --- the charts

  const unpacked = async (name) => {
    const bytes = bytesOf(by(name).textContent);
    by(name).remove();
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate")));
  };
  if (typeof DecompressionStream === "undefined") {
    by("failed").textContent = "This browser is too old to draw the charts; those since 2023 can. Everything else is here.";
    by("failed").hidden = false;
    for (const name of ["filter", "all"]) by(name)?.remove();
    return;
  }
  const [data, library] = await Promise.all([unpacked("data").then((one) => one.json()), unpacked("plotly").then((one) => one.text())]);
  const charts = chartsOf(data, async (number) => (await unpacked(`cells-${number}`)).arrayBuffer());
  root.append(Object.assign(document.createElement("script"), { textContent: library }));

  const drawn = new Map(), pending = new Map(), linked = new Set();
  const put = async (element, make) => {
    drawn.set(element, make);
    const [traces, form] = make();
    await Plotly.react(element, traces, form, { responsive: true, displayModeBar: false, doubleClick: false, showTips: false });
  };
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => { if (entry.isIntersecting) show(entry.target); }), { rootMargin: "300px" });
  const later = (element, draw) => { pending.set(element, draw); seen.observe(element); };
  const show = (element) => {
    const draw = pending.get(element);
    pending.delete(element); seen.unobserve(element);
    draw?.();
  };
  const empty = (element, says) => element.replaceWith(Object.assign(document.createElement("p"), { className: "empty", textContent: says }));
  const several = (element, makes) => makes.forEach((make) => put(element.appendChild(document.createElement("div")), make));

  // Charts of the whole run show the same steps: who zooms into one, zooms into all.
  let moving = false;
  const look = async (range) => {
    const [low, high] = charts.whole, margin = Math.max(2, (high - low) / 500);
    if (range && range[1] - range[0] < margin) range = [(range[0] + range[1] - margin) / 2, (range[0] + range[1] + margin) / 2];
    charts.view.range = range && (range[0] > low || range[1] < high) ? [Math.max(low, range[0]), Math.min(high, range[1])] : null;
    by("zoom").lastElementChild.disabled = charts.view.range === null;
    if (moving) return;
    moving = true;
    for (const element of linked) {
      const change = { "xaxis.range": [...(charts.view.range ?? charts.whole)] };
      if (range === null && element === field) change["yaxis.range"] = [...drawn.get(field)()[1].yaxis.range];
      await Plotly.relayout(element, change);
    }
    moving = false;
  };
  const link = (element) => {
    linked.add(element);
    element.on("plotly_relayout", (change) => { if (!moving && "xaxis.range[0]" in change) look([change["xaxis.range[0]"], change["xaxis.range[1]"]]); });
    element.on("plotly_doubleclick", () => { look(null); });
  };
  const field = by("heat"), tabs = by("tabs"), tip = document.body.appendChild(Object.assign(document.createElement("div"), { id: "tip", hidden: true }));
  let chosen = 0, painted = -1, cursor = null;
  const paint = async () => {
    pending.delete(field); seen.unobserve(field);
    const number = chosen;
    await charts.load(number);
    if (number !== chosen) return; // another was chosen meanwhile
    by("broken").hidden = !charts.hasBroken(chosen);
    await put(field, charts.heat(chosen, cursor));
    painted = number;
    if (linked.has(field)) return;
    link(field);
    field.on("plotly_hover", ({ points, event }) => {
      const [row, column] = points[0].pointIndex;
      tip.textContent = charts.cell(painted, row, column);
      tip.hidden = false;
      tip.style.left = `${Math.max(8, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
      tip.style.top = `${Math.max(8, event.clientY - tip.offsetHeight - 10)}px`;
    });
    field.on("plotly_unhover", () => { tip.hidden = true; });
    root.dataset.drawn = Math.round(performance.now());
  };
  const choose = (number) => {
    chosen = number; cursor = null; by("cell").textContent = "\u00a0";
    [...tabs.children].forEach((one, at) => { one.setAttribute("aria-selected", at === number); one.tabIndex = at === number ? 0 : -1; });
    paint();
  };
  const zoom = (factor) => {
    const [low, high] = charts.view.range ?? charts.whole, middle = cursor ? charts.firsts[cursor.c] : (low + high) / 2;
    look(factor ? [middle - (high - low) * factor / 2, middle + (high - low) * factor / 2] : null);
  };
  data.grids.forEach((grid, number) => {
    const tab = Object.assign(document.createElement("button"), { type: "button", textContent: grid.title, tabIndex: number ? -1 : 0, onclick: () => choose(number) });
    tab.setAttribute("role", "tab"); tab.setAttribute("aria-selected", number === 0);
    tabs.append(tab);
  });
  tabs.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    choose((chosen + step + data.grids.length) % data.grids.length); tabs.children[chosen].focus();
  });
  all("#zoom button").forEach((one) => { one.onclick = () => zoom(+one.dataset.zoom); });
  field.addEventListener("keydown", (event) => {
    if (painted !== chosen) return;
    const factor = { "+": 0.5, "-": 2, 0: 0 }[event.key];
    if (factor !== undefined) { event.preventDefault(); zoom(factor); return; }
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const far = event.shiftKey ? 10 : 1, within = (at, end) => Math.max(0, Math.min(end - 1, at));
    cursor = cursor ? { r: within(cursor.r + far * step[0], data.grids[chosen].names.length), c: within(cursor.c + far * step[1], charts.firsts.length) } : { r: 0, c: 0 };
    by("cell").textContent = charts.cell(chosen, cursor.r, cursor.c);
    Plotly.relayout(field, { shapes: charts.frame(cursor) });
  });
  by("zoom").lastElementChild.disabled = true;

  const time = document.querySelector("[data-chart=time]"), loss = document.querySelector("[data-chart=loss]");
  if (time) later(time, async () => {
    await put(time, charts.time);
    link(time);
    time.on("plotly_click", (event) => { location.hash = `diagnosis-${event.points[0].customdata}`; reveal(); });
  });
  if (data.loss.x.length || data.rate.x.length) later(loss, async () => { await put(loss, charts.loss); link(loss); });
  else empty(loss, "No loss was recorded.");
  if (data.grids.length) later(field, paint);
  else { empty(field, "No layer was measured."); all(".tools:has(#tabs), .cell, .cell + p").forEach((one) => one.remove()); root.dataset.drawn = Math.round(performance.now()); }
  all("[data-proofs]").forEach((one) => {
    const number = +one.dataset.proofs;
    if (data.diagnoses[number].proofs.length) later(one, () => several(one, charts.proofs(number)));
  });

  // --- the table

  const table = by("table"), told = by("shown"), total = (table?.querySelectorAll("details").length ?? 0) + data.layers.length;
  const add = (parent, tag, more = {}) => parent.appendChild(Object.assign(document.createElement(tag), more));
  const rest = () => { // as the template has the first ones
    for (const one of data.layers.splice(0)) {
      const row = add(table, "details"), summary = add(row, "summary", { className: "row" }), name = add(summary, "span", { className: "name" });
      Object.assign(row.dataset, { layer: one.name, find: one.find });
      if (one.severity) add(name, "i", { className: `dot ${one.severity}`, title: one.severity });
      add(name, "b", { textContent: one.name || "the model" });
      name.append(" ");
      add(name, "small", { textContent: one.what });
      one.numbers.forEach((value) => add(summary, "span", { textContent: value }));
      one.said.forEach(([at, rule]) => add(add(row, "p", { className: "muted" }), "a", { href: `#diagnosis-${at}`, textContent: rule }));
      if (one.place) {
        const figure = add(row, "figure");
        add(figure, "figcaption", { className: "muted", textContent: one.place });
        if (one.code) add(add(figure, "pre"), "code", { textContent: one.code });
      }
      add(row, "div", { className: "curves" });
    }
    by("all")?.remove();
  };
  const count = () => {
    const wanted = by("filter").value.trim().toLowerCase();
    if (wanted) rest();
    let seen = 0;
    table.classList.toggle("sought", wanted !== "");
    for (const one of table.querySelectorAll("details")) {
      const found = one.dataset.find.includes(wanted);
      one.classList.toggle("found", found);
      if (found) seen += 1;
    }
    told.textContent = `${seen.toLocaleString("en")} of ${total.toLocaleString("en")} layers`;
  };
  if (table) {
    if (by("all")) by("all").onclick = () => { rest(); count(); };
    by("filter").addEventListener("input", count);
    count();
    table.addEventListener("toggle", async ({ target }) => { // it does not bubble, but is seen on its way down
      const element = target.querySelector(".curves");
      if (!target.open || element.childElementCount) return;
      await Promise.all(data.grids.map((_, number) => charts.load(number)));
      if (!element.childElementCount) several(element, charts.curves(target.dataset.layer));
    }, true);
  }

  const redraw = () => drawn.forEach((make, element) => { put(element, make); });
  by("theme").onclick = () => { root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark"; redraw(); };
  media.addEventListener("change", () => { follow(); redraw(); });
  const PAPER = "680px"; // so wide is a page of A4 or Letter within its margins
  let before = "light";
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light"; document.body.style.width = PAPER; root.classList.add("printing");
    [...pending.keys()].filter((one) => one.offsetParent !== null).forEach(show);
    redraw();
  });
  addEventListener("afterprint", () => { root.dataset.theme = before; document.body.style.width = ""; root.classList.remove("printing"); redraw(); });
  reveal();
  root.dataset.ready = Math.round(performance.now());
})();
