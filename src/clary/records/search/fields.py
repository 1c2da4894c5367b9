"""Fields: the paths at which the records of one kind, account and region have values, each with a number.

A number once given is never given back.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, exists, insert, or_, select

from clary.records.record import Scope
from clary.records.tables import search_fields as fields
from clary.records.tables import search_numbers, search_texts

Realm = tuple[str, str, str]
"""Kind, account and region."""


def realm_of(kind: str, scope: Scope) -> Realm:
    return kind, scope.account, scope.region


class Fields:
    """The numbers of the paths of one realm, within one transaction."""

    def __init__(self, connection: Connection, realm: Realm) -> None:
        self._connection = connection
        self._realm = realm
        self._found: dict[str, tuple[int, ...]] = {}
        self._here = (fields.c.kind == realm[0], fields.c.account == realm[1], fields.c.region == realm[2])

    def find(self, path: str) -> tuple[int, ...]:
        """Of the path, none where no record has had a value there; of all paths below it where it ends in a dot."""
        if path not in self._found:
            path_is = fields.c.path.between(path, f"{path}\U0010ffff") if path.endswith(".") else fields.c.path == path
            rows = self._connection.execute(select(fields.c.id).where(*self._here, path_is))
            self._found[path] = tuple(row.id for row in rows)
        return self._found[path]

    def learn(self, paths: Iterable[str]) -> dict[str, int]:
        """Of all of these, given now to those that had none. Only one at a time may do this."""
        wanted = set(paths)
        known = self._read(wanted)
        new = sorted(wanted - known.keys())
        if not new:
            return known
        kind, account, region = self._realm
        rows = [{"kind": kind, "account": account, "region": region, "path": path} for path in new]
        self._connection.execute(insert(fields), rows)
        return known | self._read(set(new))

    def suggest(self, prefixes: Sequence[str], limit: int) -> list[str]:
        """Paths that begin with one of these and at which a record has a value now, in order."""
        begins = or_(*(fields.c.path.between(prefix, f"{prefix}\U0010ffff") for prefix in prefixes))
        used = or_(*(exists().where(table.c.field == fields.c.id) for table in (search_texts, search_numbers)))
        statement = select(fields.c.path).where(*self._here, begins, used).order_by(fields.c.path).limit(limit)
        return list(self._connection.execute(statement).scalars())

    def _read(self, paths: set[str]) -> dict[str, int]:
        """A few hundred at a time: a statement has a largest number of parameters."""
        found: dict[str, int] = {}
        ordered = sorted(paths)
        for start in range(0, len(ordered), 500):
            statement = select(fields.c.path, fields.c.id).where(
                *self._here, fields.c.path.in_(ordered[start : start + 500])
            )
            found |= {row.path: row.id for row in self._connection.execute(statement)}
        return found
