"""A trained model and its files: hyperparameters and vocabularies as JSON, and the network's weights."""

import json
import os
from dataclasses import dataclass
from typing import Any

import torch

from clary.algorithms.kit.device import device
from clary.algorithms.kit.ragged import Numbers, Ragged
from clary.algorithms.kit.weights import save_weights
from clary.algorithms.seq2seq.network import Network
from clary.algorithms.seq2seq.search import Found, translate
from clary.algorithms.seq2seq.sentences import FILES, PAD, Vocabulary

WEIGHTS, SETTINGS = "model.pt", "model.json"
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Model:
    given: dict[str, Any]
    """The job's hyperparameters."""
    network: Network
    source: Vocabulary
    target: Vocabulary

    @classmethod
    def build(cls, given: dict[str, Any], source: Vocabulary, target: Vocabulary) -> "Model":
        return cls(given, Network(given, len(source), len(target)).to(device()), source, target)

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def save(self, directory: str) -> None:
        save_weights(self.network.state_dict(), os.path.join(directory, WEIGHTS))
        contents = {SETTINGS: self.given, FILES[0]: self.source.numbers, FILES[1]: self.target.numbers}
        for name, content in contents.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False)

    @classmethod
    def load(cls, directory: str) -> "Model":
        with open(os.path.join(directory, SETTINGS), encoding="utf-8") as file:
            given = json.load(file)
        source, target = (Vocabulary.read(os.path.join(directory, name)) for name in FILES)
        model = cls.build(given, source, target)
        model.network.load_state_dict(torch.load(os.path.join(directory, WEIGHTS), model.device))
        return model

    def translate(self, sentences: list[Numbers]) -> list[Found]:
        """Of sentences that have words at all."""
        longest = self.given["max_seq_len_source"]
        ragged = Ragged.of(sentence[:longest] for sentence in sentences)
        # Of like length together, so that short ones do not wait for long ones.
        order = ragged.lengths.argsort(kind="stable")
        found: dict[int, Found] = {}
        for at in range(0, len(order), AT_ONCE):
            part = order[at : at + AT_ONCE]
            source = torch.from_numpy(ragged.padded(part, PAD)).to(self.device)
            told = translate(self.network, source, self.given["beam_size"], self.given["max_seq_len_target"])
            found.update(zip(part.tolist(), told, strict=True))
        return [found[number] for number in range(len(sentences))]
