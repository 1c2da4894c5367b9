"""Batch transform: a model served on instances of the job's own, which are given objects of S3 and end with them."""
