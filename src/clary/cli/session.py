"""The environment of `clary run` for as long as its program runs: proxy, trust, variables."""

from __future__ import annotations

import os
import ssl
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from clary.cli.child import CANNOT_START, run_child
from clary.cli.environment import LOOPBACK, STRAY, client_environment
from clary.cli.errors import CommandError
from clary.cli.proxy.authority import Authority
from clary.cli.proxy.outside import Outside
from clary.cli.proxy.server import Proxy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from clary.cli.platforms import Platform
    from clary.settings import Settings

TRUST_VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")


async def run_session(program: Sequence[str], settings: Settings, platform: Platform) -> int:
    """Run `program` with the proxy beside it; returns its exit code as `run_child` does."""
    address = urlsplit(platform.url)
    authority = Authority.open(settings.state / "ca")
    try:
        outside = Outside()
    except ValueError as error:
        problem = f"Your own proxy settings cannot be used: {error}."
        raise CommandError(problem, code=CANNOT_START) from None
    with tempfile.NamedTemporaryFile(prefix="clary-trust-", suffix=".pem") as bundle:
        bundle.write(_trusted_anyway() + authority.certificate)
        bundle.flush()
        async with Proxy(authority, (address.hostname or "", address.port or 80), outside) as proxy:
            kept = {name: value for name, value in os.environ.items() if name not in STRAY}
            exempt = ",".join(dict.fromkeys([*LOOPBACK, address.hostname or ""]))
            return await run_child(
                program,
                {
                    **kept,
                    **client_environment(settings, platform.url),
                    **dict.fromkeys(TRUST_VARIABLES, bundle.name),
                    **dict.fromkeys(PROXY_VARIABLES, proxy.url),
                    # The user's own exceptions could name AWS; the proxy itself heeds them for other hosts.
                    **dict.fromkeys(("NO_PROXY", "no_proxy"), exempt),
                },
            )


def _trusted_anyway() -> bytes:
    """The certificates that the user's variables name and those of this machine, in PEM.

    Where OpenSSL has no file of the machine's, botocore's copy of Mozilla's list stands in, which is what its
    clients would have used.
    """
    machine = ssl.get_default_verify_paths().cafile or _botocore_bundle()
    named = [os.environ[name] for name in TRUST_VARIABLES if name in os.environ]
    files = dict.fromkeys(path for path in [*named, machine] if Path(path).is_file())
    return b"".join(Path(path).read_bytes().rstrip() + b"\n" for path in files)


def _botocore_bundle() -> str:
    """Found without importing botocore, which takes a tenth of a second."""
    spec = find_spec("botocore")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).with_name("cacert.pem"))
