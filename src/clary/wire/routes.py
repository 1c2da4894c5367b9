"""REST routing: method, path, query and headers → operation, compiled from the models' `requestUri`.

    PUT /{Bucket}/{Key+}             PutObject
    PUT /{Bucket}/{Key+}             UploadPart, where partNumber and uploadId are given
    PUT /{Bucket}/{Key+}?tagging     PutObjectTagging

Of the operations whose template fits, that one wins which demands most: literal parts of its query, and
required members that travel in the query or in a header.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote_to_bytes

from botocore.model import OperationModel, ServiceModel

from clary.wire.errors import ServiceError
from clary.wire.http import Headers

LABEL = re.compile(r"\{(\w+)(\+?)\}")


@dataclass(frozen=True, slots=True)
class Route:
    operation: str
    query: tuple[tuple[str, str], ...]
    """Parameters that must be there, and with that value where it is not empty."""
    headers: tuple[str, ...]
    deprecated: bool

    def fits(self, query: Mapping[str, str], headers: Headers) -> bool:
        return all(name in query and (not value or query[name] == value) for name, value in self.query) and all(
            name in headers for name in self.headers
        )

    @property
    def demands(self) -> tuple[int, bool]:
        return len(self.query) + len(self.headers), not self.deprecated


class RouteTable:
    """All routes of one REST service, by method and path template, the most demanding first."""

    def __init__(self, service: ServiceModel) -> None:
        routes: defaultdict[str, defaultdict[str, list[Route]]] = defaultdict(lambda: defaultdict(list))
        for name in service.operation_names:
            operation = service.operation_model(name)
            template, _, query = operation.http["requestUri"].partition("?")
            routes[operation.http["method"]][template].append(_route(operation, query))
        self._methods: dict[str, list[tuple[re.Pattern[str], list[Route]]]] = {
            # A template with fewer labels is the narrower one: `/WriteGetObjectResponse` before `/{Bucket}`.
            method: [
                (_path_pattern(template), sorted(at, key=lambda route: route.demands, reverse=True))
                for template, at in sorted(templates.items(), key=lambda item: item[0].count("{"))
            ]
            for method, templates in routes.items()
        }

    def find(
        self, method: str, path: str, query: Mapping[str, str], headers: Headers
    ) -> tuple[str, dict[str, str]] | None:
        """The operation's name and its path labels, percent-decoded once; None where no template fits."""
        for pattern, routes in self._methods.get(method, ()):
            match = pattern.fullmatch(path)
            if match is None:
                continue
            for route in routes:
                if route.fits(query, headers):
                    return route.operation, {label: decode(value) for label, value in match.groupdict().items()}
        return None


def _route(operation: OperationModel, query: str) -> Route:
    literal = dict(parse_qsl(query, keep_blank_values=True))
    headers = []
    for name in operation.input_shape.required_members if operation.input_shape else ():
        traits = operation.input_shape.members[name].serialization
        if traits.get("location") == "querystring":
            literal.setdefault(traits["name"], "")
        elif traits.get("location") == "header" and not query:
            headers.append(traits["name"].lower())  # of two operations at one place: CopyObject and PutObject
    return Route(operation.name, tuple(literal.items()), tuple(headers), operation.deprecated)


def _path_pattern(template: str) -> re.Pattern[str]:
    """`/{Bucket}/{Key+}` as a pattern; a `{Label}` is one segment, a `{Label+}` the rest, slashes and all."""
    # The path of a bucket may end in a slash: `GET /bucket/` lists it.
    pattern = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\+", "+")
    pattern = LABEL.sub(lambda label: f"(?P<{label[1]}>{'.+' if label[2] else '[^/]+'})", pattern)
    return re.compile(pattern + ("/?" if template.endswith("}") else ""), re.DOTALL)


def decode(text: str) -> str:
    """Percent-decoding, once; `ServiceError` where the result is not UTF-8."""
    if "%" not in text and text.isascii():
        return text
    try:
        return unquote_to_bytes(text.encode("latin-1")).decode()
    except UnicodeError as error:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI.", 400) from error


def decode_query(query: str) -> dict[str, str]:
    """The parameters of a query string, the first of each name; one without `=` has an empty value."""
    if not query:
        return {}
    try:
        text = query.encode("latin-1").decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict")
    except UnicodeError as error:
        raise ServiceError("InvalidURI", "Couldn't parse the specified URI.", 400) from error
    return dict(reversed(pairs))
