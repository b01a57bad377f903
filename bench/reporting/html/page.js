// The page's own script: what is shown, tables, the detail of one row or of two, and the address that keeps it all.

const by = (id) => document.getElementById(id);

async function unpack(id) {
  const packed = Uint8Array.from(atob(by(id).textContent), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

const [data, code] = await Promise.all([unpack("data").then(JSON.parse), unpack("tables")]);
const url = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
const { ITable, jQuery } = await import(url);
URL.revokeObjectURL(url);

const main = data.overall.main; // the board with the most methods; -1 without an overview
const state = { all: main >= 0, board: Math.max(main, 0), chosen: null, other: null };
const rows = () => data.boards[state.board]?.rows ?? [];
const labels = () => data.boards[state.board]?.labels ?? []; // of the columns: the metric that ranks has its own name
const metric = () => data.boards[state.board]?.metric ?? "MSE"; // in a word, as next to a value
const error = () => data.boards[state.board]?.error ?? "test MSE"; // in full, as along an axis
const backends = [...new Set(data.boards.flatMap((board) => board.rows.map((row) => row.backend)))];
for (const backend of backends) {
  const label = document.createElement("label");
  const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: true, value: backend });
  label.append(box, ` ${backend}`);
  by("backends").append(label);
}
const wanted = () => new Set([...by("backends").querySelectorAll("input:checked")].map((box) => box.value));
const part = () => by("search").value.trim().toLowerCase();

function filtered() {
  const names = state.all ? new Set(backends) : wanted(), settings = state.all ? "default" : by("settings").value;
  return rows().filter((row) => names.has(row.backend) && row.method.toLowerCase().includes(part())
    && (settings === "all" || (settings === "default") === row.default));
}

const at = (column) => data.columns.indexOf(column);
const exact = (names) => `^(${[...names].map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})$`;
const made = {};

// A table becomes one that sorts when it is first shown.
function table(id, options) {
  if (!made[id]) {
    new ITable(by(id), { autoWidth: false, style: "", layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null }, ...options });
    made[id] = jQuery(by(id)).DataTable();
    made[id].on("draw", mark).on("order", () => remember());
    if (state.sort) made[id].order([state.sort]);
  }
  return made[id];
}
const overall = () => table("overall", { paging: false, order: [] });
const results = () => table("table", { pageLength: 25, lengthMenu: [10, 25, 50, 100], order: [[at("test_mse"), "asc"]],
  layout: { topStart: null, topEnd: null, bottomStart: "pageLength", bottomEnd: "paging" },
  columnDefs: [{ targets: [at("task"), at("settings")], visible: false }] });

function nameColumns() {
  labels().forEach((label, place) => {
    const head = results().column(at("settings") + 1 + place).header();
    (head.querySelector(".dt-column-title") ?? head).textContent = label;
  });
}

function showTable() {
  if (by("all")) by("all").hidden = !state.all;
  by("results").hidden = state.all;
  by("anytime").closest("section").hidden = !withCurve(rows()).length; // of numpy's methods alone: nothing to draw
  for (const one of document.querySelectorAll(".of-task")) one.hidden = state.all;
  const name = data.boards[state.board]?.name ?? "";
  for (const one of document.querySelectorAll(".where")) one.textContent = name && ` · ${name}`;
  by("results-title").textContent = name;
  if (state.all) {
    overall().column(0).search(part(), { regex: false, smart: false }).draw();
    by("count").value = `${overall().rows({ search: "applied" }).count()} methods`;
    return;
  }
  nameColumns();
  const settings = by("settings").value, shown = results();
  shown.column(at("task")).search(exact([name]), { regex: true, smart: false, caseInsensitive: false });
  shown.column(at("settings")).search(settings === "all" ? "" : exact([settings]), { regex: true, smart: false });
  shown.column(at("method")).search(part(), { regex: false, smart: false });
  shown.column(at("backend")).search(exact(wanted()), { regex: true, smart: false });
  shown.draw();
  by("count").value = `${filtered().length} rows`;
}

function mark() {
  const name = state.chosen ? `${state.board}-${rows().indexOf(state.chosen)}` : "";
  for (const button of document.querySelectorAll("td button[data-row]")) {
    const own = button.dataset.row === name;
    button.closest("tr").classList.toggle("chosen", own);
    button.setAttribute("aria-pressed", String(own));
  }
}

const cell = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text, ...more });

function showDetail() {
  by("detail").hidden = !state.chosen;
  if (!state.chosen) return;
  hideEmpty();
  by("detail-title").textContent = chosen().map(title).join(" and ");
  by("command").textContent = state.chosen.command;
  const others = rows().filter((row) => row !== state.chosen);
  by("with").replaceChildren(cell("option", "no other", { value: "" }), ...others.map((row) => cell("option", title(row), { value: title(row) })));
  by("with").value = state.other ? title(state.other) : "";
  const facts = labels().map((label, place) => [label, ...chosen().map((row) => row.cells[place][0])])
    .filter(([label]) => !["method", "backend", "seeds"].includes(label));
  facts.push(["reference, val MSE", ...chosen().map((row) => (row.notes === null ? "" : Number(row.notes.toPrecision(4))))]);
  facts.push(["seeds", ...chosen().map((row) => row.seeds.map((one) => one.seed).join(", "))]);
  facts.push(["records", ...chosen().map((row) => row.seeds.map((one) => one.key).join(", "))]);
  const head = cell("tr", "");
  head.append(cell("td", ""), ...chosen().map((row) => cell("th", title(row), { scope: "col" })));
  by("facts").replaceChildren(head, ...facts.filter(([, ...texts]) => texts.some((text) => text !== "")).map(([label, ...texts]) => {
    const made = document.createElement("tr");
    made.append(cell("th", label, { scope: "row" }), ...texts.map((text) => cell("td", text, { className: "words" })));
    return made;
  }));
}

// What is shown is in the address, so that it can be kept and passed on.
function remember() {
  const off = [...by("backends").querySelectorAll("input:not(:checked)")].map((box) => box.value);
  const order = made[state.all ? "overall" : "table"]?.order()[0], usual = state.all ? undefined : at("test_mse");
  const kept = { task: state.all ? "" : data.boards[state.board]?.name ?? "", search: by("search").value.trim(), off: off.join(","),
    settings: by("settings").value === "default" ? "" : by("settings").value,
    of: state.all && state.board !== main ? data.boards[state.board].name : "",
    sort: order && order[0] !== usual ? `${order[0]} ${order[1]}` : "", row: state.touched && state.chosen ? title(state.chosen) : "",
    with: state.other ? title(state.other) : "" };
  const words = new URLSearchParams(Object.entries(kept).filter(([, value]) => value));
  history.replaceState(null, "", `#${words}`);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  const place = (name) => data.boards.findIndex((one) => one.name === name);
  if (place(kept.get("task")) >= 0 || !state.all) show(Math.max(place(kept.get("task")), 0));
  if (state.all && place(kept.get("of")) >= 0) state.board = place(kept.get("of"));
  by("search").value = kept.get("search") ?? "";
  if (["changed", "all"].includes(kept.get("settings"))) by("settings").value = kept.get("settings");
  const off = new Set((kept.get("off") ?? "").split(","));
  for (const box of by("backends").querySelectorAll("input")) box.checked = !off.has(box.value);
  const [column, way] = (kept.get("sort") ?? "").split(" ");
  if (column && ["asc", "desc"].includes(way) && Number(column) < 30) state.sort = [Number(column), way];
  const row = (name) => rows().find((one) => title(one) === kept.get(name)) ?? null;
  [state.chosen, state.other, state.touched] = [row("row"), row("with"), Boolean(row("row"))];
}

function show(board) {
  state.all = board < 0;
  state.board = board < 0 ? main : board;
  by("board").value = state.all ? "" : data.boards[board]?.name ?? "";
  if (!state.all && !rows().some((row) => row.default)) by("settings").value = "all";
}

function choose(board, place, touched) {
  if (board !== state.board) { state.board = board; state.other = null; redraw(); }
  state.chosen = rows()[place] ?? null;
  if (state.other === state.chosen) state.other = null;
  state.touched ||= touched;
  for (const one of document.querySelectorAll(".where")) one.textContent = ` · ${data.boards[board]?.name ?? ""}`;
  mark();
  showDetail();
  redraw(["curve", "forecasts", "steps"]);
  remember();
  if (touched) { by("detail").scrollIntoView(); by("detail").focus({ preventScroll: true }); }
}

function draw() {
  const shown = filtered();
  by("seeds").style.minHeight = `${seedsHeight(shown)}px`; // as it will be drawn: nothing moves then
  showTable();
  if (state.chosen && rows().includes(state.chosen) && (state.all || shown.includes(state.chosen))) {
    choose(state.board, rows().indexOf(state.chosen), false);
  } else {
    Object.assign(state, { other: null, touched: false });
    choose(state.board, rows().indexOf(shown[0]), false);
  }
  redraw();
}

function values() {
  const list = filtered().map((row) => [data.boards[state.board].name, ...row.cells.map(([text, order]) => order ?? text)]);
  if (!state.all) return [["task", ...labels()], ...list];
  const head = [...by("overall").tHead.rows[0].cells].map((one) => one.textContent.trim());
  return [head, ...overall().rows({ search: "applied" }).nodes().toArray().map((one) => [...one.cells].map((td) => td.textContent.trim()))];
}
