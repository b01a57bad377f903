"""A penalty on large weights, so that the recurrent map does not stretch and gradients do not explode.

    loss = MSE + l2 * sum of w^2 + l1 * sum of |w|       over the weight matrices; biases go free

Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063, section 3.1. Section "gradient explosion" of the reference, which
gives no strength: l2 = 1e-4 here, l1 as an option (--set weight_decay_rnn.l1=1e-5). The learning curve shows the MSE
alone. Its control, the same without a penalty, is --set rnn_sequence.learning_rate=0.001; so it is for `dropout_rnn`
and `relu_rnn`.
"""

from __future__ import annotations

from implementations.methods.rnn_sequence import RNNSequence


class WeightDecayRNN(RNNSequence):
    learning_rate: float = 0.001
    l2: float = 1e-4
