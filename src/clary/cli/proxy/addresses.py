"""Which addresses are AWS's."""

AWS_DOMAINS = ("amazonaws.com", "amazonaws.com.cn", "aws")
"""Everything below these is AWS's; the API's dual-stack endpoints are `*.api.aws`."""


def is_aws(host: str) -> bool:
    return f".{host.lower().rstrip('.')}".endswith(tuple(f".{domain}" for domain in AWS_DOMAINS))
