"""The network: words become vectors, an encoder reads the source, a decoder tells each next word of the target.

    source ─▶ embedding ─▶ encoder ─▶ what is seen ─┐
    target so far ─▶ embedding ─▶ decoder ◀─────────┘ ─▶ chances of the next word

Encoders and decoders are `recurrent` or `convolutional`, and go with each other.
"""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from clary.algorithms.seq2seq.attention import Seen, State
from clary.algorithms.seq2seq.convolutional import ConvolutionalDecoder, ConvolutionalEncoder
from clary.algorithms.seq2seq.recurrent import RecurrentDecoder, RecurrentEncoder
from clary.algorithms.seq2seq.sentences import PAD

Encoder = RecurrentEncoder | ConvolutionalEncoder
Decoder = RecurrentDecoder | ConvolutionalDecoder
ENCODERS: Mapping[str, type[Encoder]] = {
    "rnn": RecurrentEncoder,
    "cnn": ConvolutionalEncoder,
}
DECODERS: Mapping[str, type[Decoder]] = {
    "rnn": RecurrentDecoder,
    "cnn": ConvolutionalDecoder,
}


class Network(nn.Module):  # type: ignore[misc]
    """Sentences are (batch, words), padded with PAD on the right, and have words."""

    def __init__(self, given: Mapping[str, Any], source_words: int, target_words: int) -> None:
        """`given` are the job's hyperparameters."""
        super().__init__()
        self.source = nn.Embedding(source_words, given["num_embed_source"], padding_idx=PAD)
        self.target = nn.Embedding(target_words, given["num_embed_target"], padding_idx=PAD)
        self.source_dropout = nn.Dropout(given["embed_dropout_source"])
        self.target_dropout = nn.Dropout(given["embed_dropout_target"])
        self.encoder = ENCODERS[given["encoder_type"]](given)
        self.decoder = DECODERS[given["decoder_type"]](given)
        widths = self.encoder.width, self.decoder.width
        self.bridge = nn.Identity() if widths[0] == widths[1] else nn.Linear(*widths, bias=False)
        self.words = nn.Linear(self.decoder.width, target_words)

    def encode(self, source: Tensor) -> tuple[Seen, State]:
        """What is seen of the sentences, and the decoder's first state."""
        known = source != PAD
        read = self.bridge(self.encoder(self.source_dropout(self.source(source)), known))
        seen = Seen(read, self.decoder.keys(read), known)
        return seen, self.decoder.begin(seen)

    def decode(self, words: Tensor, seen: Seen, state: State) -> tuple[Tensor, Tensor, State]:
        """Of each word of the target what comes next (logits), where it attended to, and the state after the last."""
        hidden, attended, state = self.decoder(self.target_dropout(self.target(words)), seen, state)
        return self.words(hidden), attended, state

    def initialise(self, kind: str, scale: float, factor: str) -> None:
        """As MXNet's initialisers of these names do, which AWS's hyperparameters are of."""
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2 or name in ("source.weight", "target.weight"):
                continue
            reach = math.prod(parameter.shape[2:])
            out, within = (units * reach for units in parameter.shape[:2])
            units = {"in": within, "out": out, "avg": (within + out) / 2}[factor]
            bound = abs(scale) if kind == "uniform" else math.sqrt(abs(scale) / units)
            nn.init.uniform_(parameter, -bound, bound)
