import pytest

from clary.cli.proxy.addresses import is_aws


@pytest.mark.parametrize(
    "host",
    [
        "sts.amazonaws.com",
        "Bucket.S3.us-east-1.AMAZONAWS.com",
        "s3.us-east-1.amazonaws.com.",
        "s3.cn-north-1.amazonaws.com.cn",
        "runtime.sagemaker.us-east-1.api.aws",
        "amazonaws.com",
    ],
)
def test_aws(host: str) -> None:
    assert is_aws(host)


@pytest.mark.parametrize(
    "host", ["pypi.org", "notamazonaws.com", "amazonaws.com.example", "aws.amazon.com", "127.0.0.1", "laws"]
)
def test_others(host: str) -> None:
    assert not is_aws(host)
