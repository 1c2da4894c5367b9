"""What the benchmarks run beside Clary, in an environment of its own (`make bench-environment`).

Each module is a program for that environment's interpreter and imports nothing of Clary's. It prints `port N` when
it is ready and serves until SIGTERM, or prints its measurements as one line of JSON and ends.
"""
