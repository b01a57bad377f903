"""The layers that Keras lacks, or computes slowly. Importing them registers those that saved networks name."""

from __future__ import annotations

from implementations.layers.keras.attention import Encoder, Patches, Positions
from implementations.layers.keras.cells import LayerNormCell, Loop, PeepholeLSTMCell
from implementations.layers.keras.convolution import Conv1D
from implementations.layers.keras.decoder import Decoded
from implementations.layers.keras.dense import TrendAndRest
from implementations.layers.keras.dropout import DropoutRNN
from implementations.layers.keras.gates import MinGRU
from implementations.layers.keras.initializers import ForgetBias
from implementations.layers.keras.lstm import LSTM
from implementations.layers.keras.mixing import DenseEncoder, Mixer, ResidualBlock
from implementations.layers.keras.recurrent import GRU, SimpleRNN
from implementations.layers.keras.residual import DoublyResidual, GatedStack, TemporalBlock
from implementations.layers.keras.shapes import ChannelsApart, ChannelsTogether
from implementations.layers.keras.state_space import DiagonalStateSpace

__all__ = [
    "ChannelsApart",
    "ChannelsTogether",
    "Conv1D",
    "Decoded",
    "DenseEncoder",
    "DiagonalStateSpace",
    "DoublyResidual",
    "DropoutRNN",
    "Encoder",
    "ForgetBias",
    "GRU",
    "GatedStack",
    "LSTM",
    "LayerNormCell",
    "Loop",
    "MinGRU",
    "Mixer",
    "Patches",
    "PeepholeLSTMCell",
    "Positions",
    "ResidualBlock",
    "SimpleRNN",
    "TemporalBlock",
    "TrendAndRest",
]
