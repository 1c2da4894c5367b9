"""Filter patterns for unstructured text, by CloudWatch Logs' "Filter pattern syntax".

    ERROR timeout        events with both words        ?ERROR ?WARN      events with either
    "disk is full"       with the phrase               ERROR -retry      with the one and without the other

Case matters, and a term is a whole word: `ERROR` is not in `ERRORS`. Optional terms count only where there
are no others, as there. Patterns for JSON (`{ … }`), for columns (`[ … ]`) and regular expressions (`%…%`)
are not built.
"""

import re
from collections.abc import Callable

from clary.services.logs.requests import invalid

Matches = Callable[[str], bool]

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')
_WORD = re.compile(r"\w+")


def compile_pattern(pattern: str) -> Matches:
    """A test for the text of an event; raises `InvalidParameterException`."""
    pattern = pattern.strip()
    if pattern[:1] in ("{", "[", "%"):
        raise invalid(
            f"The filter pattern {pattern} is not built in Clary yet: it knows terms, quoted phrases, ?optional and "
            "-excluded ones, but no patterns for JSON or columns and no regular expressions."
        )
    terms: dict[str, list[re.Pattern[str]]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(pattern):
        match = _TERM.match(pattern, position)
        if match is None:
            raise invalid(f"Invalid filter pattern: {pattern}")
        terms[match["sign"]].append(_compile_term(match, pattern))
        position = match.end()
    return _all_of(terms[""], terms["?"], terms["-"])


def _compile_term(match: re.Match[str], pattern: str) -> re.Pattern[str]:
    text = match["word"]
    if text is None:
        text = re.sub(r"\\(.)", r"\1", match["phrase"])
    elif not _WORD.fullmatch(text):
        raise invalid(f"Invalid filter pattern: {pattern}. Terms with characters like those of {text} need quotes.")
    return re.compile(rf"(?<!\w){re.escape(text)}(?!\w)")


def _all_of(
    required: list[re.Pattern[str]], optional: list[re.Pattern[str]], excluded: list[re.Pattern[str]]
) -> Matches:
    if required or excluded:
        optional = []

    def matches(text: str) -> bool:
        return (
            all(term.search(text) for term in required)
            and not any(term.search(text) for term in excluded)
            and (not optional or any(term.search(text) for term in optional))
        )

    return matches
