"""Odd records that are valid by their schema: strategies of hypothesis, built from the msgspec types themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from conftest import make_run, make_spec
from hypothesis import strategies as st
from msgspec import inspect

from bench.metrics import METRICS
from bench.records.codec import key_of
from bench.schema.record import Run, Spec

#: names that readers look for: a map with others is hardly looked at
NAMES = {
    "metrics": [*METRICS, "unknown"],
    "seconds": ["fit", "predict", "total", "start", "unknown"],
    "curve": ["loss", "val_loss", "val_last_step_mse", "seconds", "holdout_last_step_mse", "unknown"],
    "samples": ["predict", "epochs"],
    "digest": ["forecasts", "weights"],
    "environment": ["cpu", "cores", "packages", "calibration_seconds", "threads", "commit", "dirty", "gpu", "python"],
    "settings": ["epochs", "units", "learning_rate", "x"],
}
FLOATS = st.sampled_from([0.0, -1.0, 1e-300, 1e-8, 0.01, 1.0, 3.0, 1e8, 1e300, -1e300]) | st.floats(
    allow_nan=False, allow_infinity=False
)
TEXTS = st.sampled_from(["", "ten-step", "one-step", "gru", "keras", "torch", "numpy", "a|b", "\x1b[31m", "x" * 70])
CHANGED = st.sampled_from([field.name for field in msgspec.structs.fields(Run) if field.name not in ("schema", "key")])


def of(kind: inspect.Type, names: Sequence[str] = ()) -> st.SearchStrategy[Any]:
    """Anything of a type; maps have some of these names."""
    match kind:
        case inspect.UnionType():
            return st.one_of([of(one, names) for one in kind.types])
        case inspect.DictType():
            keys = st.sampled_from(names) if names else of(kind.key_type)
            return st.dictionaries(keys, of(kind.value_type), max_size=8)
        case inspect.ListType() | inspect.VarTupleType() | inspect.CollectionType():
            return st.lists(of(kind.item_type), max_size=4)
        case inspect.StructType():
            parts = {field.encode_name: of(field.type, NAMES.get(field.name, ())) for field in kind.fields}
            needed = {field.encode_name for field in kind.fields if field.required}
            return st.fixed_dictionaries(
                {name: part for name, part in parts.items() if name in needed},
                optional={name: part for name, part in parts.items() if name not in needed},
            )
        case inspect.LiteralType():
            return st.sampled_from(kind.values)
        case inspect.FloatType():
            return FLOATS.map(abs) if kind.ge is not None else FLOATS
        case inspect.IntType():
            return st.sampled_from([0, 1, 42, -1, 2**40]) | st.integers(-(2**63), 2**63 - 1)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.StrType():
            return TEXTS | st.text(max_size=8)
    raise TypeError(f"no strategy for {kind}")


RUN = inspect.type_info(Run)
assert isinstance(RUN, inspect.StructType)
FIELDS = {field.name: of(field.type, NAMES.get(field.name, ())) for field in RUN.fields}
SPEC = next(field.type for field in RUN.fields if field.name == "spec")
assert isinstance(SPEC, inspect.StructType)
SPEC_FIELDS = {field.name: of(field.type, NAMES.get(field.name, ())) for field in SPEC.fields}
EXAMPLES = [[0.1] * 10] * 3
BASE = make_run(
    make_spec(settings={"epochs": 2, "units": 20, "learning_rate": 0.01}),
    curve={"loss": [0.3, 0.2], "val_loss": [0.3, 0.2], "val_last_step_mse": [0.2, 0.1], "seconds": [1.0, 2.0]},
    samples={"predict": [0.1] * 5, "epochs": [1.0, 1.0]}, digest={"forecasts": "a", "weights": "b"},
    examples=EXAMPLES, mse_by_step=[0.1] * 10, parameters=100,
)  # fmt: skip


@st.composite
def odd_runs(draw: st.DrawFn) -> Run | None:
    """A finished run of which a few fields, also of its spec, are anything that their types allow."""
    fields = msgspec.to_builtins(BASE)
    for name in draw(st.lists(CHANGED, max_size=3, unique=True)):
        if name != "spec":
            fields[name] = draw(FIELDS[name])
    for name in draw(st.lists(st.sampled_from(list(SPEC_FIELDS)), max_size=2, unique=True)):
        fields["spec"][name] = draw(SPEC_FIELDS[name])
    if isinstance(fields["metrics"], dict) and draw(st.booleans()):
        fields["metrics"] = msgspec.to_builtins(BASE.metrics) | fields["metrics"]
    if isinstance(fields["seconds"], dict) and draw(st.booleans()):
        fields["seconds"] = msgspec.to_builtins(BASE.seconds) | fields["seconds"]
    try:
        spec = msgspec.convert(fields["spec"], Spec)
        return msgspec.convert({**fields, "key": key_of(spec)}, Run)
    except msgspec.ValidationError:
        return None
