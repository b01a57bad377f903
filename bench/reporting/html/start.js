// What the page listens to, and its first drawing.

by("csv").addEventListener("click", () => {
  const quoted = (value) => (/[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : value);
  const text = values().map((row) => row.map((value) => quoted(value ?? "")).join(",")).join("\r\n");
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })),
    download: `aheadbench-${state.all ? "all" : data.boards[state.board].name.replace(/\W+/g, "-")}.csv` });
  link.click();
  URL.revokeObjectURL(link.href);
});
by("board").addEventListener("change", () => { show(by("board").selectedIndex - (main >= 0 ? 1 : 0)); draw(); });
by("search").addEventListener("input", draw);
by("settings").addEventListener("change", draw);
by("backends").addEventListener("change", draw);
by("filters").addEventListener("submit", (event) => event.preventDefault());
by("main").addEventListener("click", (event) => {
  const name = event.target.closest("button[data-row]")?.dataset.row;
  if (name) choose(...name.split("-").map(Number), true);
});
by("with").addEventListener("change", () => {
  state.other = rows().find((row) => title(row) === by("with").value) ?? null;
  state.touched = true;
  choose(state.board, rows().indexOf(state.chosen), false);
});
by("copy").addEventListener("click", async () => {
  await navigator.clipboard?.writeText(by("command").textContent);
  by("copy").textContent = "Copied";
  setTimeout(() => { by("copy").textContent = "Copy"; }, 2000);
});
const darken = () => document.documentElement.classList.toggle("dark", dark.matches); // as itables' style expects
dark.addEventListener("change", () => { darken(); redraw(); });
addEventListener("hashchange", () => { show(main >= 0 ? -1 : 0); recall(); draw(); });
addEventListener("beforeprint", () => {
  made.table?.page.len(-1).draw(false);
  if (window.Plotly) { redraw(); Object.keys(CHARTS).forEach(drawChart); }
});
addEventListener("afterprint", () => { made.table?.page.len(25).draw(false); redraw(); });
for (const one of document.querySelectorAll("#filters, .chart")) one.hidden = false;
darken();
recall();
draw();
for (const id of Object.keys(CHARTS)) watcher.observe(by(id));
document.documentElement.dataset.ready = "true";
requestIdleCallback?.(plotly, { timeout: 5000 });
