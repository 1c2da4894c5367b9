"""Processing jobs: a program over data from S3, whose output directories go back there."""
