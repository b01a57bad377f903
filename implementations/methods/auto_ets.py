"""Exponential smoothing of level, trend and season, the form chosen for every series.

    l_t = alpha (y_t - s_{t-m}) + (1 - alpha) (l_{t-1} + b_{t-1})          level, here with all parts additive
    b_t = beta (l_t - l_{t-1}) + (1 - beta) b_{t-1}                        trend
    s_t = gamma (y_t - l_{t-1} - b_{t-1}) + (1 - gamma) s_{t-m}            season of m steps
    y_{T+h} = l_T + h b_T + s_{T+h-m}

Which parts there are, additive or multiplicative, damped or not: by the least AICc.

Hyndman et al. 2002, doi:10.1016/S0169-2070(01)00110-8, by statsforecast's AutoETS. Not in the reference.
"""

from __future__ import annotations

from typing import Any

from implementations.statistical import StatsForecast


class AutoEts(StatsForecast):
    def model(self) -> Any:
        from statsforecast.models import AutoETS

        return AutoETS(season_length=self.season_length)
