"""The control plane that every service stands on: what a handler is given, and what keeps records moving.

gateway ─▶ Operations (operations.py) ─▶ handler(Call, request) ─▶ House: records, objects, engine, router …
                                                                     │ wake
                                                        Supervisor ◀─┘ ─▶ Reconciler.step
"""
