"""Version 2 of the SageMaker SDK: a script processor, and a framework processor with sources and requirements."""

from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program, run
from tests.platform import Platform

pytestmark = pytest.mark.clients


def test_it_splits_the_data_and_draws_a_table_of_it(platform: Platform, tmp_path: Path) -> None:
    program = str(EXAMPLES / "processing_v2" / "process.py")
    printed = run([client_program("v2", "python"), program], platform.program_environment(), tmp_path)
    assert "train: 3342 abalones" in printed, "the job's log was not streamed"
    assert "said: 4177 abalones split" in printed
    drawn = [line for line in printed.splitlines() if line.startswith("| count")]
    assert drawn[-1].count("3342") == 9
    jobs = platform.client("sagemaker").list_processing_jobs(NameContains="abalone")["ProcessingJobSummaries"]
    assert [job["ProcessingJobStatus"] for job in jobs] == ["Completed", "Completed"]
    assert jobs[0]["ExitMessage"] == "4177 abalones split"
