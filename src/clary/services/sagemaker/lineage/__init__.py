"""Lineage: which data, jobs and approvals led to which models and endpoints, as users tell it.

actions.py, artifacts.py, contexts.py ── entities, as trial components are ──▶ associations.py: from one to another
                                                                                    └─▶ queries.py: QueryLineage
"""
