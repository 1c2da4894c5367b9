"""Text classification: trained by fastText, with early stopping by the accuracy on the channel `validation`."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clary.algorithms.blazingtext.engine import Progress, Run, Settings, accuracy

Say = Callable[[str], None]


def settings_of(corpus: str, given: dict[str, Any], threads: int) -> Settings:
    return Settings(
        corpus=corpus,
        mode="supervised",
        dimension=given["vector_dim"],
        epochs=given["epochs"],
        learning_rate=given["learning_rate"],
        min_count=given["min_count"],
        threads=threads,
        buckets=given["buckets"],
        word_ngrams=given["word_ngrams"],
    )


@dataclass
class Patience:
    """Looks at the model at the end of each epoch, keeps the best in `path`, and says when it is no use to go on."""

    run: Run
    validation: str
    path: str
    epochs: int
    min_epochs: int
    patience: int
    say: Say
    best: float = -1.0
    best_epoch: int = 0
    looked: int = 0

    def ended(self, progress: Progress) -> bool:
        epoch = int(progress.share * self.epochs)
        if epoch <= self.looked:
            return False
        self.look(epoch)
        waited = epoch - self.best_epoch
        if epoch < self.min_epochs or waited < self.patience:
            return False
        self.say(f"Validation accuracy did not improve for {waited} epochs. Early stopping!")
        return True

    def look(self, epoch: int) -> None:
        self.looked = epoch
        found = accuracy(self.run.model, self.validation)[1]
        self.say(f"-------------- End of epoch: {epoch}\nValidation accuracy: {found:.6f}")
        if found > self.best:
            self.say("Validation accuracy improved! Storing best weights...")
            self.best, self.best_epoch = found, epoch
            self.run.model.saveModel(f"{self.path}.part")
            os.replace(f"{self.path}.part", self.path)
