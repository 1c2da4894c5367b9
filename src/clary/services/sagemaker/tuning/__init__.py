"""Hyperparameter tuning: a job that starts training jobs with values from a search space until the best is found.

    CreateHyperParameterTuningJob ─▶ record ─▶ TuningReconciler.step (lifecycle) ─▶ training jobs, its children
                                                 │ what became of them: `trials`        │ passage of one wakes it
                                                 │ values for the next: `suggestions` ◀─┘
                                                 │ which are hopeless:  `pruning`
                                                 └ whether to end:      `completion`

Nothing is remembered but the children themselves: each keeps the values that it was given, its number is in its name,
and the study of Optuna is made anew from them for each suggestion. So a kill at any line loses no trial and makes none
twice.
"""
