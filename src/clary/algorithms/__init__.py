"""What is inside a built-in algorithm's image: one package each, on the field's reference library.

What they share stands beside them: errors, and hyperparameters that are checked as documented.
"""
