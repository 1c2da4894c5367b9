"""The documented hyperparameters of Sequence-to-Sequence.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/seq-2-seq-hyperparameters.html.
"""

from collections.abc import Mapping
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.parameters import boolean, category, continuous, integer

ANY = Interval()
SHARE = Interval(0, 1)
POSITIVE = Interval(0, low_open=True)


def _even(units: int, _given: Mapping[str, Any]) -> None:
    if units % 2:
        raise UserError(f"rnn_num_hidden is {units}, and must be a multiple of 2: the encoder reads both ways.")


HYPERPARAMETERS = (
    integer("max_seq_len_source", default=100),
    integer("max_seq_len_target", default=100),
    category("encoder_type", "rnn", "cnn", default="rnn"),
    category("decoder_type", "rnn", "cnn", default="rnn"),
    integer("num_layers_encoder", default=1),
    integer("num_layers_decoder", default=1),
    integer("rnn_num_hidden", default=1024, check=_even),
    category("rnn_cell_type", "lstm", "gru", default="lstm"),
    category("rnn_decoder_state_init", "last", "avg", "zero", default="last"),
    boolean("rnn_residual_connections", default=False),
    integer("rnn_first_residual_layer", default=2),
    integer("cnn_kernel_width_encoder", default=3),
    integer("cnn_kernel_width_decoder", default=5),
    integer("cnn_num_hidden", default=512),
    category("cnn_activation_type", "glu", "relu", "softrelu", "sigmoid", "tanh", default="glu"),
    continuous("cnn_hidden_dropout", SHARE, default=0.0),
    integer("num_embed_source", default=512),
    integer("num_embed_target", default=512),
    continuous("embed_dropout_source", SHARE, default=0.0),
    continuous("embed_dropout_target", SHARE, default=0.0),
    category("rnn_attention_type", "dot", "fixed", "mlp", "bilinear", default="mlp"),
    integer("rnn_attention_num_hidden"),
    boolean("rnn_attention_in_upper_layers", default=True),
    continuous("rnn_decoder_hidden_dropout", SHARE, default=0.0),
    integer("batch_size", default=64),
    boolean("bucketing_enabled", default=True),
    integer("bucket_width", default=10),
    category("loss_type", "cross-entropy", default="cross-entropy"),
    category("training_metric", "perplexity", "accuracy", default="perplexity"),
    category("optimized_metric", "perplexity", "accuracy", "bleu", default="perplexity"),
    integer("bleu_sample_size", Interval(-1), default=0),
    integer("max_num_batches", Interval(-1), default=-1),
    integer("checkpoint_frequency_num_batches", default=1000),
    integer("checkpoint_threshold", default=3),
    integer("max_num_epochs"),
    category("optimizer_type", "adam", "sgd", "rmsprop", default="adam"),
    category("weight_init_type", "uniform", "xavier", default="xavier"),
    continuous("weight_init_scale", ANY, default=2.34),
    category("xavier_factor_type", "in", "out", "avg", default="in"),
    continuous("learning_rate", POSITIVE, default=0.0003),
    continuous("weight_decay", Interval(0), default=0.0),
    continuous("momentum", SHARE),
    continuous("clip_gradient", ANY, default=1.0),
    category(
        "lr_scheduler_type", "plateau_reduce", "fixed_rate_inv_t", "fixed_rate_inv_sqrt_t", default="plateau_reduce"
    ),
    continuous("plateau_reduce_lr_factor", Interval(0, 1, low_open=True), default=0.5),
    integer("plateau_reduce_lr_threshold", default=3),
    integer("fixed_rate_lr_half_life", default=10),
    integer("beam_size", default=5),
)
