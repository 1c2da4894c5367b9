"""Search: resources by what is said of them.

Resource ──serve_search (declaring.py)──▶ Searchable: how a record is described
request ──▶ expressions.py ─┬─ properties.py: what a name means, by the published shapes
                            └─ values.py: what a filter's value means, by the property's type
                  └──▶ clary.records.search: Search ─▶ Results ──▶ response (api.py)
"""
