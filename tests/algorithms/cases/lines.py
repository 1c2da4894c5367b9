"""What the algorithms share whose data are lines of JSON."""

import json

NO_LIST = 'there is no list "instances"'


def rows(objects: list[dict[str, object]]) -> bytes:
    return "".join(f"{json.dumps(each)}\n" for each in objects).encode()


def asked(*objects: dict[str, object]) -> list[bytes]:
    return [json.dumps(each).encode() for each in objects]
