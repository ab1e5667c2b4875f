"use strict";
(() => {
  // Okabe and Ito's colours for all kinds of sight; where there are more runs, dashes tell them apart.
  const COLOURS = {
    light: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07a00", "#56b4e9", "#7f7f7f"],
    dark: ["#56b4e9", "#e69f00", "#2fbf97", "#e29ac2", "#f0e442", "#7c9cff", "#b0b0b0"],
  };
  const DASHES = ["solid", "dash", "dot", "dashdot"];
  const charts = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const ofRun = (at) => COLOURS[root.dataset.theme][at % COLOURS.light.length];
  const dashOf = (at) => DASHES[Math.floor(at / COLOURS.light.length) % DASHES.length];

  const draw = (place) => {
    const isLoss = place.dataset.chart === "0";
    const { title, curves } = charts[Number(place.dataset.chart)];
    const known = curves.flatMap((one) => one.y).filter((one) => typeof one === "number");
    if (!known.length) {
      const isBroken = curves.some((one) => one.y.length);
      place.textContent = isBroken ? "NaN or infinite in every step" : "nothing was recorded";
      place.classList.add("empty");
      return;
    }
    const low = Math.min(...known), high = Math.max(...known);
    const isLog = low > 0 && high / low > 20;
    const traces = curves.map((one, at) => ({
      x: one.x, y: one.y.map((value) => typeof value === "number" ? value : null), name: one.name,
      mode: one.x.length < 40 ? "lines+markers" : "lines", connectgaps: false,
      opacity: 0.85, line: { color: ofRun(at), dash: dashOf(at), width: isLoss ? 1.6 : 1.2 }, marker: { size: 4 },
      hovertemplate: `${one.name}, step %{x:,d}: %{y:.4g}<extra></extra>`,
    }));
    curves.forEach((one, at) => {
      const broken = one.x.filter((_, number) => typeof one.y[number] !== "number");
      if (broken.length) traces.push({
        x: broken, y: broken.map(() => high), mode: "markers", showlegend: false, name: one.name,
        marker: { symbol: "x", size: 8, color: ofRun(at) },
        hovertemplate: `${one.name}, step %{x:,d}: not finite<extra></extra>`,
      });
    });
    const axis = (more) => ({ gridcolor: colour("line"), linecolor: colour("line"), zerolinecolor: colour("line"), ...more });
    const layout = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true, height: isLoss ? 340 : 190,
      font: { color: colour("text"), size: 12 }, margin: { l: 56, r: 8, t: isLoss ? 28 : 6, b: 34 },
      dragmode: matchMedia("(pointer: coarse)").matches ? false : "zoom", // a finger scrolls the page
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: colour("text") } },
      showlegend: isLoss, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      xaxis: axis({ title: { text: isLoss ? "step" : "" }, tickformat: ",d", nticks: isLoss ? 10 : 5, zeroline: false }),
      yaxis: axis({ type: isLog ? "log" : "linear", exponentformat: "power", ...(isLog && high / low < 1e7 ? { dtick: 1 } : { nticks: 6 }), title: { text: isLoss ? title : "" } }),
    };
    Plotly.react(place, traces, layout, { displayModeBar: false, responsive: true });
  };
  const all = () => {
    document.querySelectorAll("[data-run]").forEach((one) => { one.style.background = ofRun(Number(one.dataset.run)); });
    document.querySelectorAll("[data-chart]").forEach(draw);
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const put = (theme) => { root.dataset.theme = theme; all(); };
  document.getElementById("theme").addEventListener("click", () => put(root.dataset.theme === "dark" ? "light" : "dark"));
  dark.addEventListener("change", () => put(dark.matches ? "dark" : "light"));
  put(dark.matches ? "dark" : "light");
})();
