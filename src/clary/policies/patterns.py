"""Text with wildcards and policy variables, as actions, resources and conditions hold it.

`*` is any run of characters, `?` any one. `${aws:username}` stands for a value of the call, `${aws:username, 'who'}`
for one that may be missing; `${*}`, `${?}` and `${$}` are the plain characters. Variables came with version 2012-10-17:
in an older policy they are text.
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

Context = Callable[[str], Sequence[str] | None]
"""The values of a condition key, named in lower case; None where the call has none."""

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEFAULTED = re.compile(r"\s*([^,\s]+)\s*,\s*'([^']*)'\s*")
_PLAIN = frozenset("*?$")


def has_variable(text: str) -> bool:
    return _VARIABLE.search(text) is not None


def matches(pattern: str, value: str, context: Context | None = None, ignore_case: bool = False) -> bool:
    """Whether the whole of `value` fits. With `context`, variables are filled in; one without a value fits nothing."""
    if context is None or "${" not in pattern:
        return _compiled(pattern, ignore_case).fullmatch(value) is not None
    tokens = _filled(pattern, context)
    return tokens is not None and re.fullmatch(_expression(tokens), value, _flags(ignore_case)) is not None


def filled(text: str, context: Context) -> str | None:
    """Plain text with its variables filled in; None where one has no value."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        found = _value(match[1], context)
        missing = missing or found is None
        return found or ""

    result = _VARIABLE.sub(value, text)
    return None if missing else result


@lru_cache(maxsize=4096)
def _compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:
    return re.compile(_expression(_tokens(pattern)), _flags(ignore_case))


def _flags(ignore_case: bool) -> re.RegexFlag:
    return re.DOTALL | re.IGNORECASE if ignore_case else re.DOTALL


def _tokens(pattern: str) -> list[str | None]:
    """An expression for each character; None for a star."""
    return [None if each == "*" else "." if each == "?" else re.escape(each) for each in pattern]


def _expression(tokens: list[str | None]) -> str:
    """Between two stars the first fit is as good as any other: atomic groups keep a match from trying them all."""
    parts = [""]
    for token in tokens:
        if token is None:
            parts.append("")
        else:
            parts[-1] += token
    if len(parts) == 1:
        return parts[0]
    first, *middle, last = parts
    return first + "".join(f"(?>.*?{each})" for each in middle if each) + f".*{last}"


def _filled(pattern: str, context: Context) -> list[str | None] | None:
    tokens: list[str | None] = []
    end = 0
    for match in _VARIABLE.finditer(pattern):
        value = _value(match[1], context)
        if value is None:
            return None
        tokens += [*_tokens(pattern[end : match.start()]), re.escape(value)]
        end = match.end()
    return tokens + _tokens(pattern[end:])


def _value(name: str, context: Context) -> str | None:
    if name in _PLAIN:
        return name
    default = None
    if match := _DEFAULTED.fullmatch(name):
        name, default = match.groups()
    values = context(name.strip().lower())
    return values[0] if values is not None and len(values) == 1 else default
