"""The network of DeepAR: an LSTM over lagged values, whose state says how the next value is distributed.

Salinas et al., DeepAR: Probabilistic Forecasting with Autoregressive Recurrent Networks, https://arxiv.org/abs/1704.04110.
Values are divided by the mean of the series' context, of which the network is told the logarithm.
"""

import torch
from torch import Tensor, nn
from torch.distributions import Beta, Distribution, NegativeBinomial, Normal, StudentT
from torch.nn.functional import softplus

PARAMETERS = {"gaussian": 2, "beta": 2, "negative-binomial": 2, "student-t": 3, "deterministic-l1": 1}
"""Numbers that describe a distribution."""
LEAST = 1e-6


class Network(nn.Module):  # type: ignore[misc]
    """Inputs are (batch, steps, inputs); see `windows` for what they hold."""

    def __init__(
        self,
        *,
        lags: int,
        features: int,
        cardinality: tuple[int, ...],
        embedding_dimension: int,
        cells: int,
        layers: int,
        dropout: float,
        likelihood: str,
    ) -> None:
        super().__init__()
        self.likelihood = likelihood
        self.embeddings = nn.ModuleList(nn.Embedding(count, embedding_dimension) for count in cardinality)
        width = lags + features + 1 + embedding_dimension * len(cardinality)
        self.lstm = nn.LSTM(width, cells, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        # Between the layers; behind the last one it would blur what is forecast.
        self.dropout = nn.Dropout(dropout if layers == 1 else 0.0)
        self.head = nn.Linear(cells, PARAMETERS[likelihood])

    def static(self, scale: Tensor, categories: Tensor) -> Tensor:
        """(batch, …): what does not change from step to step."""
        embedded = [embedding(categories[:, index]) for index, embedding in enumerate(self.embeddings)]
        return torch.cat([scale.log().unsqueeze(1), *embedded], dim=1)

    def forward(
        self, lagged: Tensor, features: Tensor, static: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """The parameters of each step's distribution, and the state after the last."""
        steps = lagged.shape[1]
        inputs = torch.cat([lagged, features, static.unsqueeze(1).expand(-1, steps, -1)], dim=2)
        hidden, state = self.lstm(inputs, state)
        return self.head(self.dropout(hidden)), state

    def loss(self, parameters: Tensor, target: Tensor, scale: Tensor) -> Tensor:
        """Of each value, its negative log-likelihood (the absolute error for deterministic-L1)."""
        if self.likelihood == "deterministic-l1":
            return (parameters[..., 0] * scale - target).abs()
        if self.likelihood == "beta":
            target = target.clamp(LEAST, 1 - LEAST)
        return -self.distribution(parameters, scale).log_prob(target)

    def sample(self, parameters: Tensor, scale: Tensor) -> Tensor:
        if self.likelihood == "deterministic-l1":
            return parameters[..., 0] * scale
        return self.distribution(parameters, scale).sample()

    def distribution(self, parameters: Tensor, scale: Tensor) -> Distribution:
        first = parameters[..., 0]
        spread = softplus(parameters[..., 1]) + LEAST
        match self.likelihood:
            case "gaussian":
                return Normal(first * scale, spread * scale)
            case "student-t":
                return StudentT(2 + softplus(parameters[..., 2]), first * scale, spread * scale)
            case "beta":
                return Beta(softplus(first) + LEAST, spread)
        mean = (softplus(first) + LEAST) * scale
        shape = spread / scale.sqrt()
        return NegativeBinomial(1 / shape, logits=(mean * shape).log(), validate_args=False)
