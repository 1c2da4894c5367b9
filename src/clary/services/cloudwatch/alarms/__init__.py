"""Metric alarms: a threshold that a metric is held against, and what is done when it passes it.

PutMetricAlarm ─▶ record (INSUFFICIENT_DATA) ─▶ AlarmReconciler.step, each period: evaluation ─▶ passage ─▶ actions
                                                         SetAlarmState ──────────────────────────┘       └─▶ watchers
"""
