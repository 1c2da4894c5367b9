"""Neural Topic Model (`ntm`): the topics of a corpus, by a variational autoencoder."""

from typing import Any

from clary.algorithms.hyperparameters import Hyperparameter, Interval
from clary.algorithms.kit.base import Model, RowAlgorithm
from clary.algorithms.kit.channels import CSV, Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.parameters import AUTO, boolean, category, continuous, integer

OPTIMIZERS = ("sgd", "adam", "adagrad", "adadelta", "rmsprop")
TEXT = "text/plain"
"""Of the vocabulary, a word a line."""


class _Layers:
    def __contains__(self, value: object) -> bool:
        return value == AUTO or (isinstance(value, int) and value > 0)

    def __str__(self) -> str:
        return "'auto' or a list of numbers above 0"


def _read_layers(given: str) -> Any:
    """`[100, 50]` as the SDK sends it, `100,50` as the guide has it."""
    return AUTO if given == AUTO else [int(part) for part in given.strip("[] ").split(",")]


class NeuralTopicModel(RowAlgorithm):
    """With the hyperparameters of docs.aws.amazon.com/sagemaker/latest/dg/ntm_hyperparameters.html."""

    name = "ntm"
    hyperparameters = (
        integer("feature_dim", Interval(1, 1_000_000), required=True),
        integer("num_topics", Interval(2, 1000), required=True),
        boolean("batch_norm", default=False),
        continuous("clip_gradient", Interval(1e-3)),
        Hyperparameter("encoder_layers", _read_layers, _Layers(), default=AUTO),
        category("encoder_layers_activation", "sigmoid", "tanh", "relu", default="sigmoid"),
        integer("epochs", Interval(1), default=50),
        continuous("learning_rate", Interval(1e-6, 1), default=0.001),
        integer("mini_batch_size", Interval(1, 10_000), default=256),
        integer("num_patience_epochs", Interval(1), default=3),
        category("optimizer", *OPTIMIZERS, default="adadelta"),
        continuous("rescale_gradient", Interval(1e-3, 1), default=1.0),
        continuous("sub_sample", Interval(0, 1, low_open=True), default=1.0),
        continuous("tolerance", Interval(1e-6, 0.1), default=0.001),
        continuous("weight_decay", Interval(0, 1), default=0.0),
    )
    channels = (Takes("train", required=True), Takes("validation"), Takes("test"), Takes("auxiliary", (TEXT, CSV)))

    def train(self, job: Job) -> None:
        from clary.algorithms.ntm.topics import print_topics
        from clary.algorithms.ntm.training import Training
        from clary.algorithms.ntm.vocabulary import read_vocabulary

        vocabulary = read_vocabulary(job.channels.get("auxiliary"), job.parameters["feature_dim"])
        training = Training(job)
        training.run()
        if job.team.leads:
            print_topics(training.network.topic_words().detach().numpy(), vocabulary)
            training.network.save(job.model_directory)

    def load(self, directory: str) -> Model:
        from clary.algorithms.ntm.network import Network

        return Network.load(directory)


ALGORITHM = NeuralTopicModel()
