"""Application Auto Scaling of endpoints.

    alarm ─▶ Destination ─┐
    RegisterScalableTarget ┼▶ wake ─▶ TargetReconciler.step ─▶ decision.py ─▶ activity ─▶ resources.py: change_variants
    scheduled action's time┘

A scalable target is one record; its policies, scheduled actions and last activities are in its document. Target
tracking makes CloudWatch alarms as AWS does, and those that ring wake the target for as long as they ring.
"""

from clary.control.operations import Operations

operation = Operations("application-autoscaling")
