import base64

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique


def script(text: str) -> list[dict[str, str]]:
    return [{"Content": base64.b64encode(text.encode()).decode()}]


def test_an_update_replaces_the_scripts_that_it_names(platform: Platform) -> None:
    sagemaker, name = platform.client("sagemaker"), unique("config")
    named = {"NotebookInstanceLifecycleConfigName": name}
    sagemaker.create_notebook_instance_lifecycle_config(**named, OnCreate=script("one"), OnStart=script("two"))
    sagemaker.update_notebook_instance_lifecycle_config(**named, OnStart=script("three"))
    described = sagemaker.describe_notebook_instance_lifecycle_config(**named)
    assert (described["OnCreate"], described["OnStart"]) == (script("one"), script("three"))
    sagemaker.update_notebook_instance_lifecycle_config(**named, OnCreate=[])
    assert sagemaker.describe_notebook_instance_lifecycle_config(**named)["OnCreate"] == []


def test_a_script_that_is_not_base64_is_refused(platform: Platform) -> None:
    sagemaker, name = platform.client("sagemaker"), unique("config")
    named = {"NotebookInstanceLifecycleConfigName": name}
    with pytest.raises(ClientError, match="OnStart is not valid"):
        sagemaker.create_notebook_instance_lifecycle_config(**named, OnStart=[{"Content": "#!/bin/sh"}])
    sagemaker.create_notebook_instance_lifecycle_config(**named)
    with pytest.raises(ClientError, match="OnCreate is not valid"):
        sagemaker.update_notebook_instance_lifecycle_config(**named, OnCreate=[{"Content": "#!/bin/sh"}])
