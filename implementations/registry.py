"""The table of contents: every method by name, and how a forecaster is made of it.

A class is imported when its method is asked for: importing this loads neither NumPy nor a method.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import import_module
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from implementations.backends import TRAINING_BACKENDS
from implementations.kinds import KINDS

if TYPE_CHECKING:
    from implementations.forecaster import Forecaster, Setting

#: settings of training, whether they have to be above 0, and what they need in words
LIMITS = (
    ("clip_norm", True, "more than 0, or none"), ("clip_value", True, "more than 0, or none"),
    ("l1", False, "at least 0"), ("l2", False, "at least 0"),
)  # fmt: skip
LARGEST = 2**20  # bytes of a saved forecaster.json, its network aside


class Method:
    """A class in `implementations.methods`, as "module:Class", and the defaults that differ from those of the class."""

    #: where it runs, as its class says: here, so that a list of methods imports none of them
    backends: tuple[str, ...] = ("numpy",)
    #: the kinds of questions that it answers
    kinds: tuple[str, ...] = ("forecast",)

    def __init__(self, place: str, **changed: Setting) -> None:
        self.place, self.changed = place, changed

    def load(self) -> type[Forecaster]:
        """Import the class."""
        module, _, name = self.place.partition(":")
        found: type[Forecaster] = getattr(import_module(f"implementations.methods.{module}"), name)
        return found


class Network(Method):
    """A method with a network."""

    backends = TRAINING_BACKENDS


class LocalModel(Method):
    """A method that forecasts with a model in a folder of the user's: its setting `folder` has to be given."""

    backends = ("torch",)


class Reader(Network):
    """A network that reads a window without taking its output for a forecast: it answers any kind of question."""

    kinds = KINDS


#: the table of contents: baselines and classical methods, the networks of the reference in its order, and others;
#: a class may stand for a method whose module is none of ours
METHODS: dict[str, Method | type[Forecaster]] = {
    "last_value": Method("last_value:LastValue"),
    "seasonal_naive": Method("seasonal_naive:SeasonalNaive"),
    "moving_average": Method("moving_average:MovingAverage"),
    "arima": Method("arima:Arima"),
    "bayes": Method("bayes:Bayes"),
    "least_squares_oracle": Method("least_squares_oracle:LeastSquaresOracle"),
    "auto_arima": Method("auto_arima:AutoArima"),
    "auto_ets": Method("auto_ets:AutoEts"),
    "theta": Method("theta:Theta"),
    "linear": Reader("linear:Linear"),
    "simple_rnn": Reader("deep_rnn:SimpleRNN"),
    "deep_rnn_recurrent_head": Reader("deep_rnn:DeepRNNRecurrentHead"),
    "deep_rnn": Reader("deep_rnn:DeepRNN"),
    "deep_rnn_sliding": Network("deep_rnn:DeepRNN"),
    "deep_rnn_growing": Network("deep_rnn:DeepRNNGrowing"),
    "rnn_multi_output": Reader("rnn_multi_output:RNNMultiOutput"),
    "rnn_sequence": Reader("rnn_sequence:RNNSequence"),
    "rnn_sequence_blocks": Network("rnn_sequence:RNNSequenceBlocks"),
    "batch_norm_rnn": Reader("batch_norm_rnn:BatchNormRNN"),
    "layer_norm_rnn": Reader("layer_norm_rnn:LayerNormRNN"),
    "layer_norm_rnn_as_printed": Network("layer_norm_rnn:LayerNormRNN", normalise="output"),
    "layer_norm_rnn_loop": Network("layer_norm_rnn:LayerNormRNN", hand_written=True, second_units=20),
    "layer_norm_rnn_loop_as_printed": Network(
        "layer_norm_rnn:LayerNormRNN", hand_written=True, second_units=20, normalise="output"
    ),
    "relu_rnn": Reader("relu_rnn:ReLURNN"),
    "clipped_rnn": Reader("clipped_rnn:ClippedRNN"),
    "weight_decay_rnn": Reader("weight_decay_rnn:WeightDecayRNN"),
    "dropout_rnn": Reader("dropout_rnn:DropoutRNN"),
    "rtrl_rnn": Network("rtrl_rnn:RTRLRNN"),
    "encoder_decoder": Network("encoder_decoder:EncoderDecoder"),
    "lstm": Reader("lstm:LSTM"),
    "lstm_cell": Reader("lstm:LSTMCell"),
    "lstm_forget_bias_2": Reader("lstm:LSTM", forget_bias=2.0),
    "peephole_lstm": Reader("peephole_lstm:PeepholeLSTM"),
    "gru": Reader("gru:GRU"),
    "conv_gru": Reader("conv_gru:ConvGRU"),
    "wavenet_simple": Reader("wavenet_simple:WaveNetSimple"),
    "wavenet": Network("wavenet:WaveNet"),
    "wavenet_as_printed": Network("wavenet:WaveNet", head="softmax", tanh_twice=True),
    # not in the reference
    "sinusoids": Method("sinusoids:Sinusoids"),
    "ssa": Method("ssa:SSA"),
    "esprit": Method("esprit:ESPRIT"),
    "least_squares": Method("least_squares:LeastSquares"),
    "kernel_ridge": Method("kernel_ridge:KernelRidge"),
    "mlp": Reader("mlp:MLP"),
    "mlp_ensemble": Network("mlp:MLP", epochs=100, noise=0.03, members=5),
    "mlp_bootstrap": Network("mlp_bootstrap:MLPBootstrap"),
    "dlinear": Network("dlinear:DLinear"),
    "bptt_rnn": Reader("rtrl_rnn:BPTTRNN"),
    "nlinear": Network("nlinear:NLinear"),
    "tide": Network("tide:TiDE"),
    "tsmixer": Network("tsmixer:TSMixer"),
    "nbeats": Network("nbeats:NBeats"),
    "nhits": Network("nhits:NHiTS"),
    "tcn": Reader("tcn:TCN"),
    "patchtst": Network("patchtst:PatchTST"),
    "s4d": Reader("s4d:S4D"),
    "mingru": Reader("mingru:MinGRU"),
    "gru_tuned": Network("gru_tuned:GRUTuned"),
    "checkpoint": LocalModel("checkpoint:Checkpoint"),
}

#: old name -> new name: both make the method; what was recorded or saved under the old name counts as the method's
RENAMED = {"oracle": "least_squares_oracle", "transformer": "patchtst"}


def current_name(name: str) -> str:
    """Return the name that a method has now; capitals do not count where no method has them."""
    known = RENAMED.get(name, name)
    return known.lower() if known not in METHODS and known.lower() in METHODS else known


def make(
    name: str, backend: str, seed: int, native: Setting = False, kind: Setting = "forecast", **settings: Setting
) -> Forecaster:
    """Make a fresh forecaster; native: with its framework's own defaults, see `implementations.framework_defaults`.

    kind: what it is asked, see `implementations.kinds`. Raises ValueError for a backend, a kind, a setting or a value
    that the method does not have.
    """
    name = current_name(name)
    check_values(name, settings)
    if backend not in backends_of(name):
        raise ValueError(f"{name}: got backend {backend!r}, allowed: {', '.join(backends_of(name))}")
    if unknown := settings.keys() - all_settings(name).keys():
        raise ValueError(f"{name}: got setting {sorted(unknown)[0]!r}, allowed: {', '.join(all_settings(name))}")
    if kind not in kinds_of(name):
        raise ValueError(f"{name}: got kind {kind!r}, allowed: {', '.join(kinds_of(name))}")
    maker: Any = class_of(name)
    defaults = changed_defaults(name) if kind == "forecast" else maker.adapted(all_settings(name), None)
    asked = {"native": native, "kind": kind}
    made: Forecaster = maker(name=name, backend=backend, seed=check_seed(seed), **asked, **{**defaults, **settings})
    return made


def check_values(name: str, settings: Mapping[str, Setting]) -> None:
    """Raise ValueError for a limit of the gradient that is not above 0, and for a penalty below 0.

    Training would go on with the gradient turned round. Of methods from outside, such names may mean something else.
    """
    if not isinstance(METHODS[name], Network):
        return
    for setting, above, words in LIMITS:
        value = settings.get(setting)
        if isinstance(value, int | float) and not (value > 0 if above else value >= 0):
            raise ValueError(f"{name}.{setting}: got {value!r}, needed {words}")


def check_seed(seed: int) -> int:
    """Return the seed as Python's int, from NumPy's too. Raises ValueError for what NumPy's generators do not take."""
    if not isinstance(seed, Integral) or isinstance(seed, bool) or not 0 <= seed < 2**32:
        raise ValueError(f"seed: got {seed!r}, needed a whole number in 0..{2**32 - 1}")
    return int(seed)


def load(folder: Path) -> Forecaster:
    """Load the fitted forecaster that `Forecaster.save` wrote to the folder.

    Raises ValueError where forecaster.json is another file; what the framework raises where its network is.
    """
    path = folder / "forecaster.json"
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} does not hold a saved forecaster: {path.stat().st_size} bytes, at most {LARGEST}")
    try:
        saved = json.loads(path.read_bytes())
        native = saved.get("native", False)
        settings = complete(saved["method"], saved["settings"])
        kind = saved.get("kind", "forecast")
        forecaster = make(saved["method"], saved["backend"], saved["seed"], native, kind, **settings)
        state = saved["state"]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} does not hold a saved forecaster: {type(error).__name__} {error}") from None
    forecaster.restore(state, folder)
    return forecaster


def class_of(name: str) -> type[Forecaster]:
    """Import the class of the method."""
    method = METHODS[current_name(name)]
    return method.load() if isinstance(method, Method) else method


def changed_defaults(name: str) -> Mapping[str, Setting]:
    """Return the defaults of the method that differ from those of its class."""
    method = METHODS[current_name(name)]
    return method.changed if isinstance(method, Method) else {}


def backends_of(name: str) -> tuple[str, ...]:
    """List the backends that the method runs on."""
    return METHODS[current_name(name)].backends


def kinds_of(name: str) -> tuple[str, ...]:
    """List the kinds of questions that the method answers."""
    return METHODS[current_name(name)].kinds


def all_settings(name: str) -> dict[str, Setting]:
    """Return the method's settings with their defaults, in order, those of training last."""
    return {**class_of(name).defaults(), **changed_defaults(name)}


def default_settings(name: str) -> dict[str, Setting]:
    """Return the settings that a record of the method always states: all but options that are off by default."""
    off = class_of(name).off
    return {name: value for name, value in all_settings(name).items() if name not in off or value != off[name]}


def complete(name: str, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings of a record or of a saved forecaster with those that it leaves out, which are off.

    So what was made before a default changed, or before there was the option, stays what it was.
    """
    return {**class_of(name).off, **settings}


def needs_folder(name: str) -> bool:
    """Say whether the method runs only with a model in a folder that its settings name."""
    return isinstance(METHODS.get(current_name(name)), LocalModel)


def identified(name: str, settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings with what identifies a model that they name. Raises ValueError for what is no such model."""
    maker: Any = class_of(name)
    return maker.identified(settings) if needs_folder(name) else dict(settings)


def setting_type(name: str, setting: str) -> Any:
    """Return the type that the method's class states for a setting: int, float, str, bool or a union with None."""
    return get_type_hints(class_of(name))[setting]
