"""Which channels a job of XGBoost may have, and how they must be set up."""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.xgboost.content import Format, format_of

CHANNELS = ("train", "validation")
MODES = ("File", "FastFile", "Pipe")
NO_STREAMS = {"libsvm": "LibSVM", "parquet": "Parquet"}
"""What cannot be read from a pipe: files of Parquet are read from their ends. For LibSVM, AWS's algorithm says so."""
DISTRIBUTIONS = ("FullyReplicated", "ShardedByS3Key")


def check_channels(channels: Mapping[str, Mapping[str, Any]]) -> Format:
    """The format of the channel `train`, in which `validation` must be too; raises `UserError`."""
    if "train" not in channels:
        raise UserError("Missing required channel: train")
    for name, channel in channels.items():
        if name == "code":
            continue
        if name not in CHANNELS:
            raise UserError(f"Extraneous channel found: {name}")
        mode = channel.get("TrainingInputMode", "File")
        if mode == "Pipe" and format_of(channel.get("ContentType")) in NO_STREAMS:
            raise UserError(f"Pipe mode not supported for {NO_STREAMS[format_of(channel.get('ContentType'))]}.")
        distribution = channel.get("S3DistributionType", "FullyReplicated")
        if mode not in MODES or distribution not in DISTRIBUTIONS:
            raise UserError(f"Channel configuration for '{name}' channel is not supported: {dict(channel)}")
        format_of(channel.get("ContentType"))
    return format_of(channels["train"].get("ContentType"))
