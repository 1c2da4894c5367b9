"""What an ML instance type promises: vCPUs, memory and GPUs.

Facts from AWS's public EC2 and SageMaker instance tables. Most families give a fixed amount of memory for each
vCPU, and a size's name tells its vCPUs (`large` is 2, `4xlarge` is 16); only the others are listed one by one.
"""

from dataclasses import dataclass

GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class InstanceType:
    name: str
    vcpus: int
    memory: int
    """Bytes."""
    gpus: int = 0


GIB_PER_VCPU = {
    "c4": 1.875,
    "c5n": 2.625,
    **dict.fromkeys(["c5", "c5d", "c6g", "c6gd", "c6gn", "c6i", "c6id", "c6in", "c7g", "c7i", "c7i-flex"], 2.0),
    **dict.fromkeys(["c8g", "c8i", "c8i-flex"], 2.0),
    **dict.fromkeys(["m4", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m7i", "m7i-flex"], 4.0),
    **dict.fromkeys(["m8g", "m8i", "m8i-flex"], 4.0),
    **dict.fromkeys(["r5", "r5d", "r6g", "r6gd", "r6i", "r6id", "r7gd", "r7i", "r8g", "r8i", "r8i-flex"], 8.0),
}

# name: (vCPUs, memory in GiB, GPUs). Accelerators that are not GPUs (Inferentia, Trainium, Gaudi) count as none.
LISTED = {
    "t2.medium": (2, 4, 0),
    "t2.large": (2, 8, 0),
    "t2.xlarge": (4, 16, 0),
    "t2.2xlarge": (8, 32, 0),
    "t3.medium": (2, 4, 0),
    "t3.large": (2, 8, 0),
    "t3.xlarge": (4, 16, 0),
    "t3.2xlarge": (8, 32, 0),
    "g4dn.xlarge": (4, 16, 1),
    "g4dn.2xlarge": (8, 32, 1),
    "g4dn.4xlarge": (16, 64, 1),
    "g4dn.8xlarge": (32, 128, 1),
    "g4dn.12xlarge": (48, 192, 4),
    "g4dn.16xlarge": (64, 256, 1),
    "g5.xlarge": (4, 16, 1),
    "g5.2xlarge": (8, 32, 1),
    "g5.4xlarge": (16, 64, 1),
    "g5.8xlarge": (32, 128, 1),
    "g5.12xlarge": (48, 192, 4),
    "g5.16xlarge": (64, 256, 1),
    "g5.24xlarge": (96, 384, 4),
    "g5.48xlarge": (192, 768, 8),
    "g6.xlarge": (4, 16, 1),
    "g6.2xlarge": (8, 32, 1),
    "g6.4xlarge": (16, 64, 1),
    "g6.8xlarge": (32, 128, 1),
    "g6.12xlarge": (48, 192, 4),
    "g6.16xlarge": (64, 256, 1),
    "g6.24xlarge": (96, 384, 4),
    "g6.48xlarge": (192, 768, 8),
    "g6e.xlarge": (4, 32, 1),
    "g6e.2xlarge": (8, 64, 1),
    "g6e.4xlarge": (16, 128, 1),
    "g6e.8xlarge": (32, 256, 1),
    "g6e.12xlarge": (48, 384, 4),
    "g6e.16xlarge": (64, 512, 1),
    "g6e.24xlarge": (96, 768, 4),
    "g6e.48xlarge": (192, 1536, 8),
    "g7.2xlarge": (8, 64, 1),
    "g7.4xlarge": (16, 128, 1),
    "g7.8xlarge": (32, 256, 1),
    "g7.12xlarge": (48, 512, 2),
    "g7.24xlarge": (96, 1024, 4),
    "g7.48xlarge": (192, 2048, 8),
    "g7e.2xlarge": (8, 64, 1),
    "g7e.4xlarge": (16, 128, 1),
    "g7e.8xlarge": (32, 256, 1),
    "g7e.12xlarge": (48, 512, 2),
    "g7e.24xlarge": (96, 1024, 4),
    "g7e.48xlarge": (192, 2048, 8),
    "p2.xlarge": (4, 61, 1),
    "p2.8xlarge": (32, 488, 8),
    "p2.16xlarge": (64, 732, 16),
    "p3.2xlarge": (8, 61, 1),
    "p3.8xlarge": (32, 244, 4),
    "p3.16xlarge": (64, 488, 8),
    "p3dn.24xlarge": (96, 768, 8),
    "p4d.24xlarge": (96, 1152, 8),
    "p4de.24xlarge": (96, 1152, 8),
    "p5.4xlarge": (16, 256, 1),
    "p5.48xlarge": (192, 2048, 8),
    "p5e.48xlarge": (192, 2048, 8),
    "p5en.48xlarge": (192, 2048, 8),
    "p6-b200.48xlarge": (192, 2048, 8),
    "p6-b300.48xlarge": (192, 4096, 8),
    "p6e-gb200.36xlarge": (144, 960, 4),
    "dl1.24xlarge": (96, 768, 0),
    "inf1.xlarge": (4, 8, 0),
    "inf1.2xlarge": (8, 16, 0),
    "inf1.6xlarge": (24, 48, 0),
    "inf1.24xlarge": (96, 192, 0),
    "inf2.xlarge": (4, 16, 0),
    "inf2.8xlarge": (32, 128, 0),
    "inf2.24xlarge": (96, 384, 0),
    "inf2.48xlarge": (192, 768, 0),
    "trn1.2xlarge": (8, 32, 0),
    "trn1.32xlarge": (128, 512, 0),
    "trn1n.32xlarge": (128, 512, 0),
    "trn2.48xlarge": (192, 2048, 0),
}


def instance_type(name: str) -> InstanceType:
    """The instance type of a name such as `ml.m5.xlarge`; raises `KeyError` for one that is not known."""
    family_and_size = name.removeprefix("ml.")
    if family_and_size in LISTED:
        vcpus, gib, gpus = LISTED[family_and_size]
        return InstanceType(name, vcpus, gib * GIB, gpus)
    family, _, size = family_and_size.partition(".")
    vcpus = _vcpus(size)
    return InstanceType(name, vcpus, int(vcpus * GIB_PER_VCPU[family] * GIB))


def _vcpus(size: str) -> int:
    """`medium` 1, `large` 2, `xlarge` 4, `<n>xlarge` 4n; raises `KeyError` for any other."""
    small = {"medium": 1, "large": 2, "xlarge": 4}
    if size in small:
        return small[size]
    multiple = size.removesuffix("xlarge")
    if multiple == size or not multiple.isdigit():
        raise KeyError(size)
    return 4 * int(multiple)
