// The page's own script: filters, table, charts, and the detail of one row. Its libraries lie packed in the page.

const data = JSON.parse(document.getElementById("data").textContent);
const by = (id) => document.getElementById(id);

async function unpack(id) {
  const packed = Uint8Array.from(atob(by(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

const plotly = document.createElement("script");
plotly.textContent = await unpack("plotly");
document.head.append(plotly);
const url = URL.createObjectURL(new Blob([await unpack("tables")], { type: "text/javascript" }));
const { ITable, jQuery } = await import(url);
URL.revokeObjectURL(url);

const LOOKS = {
  numpy: { light: "#1b1b1b", dark: "#ececec", symbol: "diamond" },
  keras: { light: "#00568a", dark: "#7cc4f2", symbol: "circle" },
  "keras-jax": { light: "#a34700", dark: "#f0a860", symbol: "square" },
  torch: { light: "#00694c", dark: "#57d3a8", symbol: "triangle-up" },
};
const OTHER = { light: "#8b2f6b", dark: "#eb9fd0", symbol: "x" };
const look = (backend) => LOOKS[backend] ?? OTHER;
const dark = matchMedia("(prefers-color-scheme: dark)");
const colour = (backend) => look(backend)[dark.matches ? "dark" : "light"];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const narrow = () => innerWidth < 640;
const config = () => ({ responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"],
  displayModeBar: narrow() ? false : "hover" }); // on a phone its buttons would lie on the legend
const short = (value) => Number(value.toPrecision(4));

function layout(x, y, more = {}) {
  const axis = (title) => ({ title: { text: title }, gridcolor: css("--grid"), linecolor: css("--line"), zeroline: false,
    automargin: true });
  const { xaxis = {}, yaxis = {}, ...rest } = more;
  return { paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), font: { color: css("--ink"), size: 13 },
    margin: { l: 60, r: 10, t: 30, b: 50 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, hovermode: "closest",
    hoverlabel: { bgcolor: css("--paper"), font: { color: css("--ink") } },
    xaxis: { ...axis(x), ...xaxis }, yaxis: { ...axis(y), ...yaxis }, ...rest };
}

const state = { board: 0, chosen: null };
const rows = () => data.boards[state.board]?.rows ?? [];
const backends = [...new Set(data.boards.flatMap((board) => board.rows.map((row) => row.backend)))];
for (const backend of backends) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true, value: backend });
  label.append(box, ` ${backend}`);
  by("backends").append(label);
}
const wanted = () => new Set([...by("backends").querySelectorAll("input:checked")].map((box) => box.value));

function filtered() {
  const names = wanted(), part = by("search").value.trim().toLowerCase();
  return rows().filter((row) => names.has(row.backend) && row.method.toLowerCase().includes(part));
}

const at = (column) => data.columns.indexOf(column);
const exact = (names) => `^(${[...names].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})$`;
new ITable(by("table"), { pageLength: 25, lengthMenu: [10, 25, 50, 100], order: [[at("test_mse"), "asc"]], layout: { topStart: "info",
  topEnd: null, bottomStart: "pageLength", bottomEnd: "paging" }, autoWidth: false, style: "",
  columnDefs: [{ targets: 0, visible: false }] });
const table = jQuery(by("table")).DataTable();

function filterTable() {
  const name = data.boards[state.board]?.name ?? "";
  table.column(at("task")).search(exact([name]), { regex: true, smart: false, caseInsensitive: false });
  table.column(at("method")).search(by("search").value.trim(), { regex: false, smart: false });
  table.column(at("backend")).search(exact(wanted()), { regex: true, smart: false });
  table.draw();
  by("count").value = `${filtered().length} rows`;
}

// The names of the points of the front, best first, where there is room: none beside another's, and each method once.
function names(front) {
  const errors = rows().map((row) => row.error).filter((error) => error > 0);
  const room = 0.07 * Math.log(Math.max(...errors) / Math.min(...errors)), taken = [];
  const named = [...front].reverse().filter((row) => {
    const free = taken.every((one) => one.method !== row.method && Math.log(row.error / one.error) >= room);
    return free && taken.push(row);
  });
  return front.map((row) => (named.includes(row) ? row.method : ""));
}

function drawTime(shown) {
  const timed = shown.filter((row) => row.fit !== null && row.error > 0);
  const traces = backends.filter((name) => timed.some((row) => row.backend === name)).map((name) => {
    const own = timed.filter((row) => row.backend === name);
    return { type: "scatter", mode: "markers", name, x: own.map((row) => Math.max(row.fit, 0.01)), y: own.map((row) => row.error),
      customdata: own.map((row) => [rows().indexOf(row), row.method, row.timed ? "" : " (disturbed)", row.fit]),
      marker: { color: colour(name), symbol: look(name).symbol, size: 10, opacity: own.map((row) => (row.timed ? 1 : 0.45)) },
      hovertemplate: "<b>%{customdata[1]}</b><br>" + name + "<br>MSE %{y:.4g}<br>fit %{customdata[3]:.3g} s%{customdata[2]}<extra></extra>" };
  });
  const front = timed.filter((row) => row.pareto).sort((a, b) => a.fit - b.fit);
  traces.push({ type: "scatter", mode: "lines+text", name: "Pareto front", text: names(front),
    textposition: front.map((row) => (row.fit < 0.03 ? "bottom right" : "bottom left")),
    textfont: { size: 11, color: css("--soft") }, cliponaxis: false, x: front.map((row) => Math.max(row.fit, 0.01)),
    y: front.map((row) => row.error), line: { color: css("--line"), shape: "hv", width: 1.5 }, hoverinfo: "skip" });
  Plotly.react("time", traces, layout("fit seconds, one core", "last-step MSE",
    { height: 460, xaxis: { type: "log" }, yaxis: { type: "log" } }), config());
}

function drawAnytime(shown) {
  const trained = shown.filter((row) => row.curve.seconds?.length && row.curve.val_last_step_mse?.length);
  const first = new Set();
  const traces = trained.map((row) => {
    const named = !first.has(row.backend), place = rows().indexOf(row);
    first.add(row.backend);
    return { type: "scatter", mode: "lines", name: row.backend, legendgroup: row.backend, showlegend: named,
      x: row.curve.seconds, y: row.curve.val_last_step_mse, customdata: row.curve.seconds.map(() => [place, row.method]),
      line: { color: colour(row.backend), width: 1.5 }, opacity: 0.7,
      hovertemplate: `<b>%{customdata[1]}</b><br>${row.backend}<br>MSE %{y:.4g}<br>after %{x:.3g} s<extra></extra>` };
  });
  Plotly.react("anytime", traces, layout("training seconds, one core", "last-step MSE",
    { height: 460, xaxis: { type: "log" }, yaxis: { type: "log" } }), config());
}

function drawSeeds(shown) {
  const methods = [...new Set(shown.map((row) => row.method))]; // best first, as the rows are
  const traces = backends.filter((name) => shown.some((row) => row.backend === name)).map((name) => {
    const dots = shown.filter((row) => row.backend === name).flatMap((row) => row.seeds.map((one) => [one, row.method, row]));
    return { type: "scatter", mode: "markers", name, x: dots.map(([one]) => one.error), y: dots.map(([, method]) => method),
      customdata: dots.map(([one, , row]) => [rows().indexOf(row), one.seed]),
      marker: { color: colour(name), symbol: `${look(name).symbol}-open`, size: 9, line: { width: 1.5 } }, // equal ones show
      hovertemplate: "%{y}<br>" + name + "<br>seed %{customdata[1]}: MSE %{x:.4g}<extra></extra>" };
  });
  Plotly.react("seeds", traces, layout("last-step MSE", "", { height: 120 + 20 * methods.length, xaxis: { type: "log" },
    yaxis: { type: "category", categoryorder: "array", categoryarray: [...methods].reverse(), dtick: 1, tickfont: { size: 11 } } }), config());
}

function drawIf(id, there, traces, more) {
  by(id).closest("figure").hidden = !there;
  if (there) Plotly.react(id, traces, more, config());
}

function line(name, values, style = {}) {
  return { type: "scatter", mode: "lines", name, x: values.map((_, place) => place + 1), y: values, ...style };
}

function drawDetail(row) {
  by("detail-title").textContent = row ? `${row.method}, ${row.backend}` : "A method";
  by("command").textContent = row?.command ?? "";
  if (!row) return;
  const facts = [`test MSE ${short(row.error)}`, row.skill === null ? "" : `skill ${row.skill.toFixed(1)} %`,
    row.fit === null ? "" : `fit ${short(row.fit)} s`, row.parameters === null ? "" : `${row.parameters} parameters`,
    row.notes === null ? "" : `notes: ${short(row.notes)}`, `seeds ${row.seeds.map((one) => one.seed).join(", ")}`,
    `records ${row.seeds.map((one) => one.key).join(", ")}`];
  by("facts").textContent = facts.filter(Boolean).join(" · ");
  const main = colour(row.backend), soft = css("--line");
  const curves = [["training", row.curve.loss, { line: { color: soft } }],
    ["validation", row.curve.val_loss, { line: { color: main } }],
    ["validation, last step", row.curve.val_last_step_mse, { line: { color: main, dash: "dot" } }],
    ["validation, reference", row.printed, { line: { color: soft, dash: "dash" } }]].filter(([, values]) => values?.length);
  drawIf("curve", curves.length, curves.map(([name, values, style]) => line(name, values, style)),
    layout("epoch", "MSE", { height: 320, yaxis: { type: "log" } }));
  drawIf("steps", row.steps.length > 1, [{ type: "bar", x: row.steps.map((_, place) => place + 1), y: row.steps,
    marker: { color: main }, hovertemplate: "step %{x}: MSE %{y:.4g}<extra></extra>" }],
  layout("steps ahead", "MSE", { height: 300 }));
  drawForecasts(row, main);
}

function drawForecasts(row, main) {
  const truth = data.boards[state.board].truth;
  const apart = row.backend === "numpy" ? css("--accent") : main; // the truth is in ink, and so is numpy
  const traces = [], axes = {};
  (row.forecasts && truth ? truth.future : []).forEach((future, place) => {
    const id = place ? String(place + 1) : "", history = truth.history[place], axis = { xaxis: `x${id}`, yaxis: `y${id}` };
    const before = history.map((_, step) => step - history.length + 1), after = future.map((_, step) => step + 1);
    const first = { ...axis, type: "scatter", mode: "lines+markers", marker: { size: 5 }, showlegend: !place };
    traces.push({ ...first, mode: "lines", name: "history", x: before, y: history, line: { color: css("--soft"), width: 1.5 } },
      { ...first, name: "truth", x: after, y: future, line: { color: css("--ink"), width: 1.5 } },
      { ...first, name: "forecast", x: after, y: row.forecasts[place], line: { color: apart, width: 2, dash: "dot" } });
    const share = 1 / truth.future.length;
    const part = [place * share + (place ? 0.04 : 0), (place + 1) * share];
    axes[`xaxis${id}`] = { domain: narrow() ? [0, 1] : part, anchor: `y${id}`, gridcolor: css("--grid"), zeroline: false };
    axes[`yaxis${id}`] = { domain: narrow() ? part : [0, 1], anchor: `x${id}`, gridcolor: css("--grid"), zeroline: false };
  });
  drawIf("forecasts", traces.length, traces, layout("", "", { height: narrow() ? 640 : 320, ...axes }));
}

// What is shown is in the address, so that it can be kept and passed on.
function remember() {
  const off = [...by("backends").querySelectorAll("input:not(:checked)")].map((box) => box.value);
  const kept = { task: data.boards[state.board]?.name ?? "", search: by("search").value.trim(), off: off.join(","),
    row: state.chosen ? `${state.chosen.method} ${state.chosen.backend}` : "" };
  const words = new URLSearchParams(Object.entries(kept).filter(([, value]) => value));
  history.replaceState(null, "", `#${words}`);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const board = data.boards.findIndex((one) => one.name === kept.get("task"));
  if (board >= 0) by("board").selectedIndex = state.board = board;
  by("search").value = kept.get("search") ?? "";
  const off = new Set((kept.get("off") ?? "").split(","));
  for (const box of by("backends").querySelectorAll("input")) box.checked = !off.has(box.value);
  state.chosen = rows().find((row) => `${row.method} ${row.backend}` === kept.get("row")) ?? null;
}

function choose(place, move) {
  state.chosen = rows()[place] ?? null;
  for (const button of document.querySelectorAll("td button[data-row]")) {
    const own = button.dataset.row === `${state.board}-${place}`;
    button.closest("tr").classList.toggle("chosen", own);
    button.setAttribute("aria-pressed", String(own));
  }
  drawDetail(state.chosen);
  remember();
  if (move) { by("detail").scrollIntoView(); by("detail").focus({ preventScroll: true }); }
}

function draw() {
  const shown = filtered();
  filterTable();
  drawTime(shown);
  drawAnytime(shown);
  drawSeeds(shown);
  if (!shown.includes(state.chosen)) choose(rows().indexOf(shown[0]), false); else { drawDetail(state.chosen); remember(); }
}

by("board").addEventListener("change", () => { state.board = by("board").selectedIndex; draw(); });
by("search").addEventListener("input", draw);
by("backends").addEventListener("change", draw);
by("filters").addEventListener("submit", (event) => event.preventDefault());
by("table").addEventListener("click", (event) => {
  const name = event.target.closest("button[data-row]")?.dataset.row;
  if (name) choose(Number(name.split("-")[1]), true);
});
table.on("draw", () => { if (state.chosen) choose(rows().indexOf(state.chosen), false); });
by("copy").addEventListener("click", async () => {
  await navigator.clipboard?.writeText(by("command").textContent);
  by("copy").textContent = "Copied";
  setTimeout(() => { by("copy").textContent = "Copy"; }, 2000);
});
const darken = () => document.documentElement.classList.toggle("dark", dark.matches); // as itables' style expects
dark.addEventListener("change", () => { darken(); draw(); });
darken();
recall();
draw();
for (const name of ["time", "anytime", "seeds"]) by(name).on("plotly_click", (event) => {
  const place = event.points[0].customdata?.[0];
  if (place !== undefined) choose(place, true);
});
document.documentElement.dataset.ready = "true";
