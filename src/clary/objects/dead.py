"""Bodies that no row names any more: listed as dead for a while, then their files go.

    last row goes ─▶ release: listed ─▶ grace ─▶ strike off: nobody names it? ─commit─▶ its file is removed
                                                     └─ named all the same: it lives on

A row can only name a new body or one that another row names, so what nobody names when it is struck off is
nobody's for good, and a crash before its file is removed leaves an orphan for the next start's sweep.
Functions of an open transaction.
"""

import time
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, bindparam, delete, exists, insert, or_, select

from clary.objects.small import forget
from clary.objects.tables import dead_bodies, parts, versions

_HOLDERS = (versions, parts)

# Built once: putting a statement together costs SQLAlchemy more than running it.
_BODIES: BindParameter[Any] = bindparam("bodies", expanding=True)
_NAMED = [select(table.c.body).where(table.c.body.in_(_BODIES)) for table in _HOLDERS]
_UNLIST = delete(dead_bodies).where(dead_bodies.c.body.in_(_BODIES))
_LIST = insert(dead_bodies)


def release(connection: Connection, bodies: Collection[str]) -> None:
    """List bodies as dead, apart from those that a row names: to be called when a change has named all that
    it will."""
    dead = set(bodies)
    for named in _NAMED:
        dead -= set(connection.execute(named, {"bodies": list(bodies)}).scalars())
    if dead:
        now = time.time()
        connection.execute(_UNLIST, {"bodies": list(dead)})
        connection.execute(_LIST, [{"body": body, "since": now} for body in dead])


def strike_off(connection: Connection, before: float, most: int) -> list[str]:
    """Shorten the list by up to `most` bodies that are on it since `before`; gives those whose files may go."""
    named = or_(*(exists().where(table.c.body == dead_bodies.c.body) for table in _HOLDERS))
    old = select(dead_bodies.c.body, named).where(dead_bodies.c.since < before).limit(most)
    struck: Sequence[Any] = connection.execute(old).all()
    if struck:
        connection.execute(_UNLIST, {"bodies": [body for body, _ in struck]})
    unnamed = [body for body, is_named in struck if not is_named]
    forget(connection, unnamed)
    return unnamed
