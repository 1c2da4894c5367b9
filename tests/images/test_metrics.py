"""AWS's definitions of metrics find what AWS's own algorithms print, each line by what it tells and by nothing else."""

import re

import pytest

from clary.images.algorithms import ALGORITHMS

BY_NAME = {algorithm.name: algorithm.metrics for algorithm in ALGORITHMS}
HOST = "[07/01/2024 19:50:55 INFO 139723470354240] #quality_metric: host=algo-1, "


@pytest.mark.parametrize(
    ("algorithm", "line", "found"),
    [
        ("linear-learner", "epoch=0, validation mse_objective <loss>=88.19", {"validation:objective_loss": 88.19}),
        ("linear-learner", "epoch=0, train absolute_loss_objective <loss>=2.5", {"train:objective_loss": 2.5}),
        ("linear-learner", "validation multiclass_cross_entropy_objective <loss>=0.177",
         {"validation:objective_loss:final": 0.177}),
        ("linear-learner", "validation multiclass_top_k_accuracy_3 <score>=1.0",
         {"validation:multiclass_top_k_accuracy": 1.0}),
        ("linear-learner", "validation macro_f_1.000 <score>=0.914", {"validation:macro_f_beta": 0.914}),
        ("linear-learner", "validation macro_recall <score>=0.927", {"validation:macro_recall": 0.927}),
        ("linear-learner", "test recall <score>=0.5", {"test:recall": 0.5}),
        ("linear-learner", "validation mse <loss>=13.7226685169", {"validation:mse": 13.7226685169}),
        ("factorization-machines", "test binary_f_1.000 <score>=0.9", {"test:binary_f_beta": 0.9}),
        ("factorization-machines", "epoch=0, batch=0 train rmse <loss>=1.5", {"train:rmse": 1.5}),
        ("factorization-machines", "epoch=0, train rmse <loss>=1.5", {"train:rmse:epoch": 1.5}),
        ("ipinsights", "epoch=0, batch=1000 train binary_classification_accuracy <score>=0.7",
         {"train:binary_classification_accuracy": 0.7}),
        ("ipinsights", "epoch=4, train binary_classification_cross_entropy <loss>=0.3",
         {"train:binary_classification_cross_entropy:epoch": 0.3}),
        ("ipinsights", "epoch=4, validation discriminator_auc <score>=0.99", {"validation:discriminator_auc": 0.99}),
        ("object2vec", "epoch=1, train accuracy <score>=0.6", {"train:accuracy": 0.6}),
        ("object2vec", "test mean_squared_error <loss>=0.6", {"test:mean_squared_error": 0.6}),
        ("forecasting-deepar", "epoch=0, batch=0 train loss <loss>=14.23", {"train:loss:batch": 14.23}),
        ("forecasting-deepar", "epoch=0, train loss <loss>=14.23", {"train:loss": 14.23}),
        ("forecasting-deepar", "train final_loss <loss>=3.61", {"train:final_loss": 3.61}),
        ("forecasting-deepar", "test mean_wQuantileLoss <loss>=0.0028", {"test:mean_wQuantileLoss": 0.0028}),
        ("object-detection", "epoch=0, batch=9 train smooth_l1 <loss>=0.7", {"train:smooth_l1": 0.7}),
        ("object-detection", "epoch=0, validation mAP <score>=(0.25)", {"validation:mAP": 0.25}),
        ("kmeans", "train msd <loss>=0.0657843798399", {"train:msd": 0.0657843798399}),
    ],
)  # fmt: skip
def test_a_line_tells_one_metric(algorithm: str, line: str, found: dict[str, float]) -> None:
    matches = {name: re.search(regex, HOST + line) for name, regex in BY_NAME[algorithm]}
    assert {name: float(match[1]) for name, match in matches.items() if match} == found


def test_speed_progress_and_pictures_are_told_in_lines_of_their_own() -> None:
    lines = {
        "train:progress": ("pca", "#progress_metric: host=algo-1, completed 6 % of epochs", 6),
        "train:throughput": ("pca", "#throughput_metric: host=algo-1, train throughput=1.5e3 records/second", 1500),
        "validation:accuracy": ("image-classification", "Epoch[0] Validation-accuracy=0.605859", 0.605859),
        "train:accuracy:epoch": ("image-classification", "Epoch[3] Train-accuracy=0.5", 0.5),
    }
    for name, (algorithm, line, value) in lines.items():
        match = re.search(dict(BY_NAME[algorithm])[name], line)
        assert match is not None
        assert float(match[1]) == value
    batch = "Epoch[0] Batch [20]\tSpeed: 111.811 samples/sec\taccuracy=0.452381"
    assert re.findall(dict(BY_NAME["image-classification"])["train:accuracy"], batch) == ["0.452381"]


@pytest.mark.parametrize("algorithm", BY_NAME)
def test_there_are_no_more_than_a_job_may_have(algorithm: str) -> None:
    names = [name for name, _ in BY_NAME[algorithm]]
    assert len(names) == len(set(names)) <= 40
