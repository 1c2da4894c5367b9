"""What a training job's trial component says of it, under the names that AWS gives."""

import math
from typing import Any

from clary.control.house import House
from clary.records.metrics import Series
from clary.records.record import Record
from clary.records.search.attributes import read_decimal
from clary.services.sagemaker.experiments.moments import Moments
from clary.services.sagemaker.training.cluster import count
from clary.services.sagemaker.training.metrics import NAMESPACE


def account_of(house: House, record: Record) -> dict[str, Any]:
    job = record.document
    model = job.get("ModelArtifacts", {}).get("S3ModelArtifacts")
    return {
        "Parameters": _parameters(job),
        "InputArtifacts": _inputs(job),
        "OutputArtifacts": {"SageMaker.ModelArtifact": {"Value": model}} if model else {},
        "Metrics": _metrics(house, record),
    }


def _parameters(job: dict[str, Any]) -> dict[str, Any]:
    resources = job["ResourceConfig"]
    told: dict[str, Any] = {name: _value(text) for name, text in job.get("HyperParameters", {}).items()}
    told["SageMaker.InstanceCount"] = {"NumberValue": count(resources)}
    if "VolumeSizeInGB" in resources:
        told["SageMaker.VolumeSizeInGB"] = {"NumberValue": resources["VolumeSizeInGB"]}
    if "InstanceType" in resources:
        told["SageMaker.InstanceType"] = {"StringValue": resources["InstanceType"]}
    return told


def _value(text: str) -> dict[str, Any]:
    number = read_decimal(text)
    return {"StringValue": text} if number is None else {"NumberValue": number}


def _inputs(job: dict[str, Any]) -> dict[str, Any]:
    told = {"SageMaker.ImageUri": {"Value": job["AlgorithmSpecification"]["TrainingImage"]}}
    for channel in job.get("InputDataConfig", []):
        uri = channel["DataSource"].get("S3DataSource", {}).get("S3Uri")
        if uri:
            media = {"MediaType": channel["ContentType"]} if channel.get("ContentType") else {}
            told[channel["ChannelName"]] = {**media, "Value": uri}
    return told


def _metrics(house: House, record: Record) -> list[dict[str, Any]]:
    """Of the metrics that the job printed so far."""
    told = []
    for metric in record.document.get("FinalMetricDataList", []):
        series = Series(NAMESPACE, metric["MetricName"], {"TrainingJobName": record.name})
        samples = house.metrics.samples(record.scope, series, record.created, math.inf)
        if samples:
            moments = Moments.of((sample.at, sample.sum / sample.count) for sample in samples)
            told.append(moments.summary(metric["MetricName"], record.arn))
    return told
