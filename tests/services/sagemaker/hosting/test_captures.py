"""Data capture: which invocations become lines of which objects."""

import asyncio
import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from clary.control.house import House
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.records.record import Scope
from clary.routing import traffic as traffic_module
from clary.routing.traffic import Batch, Captured, Invoked, Traffic
from clary.services.sagemaker.hosting import captures
from clary.services.sagemaker.hosting.captures import CaptureFiles
from tests.platform import Platform
from tests.programs import wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

BUCKET = "captured"
CONFIG: dict[str, Any] = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": f"s3://{BUCKET}/some/where/",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
}
INVOKED = Invoked(Scope("123456789012", "us-east-1"), "endpoint", "A")


def captured(**changes: Any) -> Captured:
    made = Captured(INVOKED, CONFIG, 1769903998.123, "", "", "text/csv", b"1,2\n", "application/json", b"[3]")
    return made._replace(**changes)


def test_what_was_drawn_is_stored_as_it_was_or_in_base64(own_platform: Platform) -> None:
    """And outlives the platform: what is not an object yet is stored at its next start."""
    platform = own_platform
    platform.client("s3").create_bucket(Bucket=BUCKET)
    endpoint = Endpoint(platform)
    model = endpoint.model("hello")
    described = endpoint.create(endpoint.config(("A", model, 1.0), DataCaptureConfig=CONFIG))
    told = described["DataCaptureConfig"]
    assert (told["CaptureStatus"], told["CurrentSamplingPercentage"]) == ("Started", 100)
    invoke = endpoint.runtime.invoke_endpoint
    invoke(EndpointName=endpoint.name, Body=b"1,2", ContentType="text/csv", InferenceId="mine", CustomAttributes="c=1")
    endpoint.ask("plain")
    with pytest.raises(endpoint.runtime.exceptions.ModelError):
        endpoint.ask("raise")
    wait_until(lambda: list((platform.state / "captures").glob("*.jsonl")))
    platform.kill()
    platform.up()
    s3 = platform.client("s3")
    [found] = wait_until(lambda: s3.list_objects_v2(Bucket=BUCKET).get("Contents"))
    hour = r"\d{4}/\d{2}/\d{2}/\d{2}/\d{2}-\d{2}-\d{3}-[0-9a-f-]{36}\.jsonl"
    assert re.fullmatch(rf"some/where/{endpoint.name}/A/{hour}", found["Key"])
    text = s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read().decode()
    first, second = (json.loads(line) for line in text.splitlines())
    assert first["captureData"] == {
        "endpointInput": {"observedContentType": "text/csv", "mode": "INPUT", "data": "1,2", "encoding": "CSV"},
        "endpointOutput": first["captureData"]["endpointOutput"],
    }
    assert first["captureData"]["endpointOutput"]["encoding"] == "BASE64"
    metadata = first["eventMetadata"]
    assert (metadata["inferenceId"], metadata["customAttributes"], first["eventVersion"]) == ("mine", ["c=1"], "0")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["inferenceTime"])
    assert second["captureData"]["endpointInput"]["data"] == "cGxhaW4="
    assert second["eventMetadata"]["eventId"] != metadata["eventId"]

    endpoint = Endpoint(platform)  # with clients of the platform that runs now
    endpoint.name = found["Key"].split("/")[2]
    stopped = endpoint.config(("A", model, 1.0), DataCaptureConfig={**CONFIG, "EnableCapture": False})
    kept, dropped = {"RetainAllVariantProperties": True}, [{"VariantPropertyType": "DataCaptureConfig"}]
    update = endpoint.sagemaker.update_endpoint
    update(EndpointName=endpoint.name, EndpointConfigName=stopped, **kept)
    assert endpoint.settled()["DataCaptureConfig"]["CaptureStatus"] == "Started"
    again = endpoint.config(("A", model, 1.0), DataCaptureConfig={**CONFIG, "EnableCapture": False})
    update(EndpointName=endpoint.name, EndpointConfigName=again, ExcludeRetainedVariantProperties=dropped, **kept)
    assert endpoint.settled()["DataCaptureConfig"]["CaptureStatus"] == "Stopped"
    endpoint.delete()


@pytest.fixture
def files(house: House, monkeypatch: pytest.MonkeyPatch) -> CaptureFiles:
    monkeypatch.setattr(captures, "WINDOW", 0.2)
    assert isinstance(house.objects, EmbeddedStore)
    house.objects.change_bucket(BUCKET, partial(buckets.create, name=BUCKET, account="1" * 12, region="us-east-1"))
    return CaptureFiles(house.objects, house.settings)


def stored(house: House) -> dict[str, list[Any]]:
    return {
        info.key: [json.loads(line) for line in house.objects.read(BUCKET, info.key).splitlines()]
        for info in house.objects.list(BUCKET, "")
    }


def test_a_window_becomes_an_object_by_variant_and_hour(house: House, files: CaptureFiles) -> None:
    later = captured(at=1769903998.123 + 3600, invoked=INVOKED._replace(variant="B"))
    files.on_traffic(Batch(captured=[captured(), captured(input=None), captured(output=b"\xff"), later]))
    found = wait_until(lambda: objects if len(objects := stored(house)) == 2 else None)
    first, second = sorted(found)
    assert first.startswith("some/where/endpoint/A/2026/01/31/23/59-58-123-")
    assert second.startswith("some/where/endpoint/B/2026/02/01/00/59-58-123-")
    whole, output, binary = (line["captureData"] for line in found[first])
    assert whole["endpointOutput"]["encoding"] == "JSON"
    assert (whole["endpointInput"]["data"], list(output)) == ("1,2\n", ["endpointOutput"])
    assert (binary["endpointOutput"]["encoding"], binary["endpointOutput"]["data"]) == ("BASE64", "/w==")
    wait_until(lambda: not list(house.settings.captures_dir.iterdir()))


def test_what_is_large_becomes_one_at_once(house: House, files: CaptureFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "WINDOW", 3600.0)
    monkeypatch.setattr(captures, "LARGEST", 1000)
    files.on_traffic(Batch(captured=[captured(input=b"x" * 600)] * 4))
    assert len(wait_until(lambda: objects if len(objects := stored(house)) == 2 else None)) == 2


def test_a_bucket_that_is_gone_or_a_full_disk_loses_only_what_was_captured(
    house: House, files: CaptureFiles, caplog: pytest.LogCaptureFixture
) -> None:
    files.on_traffic(Batch(captured=[captured(config={**CONFIG, "DestinationS3Uri": "s3://nowhere/a"})]))
    wait_until(lambda: not list(house.settings.captures_dir.iterdir()))
    assert "captured invocations are lost" in caplog.text
    full = CaptureFiles(house.objects, house.settings.model_copy(update={"disk_reserve": 1 << 60}))
    full.on_traffic(Batch(captured=[captured()]))
    assert "1 captured invocations are dropped" in caplog.text
    assert stored(house) == {}


def test_half_a_line_that_a_kill_left_is_dropped(house: House, files: CaptureFiles) -> None:
    directory: Path = house.settings.captures_dir
    directory.mkdir(parents=True)
    (directory / "x.place").write_text(json.dumps(f"s3://{BUCKET}/key"))
    (directory / "x.jsonl").write_text('{"a": 1}\n{"b"')
    files.take_up()
    assert wait_until(lambda: stored(house)) == {"key": [{"a": 1}]}


async def test_more_than_can_be_kept_is_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traffic_module, "MOST_CAPTURED", 10)
    monkeypatch.setattr(traffic_module, "PERIOD", 0.1)
    traffic, batches = Traffic(), []
    traffic.listeners.append(batches.append)
    for _ in range(5):
        traffic.capture(captured(input=b"1234", output=None))
    await asyncio.sleep(0.2)
    traffic.capture(captured(input=b"1234", output=None))
    traffic.flush()
    await asyncio.sleep(0.1)
    assert [len(batch.captured) for batch in batches] == [2, 1]
    assert batches[0].counts[INVOKED].uncaptured == 3
