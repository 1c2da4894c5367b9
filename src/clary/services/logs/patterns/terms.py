"""Patterns for unstructured text.

    ERROR timeout        events with both words        ?ERROR ?WARN      events with either
    "disk is full"       with the phrase               ERROR -retry      with the one and without the other
    %[Ee]rrors?%         a regular expression, which stands alone

Case matters, and a term is a whole word: `ERROR` is not in `ERRORS`. Optional terms count only where there
are no others, as there.
"""

import re
from collections.abc import Callable

from clary.services.logs.patterns.expressions import read_expression
from clary.services.logs.patterns.scanner import Scanner
from clary.services.logs.requests import invalid

Matches = Callable[[str], bool]

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|(?P<word>[^\s"]+))(?=\s|$)')
_WORD = re.compile(r"\w+")


def compile_terms(pattern: str) -> Matches:
    scanner = Scanner(pattern)
    expression = read_expression(scanner)
    if expression is not None:
        scanner.end()
        return expression
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
