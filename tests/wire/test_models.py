"""The models as they are loaded: whole but for their prose."""

import pytest
from botocore.loaders import Loader
from botocore.model import Shape

from clary.wire.models import SERVICES, ShapeCompiler, error_shape, error_status, service_model


@pytest.mark.parametrize("service", SERVICES)
def test_the_model_is_botocores_newest(service: str) -> None:
    loader = Loader()
    published = loader.load_service_model(service, "service-2", loader.determine_latest_version(service, "service-2"))
    model = service_model(service)
    assert model.api_version == published["metadata"]["apiVersion"]
    assert set(published["operations"]) == set(model.operation_names)
    assert set(published["shapes"]) == set(model.shape_names)


def test_documentation_is_dropped_and_members_of_that_name_are_kept() -> None:
    model = service_model("sagemaker")
    assert model.shape_for("TrainingJobName").documentation == ""
    assert all(operation.documentation == "" for operation in map(model.operation_model, model.operation_names))


def test_an_unknown_service_is_a_lookup_error() -> None:
    with pytest.raises(LookupError, match="no-such-service"):
        service_model("no-such-service")


def test_errors_are_found_by_code_and_by_shape() -> None:
    by_code, by_shape = error_shape("iam", "NoSuchEntity"), error_shape("iam", "NoSuchEntityException")
    assert by_code is not None
    assert by_shape is not None
    assert by_code.name == by_shape.name == "NoSuchEntityException"
    assert error_shape("iam", "NoSuchError") is None


@pytest.mark.parametrize(
    ("service", "code", "status"),
    [
        ("iam", "NoSuchEntity", 404),
        ("sagemaker-runtime", "ModelError", 424),
        ("logs", "ServiceUnavailableException", 500),
        ("sagemaker", "ResourceNotFound", 400),
        ("sagemaker", "Unmodelled", 400),
    ],
)
def test_an_error_has_the_status_of_its_model(service: str, code: str, status: int) -> None:
    assert error_status(service, code) == status


class Names(ShapeCompiler[list[str]]):
    """Counts its work: each shape is compiled once for each set of traits."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def string(self, shape: Shape) -> list[str]:
        self.made += 1
        return [shape.name]


def test_a_shape_is_compiled_once() -> None:
    names = Names()
    members = service_model("sagemaker").operation_model("CreateTrainingJob").input_shape.members
    assert names(members["TrainingJobName"]) is names(members["TrainingJobName"])
    assert names.made == 1
