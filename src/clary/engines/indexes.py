"""What this machine's pip configuration says, in uv's words: uv reads none of it by itself.

    pip.conf of the system, the user, the site, PIP_CONFIG_FILE; PIP_* ─▶ {"index-url": …} ─▶ {"UV_DEFAULT_INDEX": …}

Places and precedence are those of pip ("Configuration" in its user guide); uv's own variables win.
"""

import configparser
import os
import sys
from collections.abc import Mapping

SECTIONS = ("global", "install")
"""Of pip.conf; the later one counts more."""
VARIABLES = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "constraint": "UV_CONSTRAINT",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "client-cert": "SSL_CLIENT_CERT",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "proxy": "ALL_PROXY",
}
OWN = {
    *VARIABLES.values(),
    *("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX", "UV_OFFLINE", "UV_SYSTEM_CERTS", "UV_HTTP_RETRIES"),
}
OWN_PREFIX = "UV_INDEX_"
"""uv's own variables that say where packages come from (`UV_INDEX_<NAME>_PASSWORD`). Others may be secrets that are
none of a program's business: the token to publish packages."""
LISTS = {"find-links": ",", "extra-index-url": " ", "constraint": " ", "trusted-host": " "}
"""Options that take several values, and what uv wants between them."""
FALSE = ("0", "false", "no", "off", "n", "f")


def uv_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables that make uv install from where pip does."""
    found = {name: value for name, value in environment.items() if _is_uvs(name)}
    # pip takes the best version of all indexes; uv, by default, that of the first which has the package.
    translated = {"UV_INDEX_STRATEGY": "unsafe-best-match"}
    for option, value in pip_options(environment).items():
        if option in VARIABLES:
            translated[VARIABLES[option]] = LISTS[option].join(value.split()) if option in LISTS else value
    return {**translated, **found}


def uv_options(environment: Mapping[str, str] = os.environ) -> list[str]:
    """What uv has no variable for."""
    return ["--no-index"] if pip_options(environment).get("no-index", "0").lower() not in FALSE else []


def pip_options(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The options of `pip install` that are configured, by their long names."""
    options: dict[str, str] = {}
    for path in configurations(environment):
        file = configparser.RawConfigParser()
        try:
            file.read(path, encoding="utf-8")
        except (OSError, ValueError, configparser.Error):
            # pip says of it what there is to say; here the other files still count.
            continue
        for section in SECTIONS:
            if file.has_section(section):
                options |= {name.replace("_", "-"): value for name, value in file.items(section)}
    variables = {name[4:].lower().replace("_", "-"): value for name, value in environment.items() if _is_pips(name)}
    return {**options, **{name: value for name, value in variables.items() if value}}


def configurations(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The files that pip reads, those that count more last."""
    home = environment.get("HOME") or os.path.expanduser("~")
    system = (environment.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    config = environment.get("XDG_CONFIG_HOME") or f"{home}/.config"
    files = [f"{directory}/pip/pip.conf" for directory in reversed(system)]
    files += ["/etc/pip.conf", f"{home}/.pip/pip.conf", f"{config}/pip/pip.conf", f"{sys.prefix}/pip.conf"]
    own = environment.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return []
    return [path for path in (*files, own) if path and os.path.isfile(path)]


def _is_uvs(name: str) -> bool:
    return name.startswith(OWN_PREFIX) or (name in OWN and name.startswith("UV_"))


def _is_pips(name: str) -> bool:
    return name.startswith("PIP_") and name != "PIP_CONFIG_FILE"
