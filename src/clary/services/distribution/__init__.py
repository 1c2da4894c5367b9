"""What container tools speak with a registry: the OCI distribution specification 1.1, at `/v2/`.

    docker push ─▶ POST, PATCH, PUT …/blobs/uploads/ ─▶ uploads.py ─▶ registry.uploads ─▶ the object store
                ─▶ PUT …/manifests/<tag> ─▶ manifests.py ─▶ services/ecr/pushing.py
    docker pull ─▶ GET …/manifests/, …/blobs/ ─▶ manifests.py, blobs.py

Its repositories are ECR's, so one that was not created is unknown, also to who pushes. Beyond the specification:
Docker's catalog, and Docker's headers that its clients look for.
"""

from clary.control.operations import Operations

operation = Operations("distribution")
