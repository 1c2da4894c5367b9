"""What every instance finds in its environment: its region, and credentials of its own role for calls to Clary."""

from urllib.parse import urlsplit

from clary.arns import global_arn
from clary.control.house import House
from clary.control.reach import LIFETIME, platform_url
from clary.records.record import Scope


def instance_environment(house: House, scope: Scope, role_arn: str, session: str, seconds: int) -> dict[str, str]:
    """Variables that let unmodified AWS clients inside the instance reach Clary.

    The credentials are temporary ones of `role_arn`, good for a run of `seconds` after the longest wait for room; the
    platform's own keys never reach an instance.
    """
    role = role_arn.rsplit("/", 1)[-1]
    identity = global_arn("sts", scope.region, scope.account, f"assumed-role/{role}/{session}")
    credentials = house.keys.issue(identity, seconds + LIFETIME)
    url = platform_url(house)
    return {
        "AWS_REGION": scope.region,
        "AWS_DEFAULT_REGION": scope.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": credentials.access_key,
        "AWS_SECRET_ACCESS_KEY": credentials.secret,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "NO_PROXY": f"127.0.0.1,localhost,{urlsplit(url).hostname}",
    }
