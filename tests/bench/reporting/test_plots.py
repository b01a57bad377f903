"""Pictures: what they hold, that names stay apart, that the same run gives the same bytes."""

from __future__ import annotations

import matplotlib
import msgspec
import numpy as np
import pytest
from matplotlib.transforms import Bbox
from PIL import Image
from synthetic import campaign, failed, make

from bench.analysis import ranking, reference
from bench.data.examples import fits, truth
from bench.errors import UsageError
from bench.reporting.figures import drawing
from bench.reporting.figures.catalogue import digest_in, pictures
from bench.reporting.figures.labels import free_place


def curves(figure):
    """The lines of the learning curves, by label."""
    axes = next(axes for axes in figure.findobj(matplotlib.axes.Axes) if axes.get_title() == "Learning curves")
    return {line.get_label(): line for line in axes.get_lines()}


@pytest.mark.parametrize("suffix", [".png", ".svg", ".PNG"])
def test_a_run_becomes_the_same_picture_every_time(tmp_path, suffix):
    first, second = tmp_path / f"a{suffix}", tmp_path / f"b{suffix}"
    drawing.plot_run(make(), first)
    drawing.plot_run(make(), second)
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[:4] in (b"\x89PNG", b"<?xm")
    assert first.stat().st_size < 120_000


def test_another_suffix_is_named(tmp_path):
    for name in ("run.pdf", "run"):
        with pytest.raises(UsageError, match=r"choose \.png or \.svg"):
            drawing.plot_run(make(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_run_with_nothing_to_draw_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"nothing to draw.*diverged: loss is nan"):
        drawing.plot_run(failed(make()), tmp_path / "run.png")


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(UsageError, match="cannot be written"):
        drawing.plot_run(make(), tmp_path / "missing" / "run.png")


def test_training_loss_is_drawn_half_an_epoch_to_the_left():
    run = make()
    lines = curves(drawing.run_figure(run, None))
    assert list(lines["training"].get_xdata()) == [0.5, 1.5, 2.5]
    assert list(lines["training"].get_ydata()) == run.curve["loss"]
    assert list(lines["validation"].get_xdata()) == [1, 2, 3]
    assert list(lines["validation"].get_ydata()) == run.curve["val_loss"]


def test_the_notes_curves_lie_faintly_below():
    lines = curves(drawing.run_figure(make(), None))
    printed = reference.figure("ten-step", "gru").curve
    assert list(lines["validation, reference"].get_ydata()) == printed["val_loss"]
    assert lines["validation, reference"].get_alpha() < 0.5
    assert list(lines)[:2] == ["training, reference", "validation, reference"]  # drawn first: below
    assert set(curves(drawing.run_figure(make("rtrl_rnn"), None))) == {"training", "validation"}
    assert set(curves(drawing.run_figure(make(quick=True), None))) == {"training", "validation"}


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize(("task", "steps"), [("one-step", 1), ("ten-step", 10)])
def test_forecasts_stand_beside_the_truth(task, steps, quick):
    run = make(task=task, quick=quick)
    known = truth(run)
    assert known.future.shape == (3, steps)
    figure = drawing.run_figure(run, known)
    panels = [axes for axes in figure.findobj(matplotlib.axes.Axes) if axes.get_title().startswith("validation series")]
    assert len(panels) == 3
    for axes, future, forecast in zip(panels, known.future, run.examples, strict=True):
        drawn = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        assert list(drawn["truth"][1:]) == list(future)
        assert list(drawn["forecast, MSE 0.01"]) == forecast


def test_truth_is_unknown_for_other_data():
    assert truth(make(task="elsewhere")) is None
    assert truth(make(spec=msgspec.structs.replace(make().spec, data_sha256="0" * 64))) is None


def test_forecasts_of_another_shape_are_not_drawn():
    run = make()
    known = truth(run)
    assert fits(run, known)
    assert not fits(make(examples=run.examples[:2]), known)
    assert not fits(make(examples=[row[:3] for row in run.examples]), known)
    assert not fits(make(examples=[[float("nan")] * 10] * 3), known)
    assert not fits(make(examples=None), known)


def test_odd_names_are_drawn(tmp_path):
    drawing.plot_run(make("a$x^2$\x1b[0m", settings={"head": "$\\frac"}, changed=["head"]), tmp_path / "odd.png")
    assert (tmp_path / "odd.png").stat().st_size > 10_000


def names(figure):
    """The extents of the method names in the picture of error against time, by name."""
    axes = figure.axes[0]
    return {text.get_text(): matplotlib.text.Text.get_window_extent(text) for text in axes.texts}, axes


def test_names_of_methods_do_not_overlap():
    table = ranking.rank(campaign())
    extents, axes = names(drawing.pareto_figure("ten-step", "test_mse", table))
    boxes = list(extents.values())
    assert len(boxes) > 20
    for place, box in enumerate(boxes):
        assert not any(_overlap(box, other) for other in boxes[place + 1 :])
        assert axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
        assert not _overlap(box, axes.get_legend().get_window_extent())
    assert set(table.loc[table["pareto"], "method"]) <= set(extents)


def _overlap(one: Bbox, other: Bbox) -> bool:
    shared = Bbox.intersection(one, other)
    return shared is not None and min(shared.width, shared.height) > 0.5


def test_a_name_without_room_is_left_out():
    inside = Bbox.from_bounds(0, 0, 400, 400)
    place = free_place(200, 200, 30, 10, [Bbox.from_bounds(196, 196, 8, 8)], inside)
    assert place is not None
    assert not _overlap(place, Bbox.from_bounds(196, 196, 8, 8))
    assert free_place(200, 200, 30, 10, [inside], inside) is None
    assert free_place(200, 200, 500, 10, [], inside) is None


def board_pictures(runs):
    ranked = ranking.rank(runs)
    return pictures({run.key: run for run in runs}, ranked, ranking.by_method(ranked))


def test_board_pictures_are_small_and_carry_their_digest(tmp_path):
    found = board_pictures([*campaign((1, 2, 3)), *campaign(task="one-step")])
    assert [picture.name for picture in found] == [
        "one-step--time.png", "one-step--forecasts.png", "ten-step--time.png", "ten-step--forecasts.png"
    ]  # fmt: skip
    for picture in found:
        picture.draw(tmp_path)
        assert digest_in(tmp_path / picture.name) == picture.digest
        assert picture.is_current(tmp_path)
        assert (tmp_path / picture.name).stat().st_size < 120_000
        with Image.open(tmp_path / picture.name) as image:
            assert len(np.unique(np.asarray(image.convert("L")))) > 10  # something is drawn


def test_digest_changes_with_the_data_alone():
    def digests(runs):
        return [picture.digest for picture in board_pictures(runs)]

    runs = [make(seed=1), make("lstm", seed=1, error=0.02)]
    assert digests(runs) == digests(runs[::-1])
    slower = [make(seed=1, fit=99.0), runs[1]]
    assert digests(runs)[0] != digests(slower)[0]
    assert digests(runs)[1] == digests(slower)[1]


def test_plots_leave_matplotlib_as_it_was(tmp_path):
    matplotlib.rcParams["font.size"] = 33
    try:
        before = dict(matplotlib.rcParams)
        drawing.plot_run(make(), tmp_path / "a.svg")
        assert dict(matplotlib.rcParams) == before
        matplotlib.rcParams["font.size"] = 10
        drawing.plot_run(make(), tmp_path / "b.svg")
        assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    finally:
        matplotlib.rcdefaults()
