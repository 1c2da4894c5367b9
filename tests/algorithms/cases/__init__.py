"""One small complete job of each algorithm, which all matrices walk: each way to serve, and each mistake."""

import pytest

from tests.algorithms.cases import events, images, labelled, pairs, series, texts, topics, translations, unlabelled

CASES = (
    *labelled.CASES,
    *unlabelled.CASES,
    *topics.CASES,
    texts.CASE,
    pairs.CASE,
    events.CASE,
    series.CASE,
    translations.CASE,
    *images.CASES,
)
EVERY = [pytest.param(case, id=case.name) for case in CASES]
TRAINED = [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.heavy else []) for case in CASES]
SERVED = [pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.slow else []) for case in CASES]
"""Those that take long are slow."""
