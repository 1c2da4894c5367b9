"""Inference components: models that share the instances of an endpoint, each with copies and resources of its own.

A component is deployed as an endpoint of one variant is, whose replicas are its copies: the same documents, stages and
reconciler. Its own are its requests (`api`), what they make of it (`specification`), and whether its copies find room
on the endpoint's instances (`room`).
"""
