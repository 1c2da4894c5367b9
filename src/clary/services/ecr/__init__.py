"""Amazon ECR: repositories of container images, which `clary.registry` keeps.

    boto3, aws ecr ─▶ api.py (repositories, log-in), settings.py, images.py, layers.py ──────┐
    docker, podman, skopeo ─▶ services/distribution ─▶ repositories.py, pushing.py ──────────┴─▶ registry
    a job whose image is one of them ─▶ lookup.py

A repository is a record; its policy is kept and returned, and asked by nobody. Its lifecycle policy is acted on
(`lifecycle.py`). Nothing is scanned, replicated or pulled through from elsewhere.
"""

from clary.control.operations import Operations

operation = Operations("ecr")
