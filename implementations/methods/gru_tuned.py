"""The reference's GRU with another width and other training: one setting, chosen by hand and not by a search.

The equations are those of gru.py. The learning rate, five times the reference's, falls along half a cosine to zero
(Loshchilov and Hutter 2017, arXiv:1608.03983).
"""

from __future__ import annotations

from implementations.methods.gru import GRU


class GRUTuned(GRU):
    units: int = 64
    learning_rate: float = 0.005
    schedule: str = "cosine"
