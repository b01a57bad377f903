"""The page, in a real headless Chromium: it sorts, filters, hovers, works by keyboard, and asks nobody for anything."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from conftest import ROOT, Bench
from synthetic import failed, make

from bench.records import repository
from bench.reporting.commands import command_of
from bench.reporting.html import page as pages
from bench.reporting.html.data import collect

pytestmark = pytest.mark.xdist_group("report")  # one browser and one page for all

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = '</script><img src=x onerror="document.title=1">$x$'

#: every element with text of its own whose colour is too near to the background under it (WCAG 2.2, 1.4.3: 4.5 to 1)
CONTRASTS = """() => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const linear = (v) => v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const under = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const texts = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && !one.closest("script, option, .skip, .disabled")
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
  return texts.map((one) => {
    const style = getComputedStyle(one), colour = one.closest("svg") ? style.fill : style.color;
    const [less, more] = [light(rgba(colour)), light(under(one))].sort((a, b) => a - b);
    return [(more + 0.05) / (less + 0.05), one.tagName, one.textContent.slice(0, 30)];
  }).filter(([ratio]) => ratio < 4.5);
}"""
#: where the first point of the numpy trace is on the screen, and its method
POINT = """() => {
  const plot = document.getElementById("time"), trace = plot.data.find((one) => one.name === "numpy");
  const { xaxis, yaxis } = plot._fullLayout, corner = plot.getBoundingClientRect();
  return [corner.x + xaxis._offset + xaxis.d2p(trace.x[0]), corner.y + yaxis._offset + yaxis.d2p(trace.y[0]),
    trace.customdata[0][1]];
}"""
RESET = """() => {
  const search = document.getElementById("search");
  search.value = "";
  document.getElementById("settings").value = "default";
  document.querySelectorAll("#backends input").forEach((box) => { box.checked = true; });
  search.dispatchEvent(new Event("input"));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real one. Where there is none these tests are skipped; .ci/run installs it where it can."""
    if CHROMIUM is None:
        pytest.skip("no Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the committed records, and of some that are made up."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    runs = [run for run in repository.read(ROOT / "results")[0] if run.spec.plain]
    runs += [
        make("gru", "torch", seed, 0.02 + seed / 1000, settings={"units": 32}, changed=["units"]) for seed in (1, 2)
    ]
    runs += [
        make("mine.Mine", "numpy", task="elsewhere", examples=None),
        failed(make("lstm", "torch", 9), reason=HOSTILE),
    ]
    path.write_text(pages.render(runs, [HOSTILE]))
    return path


@contextmanager
def opened(browser: Any, file: Path, **kind: Any) -> Iterator[Any]:
    """The page opened; whatever it logs or asks for is an error."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce", **kind})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready]")
    yield page
    assert [line for line in said if not line.startswith(("blob:null/", file.as_uri()))] == []
    context.close()


@pytest.fixture(scope="module")
def desk(browser: Any, file: Path) -> Iterator[Any]:
    """The page on a desk's screen."""
    with opened(browser, file) as page:
        yield page


@pytest.fixture
def page(desk: Any) -> Any:
    """The same, with nothing filtered."""
    desk.evaluate(RESET)
    return desk


def column(page: Any, number: int) -> list[str]:
    texts: list[str] = page.locator(f"#table tbody tr td:nth-child({number})").all_inner_texts()
    return texts


def drawn(page: Any, chart: str) -> None:
    """Scroll to a chart and wait until it is drawn."""
    page.locator(f"#{chart}").scroll_into_view_if_needed()
    page.wait_for_selector(f"#{chart} .main-svg")
    page.wait_for_function(f"!outdatedCharts().includes('{chart}')")


def settle(page: Any, holds: Callable[[], bool]) -> None:
    """Wait until it holds: the table draws itself after the event, when the browser has time."""
    for _ in range(50):
        if holds():
            return
        page.wait_for_timeout(100)
    raise AssertionError("the table did not come to show what was asked for")


def errors(page: Any) -> list[float]:
    return [float(text.split()[0]) for text in column(page, 4)]


def test_the_table_filters_and_sorts(page: Any) -> None:
    page.select_option("#board", "ten-step")
    assert errors(page) == sorted(errors(page)) and len(errors(page)) == 25
    page.get_by_role("columnheader", name="method").click()
    settle(page, lambda: column(page, 2) == sorted(column(page, 2)))
    page.fill("#search", "gru")
    settle(page, lambda: all("gru" in name for name in column(page, 2)))
    assert {"gru", "conv_gru", "gru_tuned"} <= {re.sub(r"\W.*", "", name) for name in column(page, 2)}
    assert page.locator("#count").inner_text() == f"{len(column(page, 2))} rows"
    page.get_by_role("checkbox", name="torch").uncheck()
    settle(page, lambda: set(column(page, 3)) == {"keras", "keras-jax"})
    assert page.locator("#count").inner_text() == f"{len(column(page, 2))} rows"


def test_points_hover_and_lead_to_their_method(page: Any) -> None:
    page.select_option("#board", "ten-step")
    drawn(page, "time")
    x, y, method = page.evaluate(POINT)
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.wait_for_selector("#time .hovertext", timeout=5000)
    assert method in page.locator("#time .hovertext").text_content()
    page.mouse.click(x, y)
    assert page.locator("#detail-title").inner_text() == f"{method}, numpy"


def test_a_method_is_chosen_by_keyboard(page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "lstm_cell")
    page.locator("#table tbody button").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#detail-title").inner_text().startswith("lstm_cell, ")
    assert page.evaluate("document.activeElement.id") == "detail"
    assert page.locator("#command").inner_text().startswith("python -m bench run --task ten-step --method lstm_cell")
    for chart in ("curve", "forecasts", "steps"):
        drawn(page, chart)
    assert page.locator("#forecasts .legendtext").all_text_contents() == ["history", "truth", "forecast"]


def test_learning_curves_lie_over_training_time(page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "lstm_cell")
    drawn(page, "anytime")
    shown = "document.getElementById('anytime').data.filter((one) => one.x.length > 1)"
    lines = page.evaluate(f"{shown}.map((one) => [one.name, one.x.length, one.y.length])")
    assert sorted(lines) == [["keras", 20, 20], ["keras-jax", 20, 20], ["torch", 20, 20]]


def test_a_board_whose_rows_learnt_along_no_epochs_has_no_chart_of_learning_curves(page: Any) -> None:
    page.select_option("#board", "elsewhere")
    assert page.locator("#time-title").is_visible() and not page.locator("#anytime-title").is_visible()
    page.select_option("#board", "ten-step")
    assert page.locator("#anytime-title").is_visible()


def test_seeds_are_dots_and_changed_settings_rows_of_their_own(page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "gru")
    assert "gru (units=32)" not in column(page, 2)
    page.select_option("#settings", "changed")
    page.fill("#search", "gru (units=32)")
    settle(page, lambda: column(page, 2) == ["gru (units=32)"])
    drawn(page, "seeds")
    assert page.locator("#seeds .point").count() == 2
    page.locator("#table tbody button").click()
    assert page.locator("#command").inner_text().endswith("--seeds 1,2 --set gru.units=32")


def test_the_command_of_a_row_with_a_frameworks_own_defaults() -> None:
    run = make("gru", "torch")
    native = msgspec.structs.replace(run, spec=msgspec.structs.replace(run.spec, defaults="native", device="cuda"))
    (row,) = collect([native])["boards"][0]["rows"]
    assert row["command"].endswith("--backend torch --seeds 42 --defaults native --device cuda")
    assert row["method"] == "gru (native defaults, on cuda)" and row["printed"] == []


def test_a_method_without_forecasts_or_of_outside(page: Any) -> None:
    page.select_option("#board", "elsewhere")
    settle(page, lambda: column(page, 2) == ["mine.Mine†"])
    page.locator("#detail").scroll_into_view_if_needed()
    settle(page, lambda: page.locator("#forecasts").is_hidden())


def test_what_is_shown_is_in_the_address(browser: Any, file: Path, page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "lstm_cell")
    page.get_by_role("checkbox", name="torch").uncheck()
    page.get_by_role("columnheader", name="fit s").click()
    settle(page, lambda: "sort=" in page.evaluate("location.href"))
    page.locator("#table tbody button").first.click()
    chosen, address = page.locator("#detail-title").inner_text(), page.evaluate("location.href")
    assert "task=ten-step" in address and "search=lstm_cell" in address and "off=torch" in address
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    again = context.new_page()
    again.goto(address)
    again.wait_for_selector("html[data-ready]")
    assert again.locator("#board").input_value() == "ten-step" and again.locator("#search").input_value() == "lstm_cell"
    assert not again.get_by_role("checkbox", name="torch").is_checked()
    assert again.locator("#detail-title").inner_text() == chosen
    assert again.locator("#table th[aria-sort]").inner_text() == "fit s"
    context.close()


def test_ranks_and_help_are_on_the_page(page: Any) -> None:
    page.select_option("#board", "ten-step")
    assert all(re.fullmatch(r"\d+( \(\d+–\d+\))?", text) for text in column(page, 1))
    assert "may be the best" in page.get_by_role("columnheader", name="rank").get_attribute("title")
    page.set_viewport_size({"width": 1200, "height": 900})
    wide = page.evaluate("[document.querySelector('.wide').scrollWidth, document.querySelector('.wide').clientWidth]")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert wide[0] <= wide[1]


def test_no_text_becomes_markup(page: Any) -> None:
    assert page.title() == "aheadbench: results" and HOSTILE in page.locator("main").inner_text()


def test_it_opens_on_one_table_over_everything(browser: Any, file: Path) -> None:
    with opened(browser, file, viewport={"width": 1200, "height": 900}) as page:
        assert page.locator("#overall").is_visible() and page.locator("#table").is_hidden()
        assert page.evaluate(
            "document.querySelector('.wide').scrollWidth <= document.querySelector('.wide').clientWidth"
        )
        heads = page.locator("#overall thead th").all_inner_texts()
        assert heads[0] == "method" and "use it when" in heads and sum(head.startswith("rank, ") for head in heads) >= 2
        assert re.fullmatch(r"1( \(1–\d+\))?", page.locator("#overall tbody tr:first-child td.best").first.inner_text())
        page.locator("#overall tbody button", has_text="sinusoids").click()
        assert page.locator("#detail-title").inner_text() == "sinusoids, numpy"
        assert "row=sinusoids" in page.evaluate("location.hash") and page.locator("#detail h2").is_visible()


def test_two_methods_side_by_side_and_in_the_address(browser: Any, file: Path, page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "sinusoids")
    page.locator("#table tbody button").click()
    page.select_option("#with", "mlp, torch")
    assert page.locator("#detail-title").inner_text() == "sinusoids, numpy and mlp, torch"
    assert all(
        count == 3 for count in page.evaluate("[...document.querySelectorAll('#facts tr')].map((r) => r.cells.length)")
    )
    drawn(page, "forecasts")
    assert page.locator("#forecasts .legendtext").all_text_contents()[2:] == ["sinusoids, numpy", "mlp, torch"]
    assert "with=mlp%2C+torch" in page.evaluate("location.hash")


def test_what_is_shown_is_saved_as_csv(page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "lstm_cell")
    with page.expect_download() as saved:
        page.locator("#csv").click()
    lines = Path(saved.value.path()).read_text().splitlines()
    assert saved.value.suggested_filename == "aheadbench-ten-step.csv" and lines[0].startswith(
        "task,rank,method,backend,"
    )
    assert len(lines) == 1 + int(page.locator("#count").inner_text().split()[0])
    assert all(line.startswith("ten-step,") and "lstm_cell" in line for line in lines[1:])


def test_without_scripts_both_tables_are_there_and_it_prints_whole(browser: Any, file: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    bare = context.new_page()
    bare.goto(file.as_uri())
    assert bare.locator("#overall tbody tr").count() > 30 and bare.locator("#table tbody tr").count() > 250
    assert bare.locator("#filters").is_hidden() and bare.locator("#time").is_hidden()
    context.close()
    with opened(browser, file) as page:
        page.wait_for_function("window.Plotly")
        page.select_option("#board", "ten-step")
        page.pdf(path=str(file.with_suffix(".pdf")), width="210mm")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.locator("#table tbody tr").count() == int(page.locator("#count").inner_text().split()[0])
        assert page.evaluate(
            "['time', 'anytime', 'seeds', 'steps'].every((id) => document.querySelector(`#${id} .main-svg`))"
        )


@pytest.mark.parametrize("quick", [True, False], ids=["quick runs alone", "no records"])
def test_a_page_without_full_runs_opens(browser: Any, tmp_path: Path, quick: bool) -> None:
    run = make("gru", "torch")
    runs = [msgspec.structs.replace(run, spec=msgspec.structs.replace(run.spec, quick=True))] if quick else []
    (tmp_path / "page.html").write_text(pages.render(runs))
    with opened(browser, tmp_path / "page.html") as page:
        assert page.locator("#count").inner_text() == f"{len(runs)} rows"
        assert page.locator("#board").input_value() == ("ten-step, quick runs" if quick else "")


#: axe knows nothing of the colours in an SVG: those are compared by CONTRASTS
OUTSIDE_CHARTS = {"exclude": [[".main-svg"], ["tbody tr:nth-child(n+4)"]]}  # and a few rows: all are alike
VIEWS = [(view, width, scheme) for width, scheme in itertools.product((1280, 390), ("light", "dark")) for view in
         ("", *(["ten-step"] if (width == 390) == (scheme == "light") else []))]  # fmt: skip
STANDARD = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


def test_wcag_aa_by_axe(browser: Any, file: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with opened(browser, file) as page:
        for chart in ("time", "anytime", "seeds", "steps"):
            drawn(page, chart)
        for view, width, scheme in VIEWS:
            page.evaluate("scrollTo(0, 0)")
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            page.select_option("#board", view)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            found = Axe().run(page, context=OUTSIDE_CHARTS, options=STANDARD).response["violations"]
            assert [(one["id"], one["nodes"][0]["target"]) for one in found] == [], (view, width, scheme)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            for chart in ("time", "anytime", "seeds", "steps"):
                drawn(page, chart)
            assert page.evaluate(CONTRASTS) == [], scheme


def test_each_row_has_the_command_that_repeats_it() -> None:
    native = make("gru", "torch", settings={"units": 32}, changed=["units"])
    native = msgspec.structs.replace(native, spec=msgspec.structs.replace(native.spec, defaults="native"))
    start = "python -m bench run --task ten-step --method gru --backend torch --seeds 42"
    assert command_of([native]) == f"{start} --set gru.units=32 --defaults native"


def test_the_verb_writes_one_small_file(inside: Bench, tmp_path: Path) -> None:
    assert "no results folder 'nowhere'" in inside("report", "--results", "nowhere").stderr
    repository.write(tmp_path / "results", make())
    written = inside("report", "--output", "mine.html")
    assert written.returncode == 0 and re.match(r"mine.html: [12]\.", written.stdout)
    content = (tmp_path / "mine.html").read_text()
    assert len(content.encode()) < pages.LIMIT
    assert inside("report", "--output", "mine.html").returncode == 0 and (tmp_path / "mine.html").read_text() == content
    assert inside("report", "--output", "no/mine.html").returncode == 2
