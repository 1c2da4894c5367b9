"""A request against its model: required members, lengths, ranges, patterns, enumerations, unions.

    validate(operation, params)   ─▶ nothing, or ServiceError with every violation in AWS's words:

    2 validation errors detected: Value 'a_b' at 'trainingJobName' failed to satisfy constraint: Member must
    satisfy regular expression pattern: …; Value null at 'roleArn' failed to satisfy constraint: Member must
    not be null

Each shape becomes one function, on first use. S3 alone does not speak so: it is held to its required members,
and its handlers to the rest, each of which has an error code of its own.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from clary.wire.constraints import Rule, rules_of, show
from clary.wire.errors import ServiceError
from clary.wire.models import ShapeCompiler, payload_member
from clary.wire.refusals import malformed_xml

ERROR_CODES = {
    "sagemaker": "ValidationException",
    "logs": "InvalidParameterException",
    "ecr": "InvalidParameterException",
    "application-autoscaling": "ValidationException",
}
"""Every other service says `ValidationError`."""

Violations = list[str]

Check = Callable[[Any, str, Violations], None]
"""`(value, path, violations)`: appends a sentence for each violation."""

Items = Iterable[tuple[str, Any]]
"""Elements with the path of each."""

CheckElements = Callable[[Any, Items, str, Violations], None]
"""`(whole list or map, its elements, its path, violations)`."""


def validate(operation: OperationModel, params: dict[str, Any]) -> None:
    """Raise `ServiceError` where `params`, as `parse` answers them, are not what the model asks for."""
    if operation.input_shape is None:
        return
    service = operation.service_model.service_name
    violations: Violations = []
    checks(service)(operation.input_shape)(params, "", violations)
    if not violations:
        return
    if service == "s3":
        raise _s3_error(operation, params)
    plural = "" if len(violations) == 1 else "s"
    message = f"{len(violations)} validation error{plural} detected: {'; '.join(violations)}"
    raise ServiceError(ERROR_CODES.get(service, "ValidationError"), message, 400)


def _s3_error(operation: OperationModel, params: dict[str, Any]) -> ServiceError:
    payload = payload_member(operation.input_shape)
    if payload and payload in operation.input_shape.required_members and params.get(payload) is None:
        return ServiceError("MissingRequestBodyError", "Request Body is empty", 400)
    for name in operation.input_shape.required_members:
        traits = operation.input_shape.members[name].serialization
        if traits.get("location") == "header" and params.get(name) is None:
            message = f"Missing required header for this request: {traits['name']}"
            return ServiceError("InvalidRequest", message, 400)
    return malformed_xml()


@cache
def checks(service: str) -> "Checks":
    return Checks(required_only=service == "s3")


def _violation(value: Any, path: str, constraint: str, *, sensitive: bool = False) -> str:
    shown = "" if sensitive else " null" if value is None else f" '{show(value)}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _lower_camel(name: str) -> str:
    return name[:1].lower() + name[1:]


class Checks(ShapeCompiler[Check]):
    """A function for each shape that finds what is wrong with a value."""

    def __init__(self, *, required_only: bool) -> None:
        super().__init__()
        self._required_only = required_only

    def rules(self, shape: Shape) -> tuple[Rule, ...]:
        return () if self._required_only else tuple(rules_of(shape))

    def structure(self, shape: StructureShape) -> Check:
        required = [(name, _lower_camel(name)) for name in shape.required_members]
        union = shape.is_tagged_union and not self._required_only

        @cache
        def members() -> dict[str, tuple[str, Check]]:
            return {name: (_lower_camel(name), self(m)) for name, m in shape.members.items()}

        def check(value: dict[str, Any], path: str, violations: Violations) -> None:
            entries = members()
            prefix = f"{path}." if path else ""
            for name, segment in required:
                if value.get(name) is None:
                    violations.append(_violation(None, prefix + segment, "Member must not be null"))
            for name, item in value.items():
                if item is not None:
                    segment, check_member = entries[name]
                    check_member(item, prefix + segment, violations)
            if union and len(value) != 1:
                violations.append(_violation(value, path, "Member must have exactly one of its members set"))

        return check

    def list(self, shape: ListShape) -> Check:
        own = self.rules(shape)
        check_elements = self._elements(shape.member, "Member must satisfy constraint")

        def check(value: list[Any], path: str, violations: Violations) -> None:
            _apply(own, value, path, violations, sensitive=False)
            items = ((f"{path}.{i}.member", item) for i, item in enumerate(value, 1))
            check_elements(value, items, path, violations)

        return check

    def map(self, shape: MapShape) -> Check:
        own = self.rules(shape)
        check_keys = self._elements(shape.key, "Map keys must satisfy constraint")
        check_values = self._elements(shape.value, "Map value must satisfy constraint")

        def check(value: dict[str, Any], path: str, violations: Violations) -> None:
            _apply(own, value, path, violations, sensitive=False)
            check_keys(value, ((path, key) for key in value), path, violations)
            items = ((f"{path}.{key}.member", item) for key, item in value.items())
            check_values(value, items, path, violations)

        return check

    def _elements(self, shape: Shape, wording: str) -> CheckElements:
        """Structures are checked one by one; scalars together, and one that breaks a rule is told all rules."""
        if shape.type_name in ("structure", "list", "map"):
            check_one = self(shape)

            def check_each(_whole: Any, items: Items, _path: str, violations: Violations) -> None:
                for path, item in items:
                    if item is None:
                        violations.append(_violation(None, path, "Member must not be null"))
                    else:
                        check_one(item, path, violations)

            return check_each
        rules = self.rules(shape)
        constraint = f"{wording}: [{', '.join(rule.constraint for rule in rules)}]"

        def check_together(whole: Any, items: Items, path: str, violations: Violations) -> None:
            broken = False
            for item_path, item in items:
                if item is None:
                    violations.append(_violation(None, item_path, "Member must not be null"))
                else:
                    broken = broken or any(rule.broken_by(item) for rule in rules)
            if broken:
                sensitive = bool(shape.metadata.get("sensitive"))
                violations.append(_violation(whole, path, constraint, sensitive=sensitive))

        return check_together

    def _scalar(self, shape: Shape) -> Check:
        rules = self.rules(shape)
        sensitive = bool(shape.metadata.get("sensitive")) or shape.type_name == "blob"
        if not rules:
            return lambda _value, _path, _violations: None
        return lambda value, path, violations: _apply(rules, value, path, violations, sensitive=sensitive)

    string = boolean = integer = long = float = double = timestamp = blob = _scalar


def _apply(rules: tuple[Rule, ...], value: Any, path: str, violations: Violations, *, sensitive: bool) -> None:
    for rule in rules:
        if rule.broken_by(value):
            violations.append(_violation(value, path, rule.constraint, sensitive=sensitive))
