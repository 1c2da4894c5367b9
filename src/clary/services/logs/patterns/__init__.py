"""Filter patterns: which log events a search is for, by CloudWatch Logs' "Filter and pattern syntax".

ERROR -retry, ?WARN ?ERROR, "disk is full"      terms.py      words of the text
%[Ee]rror% (alone)                              terms.py      a regular expression
{ $.latency > 100 && $.level = "ERROR" }        documents.py  members of an event that is JSON
[ip, user, ..., status = 4*, size > 1000]       columns.py    columns of an event, by spaces

The last two share their conditions: logic.py puts comparisons (values.py) together with && and ||.
"""

from collections.abc import Callable

from clary.services.logs.patterns.columns import compile_columns
from clary.services.logs.patterns.documents import compile_document
from clary.services.logs.patterns.terms import compile_terms

Matches = Callable[[str], bool]


def compile_pattern(pattern: str) -> Matches:
    """A test for the text of an event; raises `InvalidParameterException`."""
    pattern = pattern.strip()
    if pattern.startswith("{"):
        return compile_document(pattern)
    if pattern.startswith("["):
        return compile_columns(pattern)
    return compile_terms(pattern)
