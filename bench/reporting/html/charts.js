// The charts. Each is drawn when it comes into view; Plotly is unpacked before the first.

const LOOKS = {
  numpy: { light: "#1b1b1b", dark: "#ececec", symbol: "diamond" },
  keras: { light: "#00568a", dark: "#7cc4f2", symbol: "circle" },
  "keras-jax": { light: "#a34700", dark: "#f0a860", symbol: "square" },
  torch: { light: "#00694c", dark: "#57d3a8", symbol: "triangle-up" },
};
const OTHER = { light: "#8b2f6b", dark: "#eb9fd0", symbol: "x" };
const SECOND = { light: "#a8470f", dark: "#f0a860" }; // a row that another is compared with
const NAMED = 6; // lines with a name
const HEIGHT = 480; // pixels of a chart
const look = (backend) => LOOKS[backend] ?? OTHER;
const dark = matchMedia("(prefers-color-scheme: dark)");
const printing = matchMedia("print");
const colour = (backend) => look(backend)[dark.matches && !printing.matches ? "dark" : "light"];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const narrow = () => innerWidth < 640;
const config = () => ({ responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d"],
  displayModeBar: narrow() ? false : "hover" }); // on a phone its buttons would lie on the legend

function layout(x, y, more = {}) {
  const axis = (title) => ({ title: { text: title }, gridcolor: css("--grid"), linecolor: css("--line"), zeroline: false,
    automargin: true });
  const { xaxis = {}, yaxis = {}, ...rest } = more;
  return { paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), font: { color: css("--ink"), size: 13 },
    margin: { l: 60, r: 10, t: 30, b: 50 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, hovermode: "closest",
    hoverlabel: { bgcolor: css("--paper"), font: { color: css("--ink") } },
    xaxis: { ...axis(x), ...xaxis }, yaxis: { ...axis(y), ...yaxis }, ...rest };
}

// A logarithmic axis over these values, with ticks at 1, 2 and 5 times powers of ten where there is room, else at fewer.
function logarithmic(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  if (!logs.length) return { type: "log" };
  const low = Math.min(...logs), high = Math.max(...logs), span = Math.max(high - low, 0.2);
  const room = narrow() ? span * 2.5 : span;
  const steps = room < 1.5 ? [1, 2, 3, 5, 7] : room < 3.5 ? [1, 2, 5] : room < 5 ? [1, 3] : [1];
  const tickvals = [];
  for (let power = Math.floor(low) - 1; power <= high + 1; power += 1) tickvals.push(...steps.map((step) => step * 10 ** power));
  return { type: "log", tickangle: 0, tickmode: "array", tickvals, ticktext: tickvals.map((value) => String(Number(value.toPrecision(1)))),
    range: [low - 0.06 * span, high + 0.08 * span] };
}

// Names at points of a chart with logarithmic axes, each method once, the first ones first: beside its point, or a little above
// or below where another name is; none where there is no room.
function names(id, points, xaxis, yaxis) {
  if (!xaxis.range || !yaxis.range) return [];
  const width = by(id).clientWidth - 70, taken = [], found = [];
  const at = (value, axis, size) => (size * (Math.log10(value) - axis.range[0])) / (axis.range[1] - axis.range[0]);
  for (const point of points.filter((one, place) => points.findIndex((other) => other.name === one.name) === place)) {
    const x = at(point.x, xaxis, width), y = at(point.y, yaxis, HEIGHT - 80), long = 6.2 * point.name.length + 6;
    const right = x + 8 + long < width;
    for (const shift of [-10, 10, -23, 23, -36, 36]) {
      const box = [right ? x + 8 : x - 8 - long, y + shift, right ? x + 8 + long : x - 8, y + shift + 14];
      if (box[0] < 0 || box[1] < -4 || taken.some((one) => one[0] < box[2] && box[0] < one[2] && one[1] < box[3] && box[1] < one[3])) continue;
      taken.push(box);
      found.push({ x: Math.log10(point.x), y: Math.log10(point.y), text: point.name, showarrow: false, yshift: shift,
        xanchor: right ? "left" : "right", xshift: right ? 6 : -6, borderpad: 0,
        font: { size: 11, color: point.colour ?? css("--ink") } });
      break;
    }
  }
  return found;
}

function drawTime(shown) {
  const timed = shown.filter((row) => row.fit !== null && row.error > 0);
  const seconds = (row) => Math.max(row.fit, 0.01);
  const traces = backends.filter((name) => timed.some((row) => row.backend === name)).map((name) => {
    const own = timed.filter((row) => row.backend === name);
    return { type: "scatter", mode: "markers", name, x: own.map(seconds), y: own.map((row) => row.error),
      customdata: own.map((row) => [rows().indexOf(row), row.method, row.timed ? "" : " (disturbed)", row.fit]),
      marker: { color: colour(name), symbol: look(name).symbol, size: 10, opacity: own.map((row) => (row.timed ? 1 : 0.45)) },
      hovertemplate: "<b>%{customdata[1]}</b><br>" + name + "<br>" + metric() + " %{y:.4g}<br>fit %{customdata[3]:.3g} s%{customdata[2]}<extra></extra>" };
  });
  const front = timed.filter((row) => row.pareto).sort((a, b) => a.fit - b.fit);
  traces.push({ type: "scatter", mode: "lines", name: "Pareto front", x: front.map(seconds), y: front.map((row) => row.error),
    line: { color: css("--line"), shape: "hv", width: 1.5 }, hoverinfo: "skip" });
  const xaxis = logarithmic(timed.map(seconds)), yaxis = logarithmic(timed.map((row) => row.error));
  const best = [...timed].sort((one, other) => one.error - other.error).slice(0, NAMED);
  const points = [...best, ...front.reverse()].map((row) => ({ x: seconds(row), y: row.error, name: row.method }));
  const annotations = names("time", points, xaxis, yaxis);
  Plotly.react("time", traces, layout("fit seconds, one core", error(), { height: HEIGHT, xaxis, yaxis, annotations }), config());
}

const withCurve = (shown) => shown.filter((row) => row.curve.seconds?.length && row.curve.val_last_step_mse?.length);

function drawAnytime(shown) {
  const trained = withCurve(shown);
  const last = (row) => row.curve.val_last_step_mse.at(-1);
  const best = [...trained].sort((a, b) => last(a) - last(b));
  const leaders = new Set(best.filter((row, place) => best.findIndex((one) => one.method === row.method) === place).slice(0, NAMED));
  const traces = [...best].reverse().map((row) => {
    const place = rows().indexOf(row), leads = leaders.has(row);
    return { type: "scatter", mode: "lines", name: row.backend, legendgroup: row.backend, showlegend: false,
      x: row.curve.seconds, y: row.curve.val_last_step_mse, customdata: row.curve.seconds.map(() => [place, row.method]),
      line: { color: colour(row.backend), width: leads ? 2.5 : 1 }, opacity: leads ? 1 : 0.3,
      hovertemplate: `<b>%{customdata[1]}</b><br>${row.backend}<br>MSE %{y:.4g}<br>after %{x:.3g} s<extra></extra>` };
  });
  for (const name of backends.filter((one) => trained.some((row) => row.backend === one))) {
    traces.push({ type: "scatter", mode: "lines", name, legendgroup: name, x: [null], y: [null], line: { color: colour(name), width: 2.5 } });
  }
  const xaxis = logarithmic(trained.flatMap((row) => row.curve.seconds));
  const yaxis = logarithmic(trained.flatMap((row) => row.curve.val_last_step_mse));
  if (xaxis.range) xaxis.range[1] += (narrow() ? 0.3 : 0.1) * (xaxis.range[1] - xaxis.range[0]); // for the names
  const points = [...leaders].map((row) => ({ x: row.curve.seconds.at(-1), y: last(row), name: row.method, colour: colour(row.backend) }));
  const annotations = names("anytime", points, xaxis, yaxis);
  Plotly.react("anytime", traces, layout("training seconds, one core", "last-step MSE, validation",
    { height: HEIGHT, xaxis, yaxis, annotations }), config());
}

const seedsHeight = (shown) => 130 + 20 * new Set(shown.map((row) => row.method)).size;

function drawSeeds(shown) {
  const methods = [...new Set(shown.map((row) => row.method))]; // best first, as the rows are
  const traces = backends.filter((name) => shown.some((row) => row.backend === name)).map((name) => {
    const dots = shown.filter((row) => row.backend === name).flatMap((row) => row.seeds.map((one) => [one, row.method, row]));
    return { type: "scatter", mode: "markers", name, x: dots.map(([one]) => one.error), y: dots.map(([, method]) => method),
      customdata: dots.map(([one, , row]) => [rows().indexOf(row), one.seed]),
      marker: { color: colour(name), symbol: `${look(name).symbol}-open`, size: 9, line: { width: 1.5 } }, // equal ones show
      hovertemplate: "%{y}<br>" + name + "<br>seed %{customdata[1]}: " + metric() + " %{x:.4g}<extra></extra>" };
  });
  Plotly.react("seeds", traces, layout(error(), narrow() ? "" : "method", { height: seedsHeight(shown),
    xaxis: logarithmic(shown.flatMap((row) => row.seeds.map((one) => one.error))),
    yaxis: { type: "category", categoryorder: "array", categoryarray: [...methods].reverse(), dtick: 1, tickfont: { size: 11 } } }), config());
}

// Charts of a row that it has figures for; the others are hidden at once: what is hidden never comes into view.
const HAS = {
  curve: (row) => ["loss", "val_loss", "val_last_step_mse"].some((name) => row.curve[name]?.length),
  steps: (row) => row.steps.length > 1,
  forecasts: (row) => Boolean(row.forecasts && data.boards[state.board].truth),
};
const having = (id) => chosen().filter(HAS[id]);

function hideEmpty() {
  for (const id of Object.keys(HAS)) by(id).closest("figure").hidden = !having(id).length;
}

function drawIf(id, traces, more) {
  if (having(id).length) Plotly.react(id, traces, more, config());
}

function line(name, values, style = {}, epochs = values.map((_, place) => place + 1)) {
  return { type: "scatter", mode: "lines", name, x: epochs, y: values, ...style };
}

const chosen = () => [state.chosen, state.other].filter(Boolean);
const paint = (row, place) => (place ? SECOND[dark.matches && !printing.matches ? "dark" : "light"] : row.backend === "numpy" ? css("--accent") : colour(row.backend));
const title = (row) => `${row.method}, ${row.backend}`;

function drawCurve() {
  const two = Boolean(state.other), traces = [];
  chosen().forEach((row, place) => {
    const tell = (name) => (two ? `${row.method}: ${name}` : name), main = paint(row, place);
    const kinds = [["training", row.curve.loss, { color: main, width: 1, dash: "dash" }], ["validation", row.curve.val_loss, { color: main, width: 2.5 }],
      ["validation, last step", row.curve.val_last_step_mse, { color: main, dash: "dot" }],
      ["validation, reference", row.printed, { color: css("--line"), dash: "longdash" }]];
    for (const [name, values, style] of kinds) if (values?.length) traces.push(line(tell(name), values, { line: style }, values === row.printed ? undefined : row.curve.epoch));
  });
  drawIf("curve", traces, layout("epoch", "MSE", { height: 360, yaxis: logarithmic(traces.flatMap((one) => one.y)) }));
}

function drawSteps() {
  drawIf("steps", having("steps").map((row) => ({ type: "bar", name: title(row), showlegend: Boolean(state.other),
    x: row.steps.map((_, step) => step + 1), y: row.steps, marker: { color: paint(row, chosen().indexOf(row)) },
    hovertemplate: "step %{x}: MSE %{y:.4g}<extra></extra>" })), layout("steps ahead", "MSE", { height: 320 }));
}

function drawForecasts() {
  const truth = data.boards[state.board].truth, there = having("forecasts");
  const traces = [], axes = {};
  (there.length ? truth.future : []).forEach((future, place) => {
    const id = place ? String(place + 1) : "", before = truth.history[place], axis = { xaxis: `x${id}`, yaxis: `y${id}` };
    const past = before.map((_, step) => step - before.length + 1), after = future.map((_, step) => step + 1);
    const first = { ...axis, type: "scatter", mode: "lines+markers", marker: { size: 5 }, showlegend: !place };
    traces.push({ ...first, mode: "lines", name: "history", x: past, y: before, line: { color: css("--soft"), width: 1.5 } },
      { ...first, name: "truth", x: after, y: future, line: { color: css("--ink"), width: 1.5 } });
    there.forEach((row) => traces.push({ ...first, name: there.length > 1 ? title(row) : "forecast", x: after, y: row.forecasts[place],
      line: { color: paint(row, chosen().indexOf(row)), width: 2, dash: row === state.other ? "dash" : "dot" } }));
    const share = 1 / truth.future.length, part = [place * share + (place ? 0.05 : 0), (place + 1) * share - (narrow() ? 0.08 : 0)];
    const looks = { gridcolor: css("--grid"), zeroline: false, automargin: true };
    axes[`xaxis${id}`] = { ...looks, title: { text: "steps after the last known value" }, domain: narrow() ? [0, 1] : part, anchor: `y${id}` };
    axes[`yaxis${id}`] = { ...looks, title: { text: place && !narrow() ? "" : "value" }, domain: narrow() ? part : [0, 1], anchor: `x${id}` };
  });
  drawIf("forecasts", traces, layout("", "", { height: narrow() ? 720 : 360, ...axes }));
}

const CHARTS = { time: drawTime, anytime: drawAnytime, seeds: drawSeeds, curve: drawCurve, forecasts: drawForecasts, steps: drawSteps };
const outdated = new Set();
let library;

// Plotly takes a second to unpack: it is asked for when a chart is near, or when the browser has nothing else to do.
function plotly() {
  library ??= unpack("plotly").then((code) => {
    const script = document.createElement("script");
    script.textContent = code;
    document.head.append(script);
  });
  return library;
}

function drawChart(id) {
  if (!outdated.delete(id)) return;
  CHARTS[id](filtered());
  if (!by(id).dataset.heard && by(id).on) {
    by(id).dataset.heard = "true";
    by(id).on("plotly_click", (event) => {
      const place = event.points[0].customdata?.[0];
      if (place !== undefined) choose(state.board, place, true);
    });
  }
}

const inView = new Set();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) inView[entry.isIntersecting ? "add" : "delete"](entry.target.id);
  drawInView();
}, { rootMargin: "200px" });

async function drawInView() {
  if (![...inView].some((id) => outdated.has(id))) return;
  await plotly();
  inView.forEach(drawChart);
}

window.outdatedCharts = () => [...outdated];

function redraw(ids = Object.keys(CHARTS)) {
  for (const id of ids) outdated.add(id);
  drawInView();
}
