"""Keras' layers in PyTorch, with its initialisers and constants, and those that both lack."""

from __future__ import annotations

from implementations.layers.torch.attention import Encoder, Patches, Positions
from implementations.layers.torch.cells import LayerNormCell, Loop, LSTMCell, PeepholeLSTM
from implementations.layers.torch.convolution import Conv1D
from implementations.layers.torch.decoder import Decoded
from implementations.layers.torch.dense import Dense, TrendAndRest
from implementations.layers.torch.dropout import DropoutRNN
from implementations.layers.torch.gates import MinGRU
from implementations.layers.torch.lstm import LSTM, StackedLSTM
from implementations.layers.torch.mixing import DenseEncoder, Mixer, ResidualBlock
from implementations.layers.torch.normalization import BatchNormalization
from implementations.layers.torch.recurrent import GRU, SimpleRNN
from implementations.layers.torch.residual import DoublyResidual, GatedStack, TemporalBlock
from implementations.layers.torch.shapes import ChannelsApart, ChannelsTogether, RepeatVector
from implementations.layers.torch.state_space import DiagonalStateSpace

__all__ = [
    "BatchNormalization",
    "ChannelsApart",
    "ChannelsTogether",
    "Conv1D",
    "Decoded",
    "DenseEncoder",
    "Dense",
    "DiagonalStateSpace",
    "DoublyResidual",
    "DropoutRNN",
    "Encoder",
    "GRU",
    "GatedStack",
    "LSTM",
    "LSTMCell",
    "LayerNormCell",
    "Loop",
    "MinGRU",
    "Mixer",
    "Patches",
    "PeepholeLSTM",
    "Positions",
    "RepeatVector",
    "ResidualBlock",
    "SimpleRNN",
    "StackedLSTM",
    "TemporalBlock",
    "TrendAndRest",
]
