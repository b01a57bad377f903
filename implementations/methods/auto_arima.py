"""ARIMA with orders searched separately for every series.

    (1 - phi_1 B - ...) (1 - B)^d (1 - B^m)^D y_t = c + (1 + theta_1 B + ...) e_t          B y_t = y_{t-1}

d and D by unit-root tests, the rest by the least AICc along a stepwise path; `arima` chooses one order for all series.

Hyndman & Khandakar 2008, doi:10.18637/jss.v027.i03, by statsforecast's AutoARIMA. Not in the reference.
"""

from __future__ import annotations

from typing import Any

from implementations.statistical import StatsForecast


class AutoArima(StatsForecast):
    def model(self) -> Any:
        from statsforecast.models import AutoARIMA

        return AutoARIMA(season_length=self.season_length)
