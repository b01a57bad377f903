"""The page, in a real headless Chromium: it sorts, filters, hovers, works by keyboard, and asks nobody for anything."""

from __future__ import annotations

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
    page.locator("#time").scroll_into_view_if_needed()
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
        assert page.locator(f"#{chart} svg.main-svg").count() > 0, chart
    assert page.locator("#forecasts .legendtext").all_text_contents() == ["history", "truth", "forecast"]


def test_learning_curves_lie_over_training_time(page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "lstm_cell")
    drawn = "document.getElementById('anytime').data"
    lines = page.evaluate(f"{drawn}.map((one) => [one.name, one.x.length, one.y.length])")
    assert sorted(lines) == [["keras", 20, 20], ["keras-jax", 20, 20], ["torch", 20, 20]]


def test_seeds_are_dots_and_changed_settings_rows_of_their_own(page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "units=32")
    assert column(page, 2) == ["gru (units=32)"] and page.locator("#seeds .point").count() == 2
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
    assert column(page, 2) == ["mine.Mine†"] and page.locator("#forecasts").is_hidden()


def test_what_is_shown_is_in_the_address(browser: Any, file: Path, page: Any) -> None:
    page.select_option("#board", "ten-step")
    page.fill("#search", "lstm_cell")
    page.get_by_role("checkbox", name="torch").uncheck()
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


UNNAMED = """() => [...document.querySelectorAll("input, select, button")]
  .filter((one) => !(one.labels?.length || one.textContent.trim() || one.ariaLabel)).map((one) => one.outerHTML)"""
PHONE = {"viewport": {"width": 390, "height": 800}, "has_touch": True}


@pytest.mark.parametrize("kind", [{}, {"color_scheme": "dark"}, PHONE], ids=["light", "dark", "phone"])
def test_contrast_labels_and_width(browser: Any, file: Path, kind: dict[str, Any]) -> None:
    with opened(browser, file, **kind) as page:
        assert page.evaluate(CONTRASTS) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(UNNAMED) == []


def test_each_row_has_the_command_that_repeats_it() -> None:
    native = make("gru", "torch", settings={"units": 32}, changed=["units"])
    native = msgspec.structs.replace(native, spec=msgspec.structs.replace(native.spec, defaults="native"))
    start = "python -m bench run --task ten-step --method gru --backend torch --seeds 42"
    assert command_of([native]) == f"{start} --set gru.units=32 --defaults native"


def test_the_verb_writes_one_small_file(inside: Bench, tmp_path: Path) -> None:
    assert "no results folder 'nowhere'" in inside("report", "--results", "nowhere").stderr
    repository.write(tmp_path / "results", make())
    written = inside("report", "--output", "mine.html")
    assert written.returncode == 0 and written.stdout.startswith("mine.html: 2.")
    content = (tmp_path / "mine.html").read_text()
    assert len(content.encode()) < pages.LIMIT
    assert inside("report", "--output", "mine.html").returncode == 0 and (tmp_path / "mine.html").read_text() == content
    assert inside("report", "--output", "no/mine.html").returncode == 2
