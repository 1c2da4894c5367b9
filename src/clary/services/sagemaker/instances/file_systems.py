"""File systems of EFS and FSx for Lustre: local directories that the setting `file_systems` registers by their ids."""

from typing import Any

from clary.control.house import House
from clary.instance.data.mounts import unable
from clary.instance.spec import Mount
from clary.services.sagemaker.errors import JobError


def file_system_mount(house: House, source: dict[str, Any]) -> Mount:
    """Of a `FileSystemDataSource`. Raises `JobError` where nobody registered it."""
    name, directory = source["FileSystemId"], source["DirectoryPath"]
    root = house.settings.file_system_paths.get(name)
    if root is None:
        why = f"There is no file system {name}: register one by CLARY_FILE_SYSTEMS={name}=/path/of/a/directory."
        raise JobError(unable(name, directory, why))
    return Mount(name, root, directory, source["FileSystemAccessMode"] == "rw")
