"""What a method is asked of a window: what comes next, which class it is of, or what is hidden inside it.

    kind        the history [N, T, D]               what is asked                            answered by
    forecast    all steps known                     the next H steps [N, H, D]               predict_ahead
    classify    all steps known                     the class, one-hot [N, C, 1]             predict_class
    impute      NaN at G hidden steps of each       the hidden steps in order [N, G, D]      fill_in

Importing this loads no NumPy. Classification of sequences and imputation: sections "sequence to vector" and "missing
values" of the reference.
"""

from __future__ import annotations

FORECAST, CLASSIFY, IMPUTE = KINDS = ("forecast", "classify", "impute")
METHOD = {FORECAST: "predict_ahead", CLASSIFY: "predict_class", IMPUTE: "fill_in"}
