"""Experiments: what was tried, with which parameters, and what came of it.

    Experiment ◀─parent─ Trial ◀─Parents─ Trial component ◀── tracking.py: each training and processing job
                                                    ▲──────── sagemaker_metrics: BatchPutMetrics

Which trials a component belongs to is kept in the component (`Parents`, as Search tells it), and the listings that ask
for it walk the index of Search.
"""
