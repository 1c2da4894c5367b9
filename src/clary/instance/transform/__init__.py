"""Batch transform: a process beside the model server of an instance gives it objects, and keeps what it answers.

    item ─▶ chunks [gunzip] ─▶ records ─▶ batches ─┬▶ lane ─▶ [filter] ─▶ POST /invocations ─▶ [join, filter] ─┐
    (next item …)                                  └▶ lane ─▶ …      in their order  ◀──────────────────────────┘
                                                                          │ all of them
                                                     outputs/<output>/<name of the item>.out

    process.py     beside the program, as pipes have one: its end is that of the program
    running.py     lanes, what fails, the end        assembly.py   the answers of one object, in their order
    records.py     splitting and batching            joining.py    DataProcessing, by the paths of jsonpath.py
    server.py      what the model server is asked

An object whose answers are not all there leaves nothing. The platform has no part in it: it may be killed meanwhile.
"""
