"""What the platform knows: resources, their tags and events, log streams and metrics, in SQL.

    Records (store.py) ── create, find, update, list ─────────┐
        └─ transition ──▶ gate.py, the only road to a status ─┤
    LogStore (logs.py) ── append, read                        ├──▶ tables.py ──▶ `clary.database`
    MetricStore (metrics.py) ── add, read ────────────────────┘

A resource is stored as its request document plus status; only what is queried has a column.
"""
