import os
import sys
import sysconfig

import pytest

from clary.instance.environments.interpreter import inspect
from clary.instance.errors import Refused


def test_agrees_with_the_interpreter_itself() -> None:
    found = inspect(sys.executable)
    assert found.prefix == sys.prefix
    assert os.path.samefile(found.base, sys.base_prefix)
    assert found.site == sysconfig.get_paths()["purelib"]


def test_one_outside_a_virtual_environment() -> None:
    found = inspect(os.path.realpath(sys.executable))
    assert found.prefix == found.base
    assert os.path.samefile(found.prefix, sys.base_prefix)


def test_one_that_is_not_there() -> None:
    with pytest.raises(Refused, match="/no/such/python"):
        inspect("/no/such/python")
