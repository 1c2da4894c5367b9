"""What users get wrong, for each algorithm: jobs and requests fail with a reason that names file, line or value."""

from pathlib import Path

import pytest

from tests.algorithms.cases import EVERY, TRAINED
from tests.algorithms.cases.case import Case
from tests.algorithms.conftest import FindForge, Train


@pytest.mark.parametrize("case", EVERY)
def test_jobs_fail_with_a_reason(forge_of: FindForge, tmp_path: Path, case: Case) -> None:
    mistakes = case.all_mistakes()
    roots = [tmp_path / str(number) for number in range(len(mistakes))]
    for root, (job, _) in zip(roots, mistakes.values(), strict=True):
        job.write(root)
    silent = {}
    found = forge_of(case.name).train(case.name, roots)
    for (what, (_, words)), ended in zip(mistakes.items(), found, strict=True):
        if (ended.status, ended.failure[:13]) != (2, "ClientError: ") or words not in ended.failure:
            silent[what] = ended.status, ended.failure, words
    assert not silent


@pytest.mark.parametrize("case", TRAINED)
def test_requests_are_refused_with_a_reason(forge_of: FindForge, trained: Train, case: Case) -> None:
    form = case.forms[0]
    good = form.content_type, form.accept, form.records[0]
    bad = [(each.content_type, each.accept, each.body) for each in case.refusals]
    first, *refused, last = forge_of(case.name).ask(case.name, trained(case)[0], [good, *bad, good])
    assert first[0] == 200
    assert last == first
    silent = {}
    for refusal, (status, told) in zip(case.refusals, refused, strict=True):
        if status != refusal.status or refusal.words not in told.decode():
            silent[refusal.body] = status, told, refusal.words
    assert not silent
