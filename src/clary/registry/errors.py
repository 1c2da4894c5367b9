"""What can be wrong with a use of the registry. The services that speak of it turn these into their own errors."""


class RegistryError(Exception):
    """The message says what was wrong, and with which value."""


class UploadUnknown(RegistryError):
    """There is no such upload to that repository: never begun, completed, cancelled or given up."""


class BlobUnknown(RegistryError):
    """The repository has no such blob."""


class BlobInUse(RegistryError):
    """An image of the repository names the blob."""


class DigestInvalid(RegistryError):
    """Not a digest that is understood, or not that of the bytes that came."""


class ManifestInvalid(RegistryError):
    """Not a manifest of a format that is understood."""


class BlobsMissing(RegistryError):
    """A manifest names blobs that its repository does not have."""

    def __init__(self, digests: list[str]) -> None:
        super().__init__(f"the repository has no blob {', '.join(digests)}")
        self.digests = digests


class ImagesMissing(BlobsMissing):
    """An index names images that its repository does not have."""


class ImageUnknown(RegistryError):
    """The repository has no image of that tag or digest."""


class ImageInUse(RegistryError):
    """An index of the repository names the image."""


class ImageExists(RegistryError):
    """The same image is there already, with the same tag."""


class TagImmutable(RegistryError):
    """The tag names another image, and tags of the repository do not move."""
