"""Access policies as AWS writes them: read, and asked what they say of one call. Pure functions on documents.

    text ─▶ read (document.py) ─▶ Policy ─▶ judge (judging.py): DENY, ALLOW or NEUTRAL for a Question
                                     └────▶ is_public (public.py)

Source: "IAM JSON policy element reference" and "Policy evaluation logic" in the IAM User Guide.
"""
