"""The one kit for jobs: a job is a gang of instances with a spec, statuses, log streams, outputs and an end.

    CreateX ─▶ record ─▶ supervisor ─▶ JobReconciler.step (lifecycle.py) ─▶ Gang (gang.py) ─▶ engine
                                          │ asks what is the family's own
                                          ▼
                                        Family (base.py): specs, states, what is read from the log, what is kept

A gang that lost an instance may be tried again, with new ones (attempts.py). What is asked of the traffic within it is
looked at in traffic.py.
Training is a family, and so is all that starts instances, follows them and ends. StopX is served by `stopping`.
"""
