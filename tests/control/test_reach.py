"""By which URL instances on other machines reach the platform."""

import ipaddress
from urllib.parse import urlsplit

import pytest
from pydantic import ValidationError

from clary.control.reach import Unreachable, advertised_url
from clary.settings import Settings


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"host": "10.1.2.3", "port": 7000}, "http://10.1.2.3:7000"),
        ({"host": "ml.example.com"}, "http://ml.example.com:7373"),
        ({"advertise": "https://ml.example.com/"}, "https://ml.example.com"),
        ({"advertise": "http://10.1.2.3:0", "port": 7001}, "http://10.1.2.3:7001"),
        ({"advertise": "http://10.1.2.3:80"}, "http://10.1.2.3:80"),
    ],
)
def test_what_is_advertised(settings: dict[str, object], url: str) -> None:
    assert advertised_url(Settings.model_validate(settings)) == url


def test_of_all_addresses_that_of_the_way_out() -> None:
    try:
        url = advertised_url(Settings(host="0.0.0.0", port=7000))
    except Unreachable as refused:
        pytest.skip(str(refused))
    assert urlsplit(url).port == 7000
    assert not ipaddress.ip_address(urlsplit(url).hostname or "").is_unspecified


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.8.8.8", "::1"])
def test_a_loopback_reaches_no_other_machine(host: str) -> None:
    with pytest.raises(Unreachable, match="--advertise"):
        advertised_url(Settings(host=host, engine="ray://head"))


@pytest.mark.parametrize("url", ["10.1.2.3:7000", "ftp://host", "http://host/path", "http://"])
def test_a_url_of_no_use_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        Settings(advertise=url)
