"""The UCI abalone data (Nash et al. 1994, CC BY 4.0), in the forms that XGBoost on SageMaker reads."""

from pathlib import Path

FILE = Path(__file__).parents[2] / "examples/data/abalone.csv"
SEX = {"M": "0", "F": "1", "I": "2"}


def rows() -> list[list[str]]:
    """Rings, which are to be predicted, then sex and seven measures."""
    fields = [line.split(",") for line in FILE.read_text().split()]
    return [[row[-1], SEX[row[0]], *row[1:-1]] for row in fields]


def split() -> tuple[list[list[str]], list[list[str]]]:
    """Four fifths to learn from, every fifth row held out."""
    every = rows()
    return [row for n, row in enumerate(every) if n % 5], every[::5]


def as_csv(table: list[list[str]]) -> str:
    return "".join(",".join(row) + "\n" for row in table)


def as_libsvm(table: list[list[str]]) -> str:
    return "".join(
        f"{row[0]} " + " ".join(f"{index}:{value}" for index, value in enumerate(row[1:])) + "\n" for row in table
    )
