"""A trained model and its files: sizes and vocabularies as JSON, and the network's weights."""

import json
import os
from dataclasses import asdict, dataclass

import torch

from clary.algorithms.kit.device import device
from clary.algorithms.seq2seq.network import Network, Sizes
from clary.algorithms.seq2seq.search import Found, translate
from clary.algorithms.seq2seq.sentences import FILES, PAD, Numbers, Vocabulary

WEIGHTS, SETTINGS = "model.pt", "model.json"
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Model:
    network: Network
    source: Vocabulary
    target: Vocabulary
    longest: int
    """Words of a translation."""
    beam: int
    longest_source: int

    @property
    def device(self) -> torch.device:
        return next(self.network.parameters()).device

    def save(self, directory: str) -> None:
        torch.save(self.network.state_dict(), os.path.join(directory, WEIGHTS))
        settings = {"longest": self.longest, "beam": self.beam, "longest_source": self.longest_source}
        contents = {
            SETTINGS: settings | {"sizes": asdict(self.network.sizes)},
            FILES[0]: self.source.numbers,
            FILES[1]: self.target.numbers,
        }
        for name, content in contents.items():
            with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
                json.dump(content, file, ensure_ascii=False)

    @classmethod
    def load(cls, directory: str) -> "Model":
        with open(os.path.join(directory, SETTINGS), encoding="utf-8") as file:
            settings = json.load(file)
        network = Network(Sizes(**settings.pop("sizes"))).to(device())
        network.load_state_dict(torch.load(os.path.join(directory, WEIGHTS), device()))
        source, target = (Vocabulary.read(os.path.join(directory, name)) for name in FILES)
        return cls(network, source, target, **settings)

    def translate(self, sentences: list[Numbers]) -> list[Found]:
        """Of sentences that have words at all."""
        found: list[Found] = []
        for at in range(0, len(sentences), AT_ONCE):
            part = [sentence[: self.longest_source] for sentence in sentences[at : at + AT_ONCE]]
            found += translate(self.network, padded(part).to(self.device), self.beam, self.longest)
        return found


def padded(sentences: list[Numbers]) -> torch.Tensor:
    return torch.nn.utils.rnn.pad_sequence(
        [torch.as_tensor(sentence) for sentence in sentences], batch_first=True, padding_value=PAD
    )
