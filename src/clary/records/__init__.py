"""What the platform knows: resources, their tags and events, log streams and metrics, in SQL.

    Records (store.py) ── create, find, update, list ─────────┐
        ├─ transition ──▶ gate.py, the only road to a status ─┤
        ├─ children ──▶ family.py: what parents are told ─────┤
        └─ agenda (agenda.py): who lives, whose timer is due ─┤
    LogStore (logs.py) ── append, read                        ├──▶ tables.py ──▶ `clary.database`
    MetricStore (metrics.py) ── add, read ────────────────────┘

A resource is stored as its request document plus status; only what is queried has a column. What a thread writes within
`Records.together`, in whichever of the stores, is one transaction.
"""
