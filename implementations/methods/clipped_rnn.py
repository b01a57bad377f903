"""Gradient clipping: a step of bounded length in the gradient's direction.

    g <- g * min(1, clip_norm / |g|)            |g| over all weights together
    g_i <- min(max(g_i, -clip_value), clip_value)     as an option: --set clipped_rnn.clip_value=1 (turns the direction)

Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063. Section "gradient clipping" of the reference: SGD, norm clipped at 1.
Departs from its code: Keras' clipnorm clips each weight array apart, which turns the direction that the reference's
text means to keep. The learning rate is Keras' default for SGD, since the reference gives none: at that rate the norm
seldom exceeds 1 here, and the row shows plain SGD. Clipping matters for `relu_rnn` at ten times its rate:
--set relu_rnn.learning_rate=0.01, with --set relu_rnn.clip_norm=1 and without.
"""

from __future__ import annotations

from implementations.methods.rnn_sequence import RNNSequence


class ClippedRNN(RNNSequence):
    optimizer: str = "sgd"
    learning_rate: float = 0.01
    clip_norm: float | None = 1.0
