"""The Theta method: half a straight line through the series, half a smoothed series of doubled curvature.

    y_{T+h} = (trend_{T+h} + level_T) / 2          level_T: exponential smoothing of the series with theta = 2

A season is subtracted before, where a test finds one, and added back; whole series of positive values, in their own
units, are divided by it and multiplied, as in the paper.

Assimakopoulos & Nikolopoulos 2000, doi:10.1016/S0169-2070(00)00066-2, by statsforecast's Theta. Not in the reference.
"""

from __future__ import annotations

from typing import Any

from implementations.statistical import StatsForecast


class Theta(StatsForecast):
    def model(self) -> Any:
        from statsforecast.models import Theta as Model

        return Model(season_length=self.season_length, decomposition_type="additive")

    def row_model(self, positive: bool) -> Any:
        from statsforecast.models import Theta as Model

        kind = "multiplicative" if positive else "additive"
        return Model(season_length=self.season_length, decomposition_type=kind)
