"""The model manager of an instance that serves many models: a process beside the program, before its server.

    run/server.sock ─▶ Door ─ which model? ─▶ Cache ─▶ POST /models/<name>/invoke at run/model.sock
                                                │
                       not here  ◀── Wanted ────┤  the caller says where its archive lies, and that it may be taken
                       Archives ◀── fetched ────┤  unpacked to /opt/ml/models/<name>/model, which the program only reads
                       the program ◀── loaded ──┘  by POST /models; the least recently used make room

The program speaks AWS's contract ("Custom Containers Contract for Multi-Model Endpoints"), whether it is Clary's or an
image's own. What the platform and the manager say to each other beside it are the headers of `headers.py`.
"""
