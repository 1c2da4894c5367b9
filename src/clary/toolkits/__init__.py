"""What is inside a framework image: script-mode training and model serving by the SageMaker container
contract.

These programs see `/opt/ml` and environment variables, nothing else. Their start-up time is every job's
start-up time, so the modules on the way to the user's script import the standard library's light half only,
and a framework is imported where it is used.
"""
