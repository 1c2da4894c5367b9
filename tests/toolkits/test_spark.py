"""smspark-submit's options and configuration, in spark-submit's words."""

import json
from pathlib import Path

import pytest

from clary.toolkits.spark import read_configuration, translate


def test_options_become_spark_submits_and_the_programs_own_stay(tmp_path: Path) -> None:
    modules, logs = tmp_path / "py-files", tmp_path / "logs"
    modules.mkdir()
    for name in ("b.py", "a.zip"):
        (modules / name).touch()
    given = ["--local-spark-event-logs-dir", str(logs), "--verbose", f"--py-files={modules}", "--class", "Main"]
    assert translate([*given, "app.py", "--jars", "mine"]) == [
        *("--conf", "spark.eventLog.enabled=true", "--conf", f"spark.eventLog.dir=file://{logs}"),
        "--verbose",
        *("--py-files", f"{modules}/a.zip,{modules}/b.py"),
        *("--class", "Main", "app.py", "--jars", "mine"),
    ]
    assert logs.is_dir()


def test_classifications_become_properties_and_variables(tmp_path: Path) -> None:
    path = tmp_path / "configuration.json"
    defaults = {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "2g"}}
    site = {"Classification": "core-site", "Properties": {"io.file.buffer.size": "4096"}}
    exported = {"Classification": "export", "Properties": {"COLOUR": "green"}}
    path.write_text(json.dumps([defaults, site, {"Classification": "spark-env", "Configurations": [exported]}]))
    assert read_configuration(str(path)) == (
        ["spark.executor.memory=2g", "spark.hadoop.io.file.buffer.size=4096"],
        {"COLOUR": "green"},
    )
    assert read_configuration(str(tmp_path / "none.json")) == ([], {})
    path.write_text(json.dumps({"Classification": "yarn-env"}))
    with pytest.raises(ValueError, match="yarn-env"):
        read_configuration(str(path))
