"""Every method of the notes behind one interface. Importing this loads no framework.

from implementations import make
forecaster = make("gru", backend="torch", seed=42, units=32).fit(history, future)
forecaster.predict_ahead(history, steps=10)
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from implementations import training
from implementations.forecaster import Forecaster, NetworkForecaster, Setting
from implementations.methods.arima import Arima
from implementations.methods.auto_arima import AutoArima
from implementations.methods.auto_ets import AutoEts
from implementations.methods.batch_norm_rnn import BatchNormRNN
from implementations.methods.clipped_rnn import ClippedRNN
from implementations.methods.conv_gru import ConvGRU
from implementations.methods.deep_rnn import DeepRNN, DeepRNNGrowing, DeepRNNRecurrentHead, SimpleRNN
from implementations.methods.dlinear import DLinear
from implementations.methods.dropout_rnn import DropoutRNN
from implementations.methods.encoder_decoder import EncoderDecoder
from implementations.methods.gru import GRU
from implementations.methods.gru_tuned import GRUTuned
from implementations.methods.last_value import LastValue
from implementations.methods.layer_norm_rnn import LayerNormRNN
from implementations.methods.linear import Linear
from implementations.methods.lstm import LSTM, LSTMCell
from implementations.methods.mlp import MLP
from implementations.methods.moving_average import MovingAverage
from implementations.methods.nbeats import NBeats
from implementations.methods.nhits import NHiTS
from implementations.methods.oracle import Oracle
from implementations.methods.peephole_lstm import PeepholeLSTM
from implementations.methods.relu_rnn import ReLURNN
from implementations.methods.rnn_multi_output import RNNMultiOutput
from implementations.methods.rnn_sequence import RNNSequence, RNNSequenceBlocks
from implementations.methods.rtrl_rnn import RTRLRNN
from implementations.methods.s4d import S4D
from implementations.methods.seasonal_naive import SeasonalNaive
from implementations.methods.tcn import TCN
from implementations.methods.theta import Theta
from implementations.methods.transformer import Transformer
from implementations.methods.wavenet import WaveNet
from implementations.methods.wavenet_simple import WaveNetSimple
from implementations.methods.weight_decay_rnn import WeightDecayRNN

__all__ = [
    "METHODS", "Forecaster", "NetworkForecaster", "all_settings", "backends_of", "class_of", "default_settings", "load",
    "make",
]  # fmt: skip

LARGEST = 2**20  # bytes of a saved forecaster.json, its network aside

Maker = type[Forecaster] | partial[Any]

#: the table of contents, in the notes' order; beside what they name, classical baselines, and at the end what goes
#: beyond them: name -> class, or class with other defaults
METHODS: dict[str, Maker] = {
    "last_value": LastValue,
    "seasonal_naive": SeasonalNaive,
    "moving_average": MovingAverage,
    "arima": Arima,
    "oracle": Oracle,
    "auto_arima": AutoArima,
    "auto_ets": AutoEts,
    "theta": Theta,
    "linear": Linear,
    "simple_rnn": SimpleRNN,
    "deep_rnn_recurrent_head": DeepRNNRecurrentHead,
    "deep_rnn": DeepRNN,
    "deep_rnn_sliding": DeepRNN,
    "deep_rnn_growing": DeepRNNGrowing,
    "rnn_multi_output": RNNMultiOutput,
    "rnn_sequence": RNNSequence,
    "rnn_sequence_blocks": RNNSequenceBlocks,
    "batch_norm_rnn": BatchNormRNN,
    "layer_norm_rnn": LayerNormRNN,
    "layer_norm_rnn_as_printed": partial(LayerNormRNN, normalise="output"),
    "layer_norm_rnn_loop": partial(LayerNormRNN, hand_written=True, second_units=20),
    "layer_norm_rnn_loop_as_printed": partial(LayerNormRNN, hand_written=True, second_units=20, normalise="output"),
    "relu_rnn": ReLURNN,
    "clipped_rnn": ClippedRNN,
    "weight_decay_rnn": WeightDecayRNN,
    "dropout_rnn": DropoutRNN,
    "rtrl_rnn": RTRLRNN,
    "encoder_decoder": EncoderDecoder,
    "lstm": LSTM,
    "lstm_cell": LSTMCell,
    "lstm_forget_bias_2": partial(LSTM, forget_bias=2.0),
    "peephole_lstm": PeepholeLSTM,
    "gru": GRU,
    "conv_gru": ConvGRU,
    "wavenet_simple": WaveNetSimple,
    "wavenet": WaveNet,
    "wavenet_as_printed": partial(WaveNet, head="softmax", tanh_twice=True),
    # beyond the notes
    "mlp": MLP,
    "mlp_ensemble": partial(MLP, epochs=100, noise=0.03, members=5),
    "dlinear": DLinear,
    "nbeats": NBeats,
    "nhits": NHiTS,
    "tcn": TCN,
    "transformer": Transformer,
    "s4d": S4D,
    "gru_tuned": GRUTuned,
}


def make(name: str, backend: str, seed: int, native: Setting = False, **settings: Setting) -> Forecaster:
    """A fresh forecaster; native: with its framework's own defaults, see `implementations.defaults`.

    Raises ValueError for a backend, a setting or a value that the method does not have.
    """
    if backend not in backends_of(name):
        raise ValueError(f"{name}: got backend {backend!r}, allowed: {', '.join(backends_of(name))}")
    if unknown := settings.keys() - all_settings(name).keys():
        raise ValueError(f"{name}: got setting {sorted(unknown)[0]!r}, allowed: {', '.join(all_settings(name))}")
    maker: Any = METHODS[name]
    made: Forecaster = maker(name=name, backend=backend, seed=check_seed(seed), native=native, **settings)
    return made


def check_seed(seed: int) -> int:
    """The seed as Python's int, from NumPy's too. Raises ValueError for what NumPy's generators do not take."""
    whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**32:
        raise ValueError(f"seed: got {seed!r}, needed a whole number in 0..{2**32 - 1}")
    return int(seed)


def load(folder: Path) -> Forecaster:
    """The fitted forecaster that `Forecaster.save` wrote to the folder.

    Raises ValueError where forecaster.json is another file; what the framework raises where its network is.
    """
    path = folder / "forecaster.json"
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} does not hold a saved forecaster: {path.stat().st_size} bytes, at most {LARGEST}")
    try:
        saved = json.loads(path.read_bytes())
        native = saved.get("native", False)
        forecaster = make(saved["method"], saved["backend"], saved["seed"], native, **saved["settings"])
        state = saved["state"]
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} does not hold a saved forecaster: {type(error).__name__} {error}") from None
    forecaster.restore(state, folder)
    return forecaster


def backends_of(name: str) -> tuple[str, ...]:
    """The backends that the method runs on."""
    return class_of(name).backends


def all_settings(name: str) -> dict[str, Setting]:
    """The method's settings with their defaults, in order, those of training last."""
    changed = getattr(METHODS[name], "keywords", {})
    return {**class_of(name).defaults(), **changed}


def default_settings(name: str) -> dict[str, Setting]:
    """The settings that a record of the method always states: all but training options that are off by default."""
    off = training.OFF if issubclass(class_of(name), NetworkForecaster) else {}
    return {name: value for name, value in all_settings(name).items() if name not in off or value != off[name]}


def class_of(name: str) -> type[Forecaster]:
    """The class that makes the method."""
    maker = METHODS[name]
    return maker.func if isinstance(maker, partial) else maker  # type: ignore[return-value]
