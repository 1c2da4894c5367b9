"""What a registry of container images holds: images and their tags, blobs, and blobs that are half sent.

    uploads.py  <state>/registry/uploads/<id>, as far as it was sent
       └─ finish: digest right? ─▶ objects.adopt ─▶ blobs.py: a repository has the blob
    manifests.py  a manifest's bytes, read ─▶ images.py: an image that names blobs or other images, and its tags

A repository is known by the id of its record; what it is called and may do is `services/ecr`'s. A blob lies once in the
object store, whatever number of repositories have it. `sweep.py` removes what nobody names any more.
"""
