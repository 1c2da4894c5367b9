"""The one way in which resources are created, described, listed, updated and deleted.

    Resource (declaration.py) ──serve──▶ operations: CreateX, DescribeX, ListXs, UpdateX, DeleteX
                                             │
                     handling.py: one record ┴ listing.py: a page ─▶ shapes.py: what the published shape has a place for

A resource is a declaration of some ten lines: what its operations and members are called follows from the published
model. What a family does otherwise, it does in a handler of its own, with the functions of `handling`.
"""
