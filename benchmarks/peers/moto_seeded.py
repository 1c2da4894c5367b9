"""moto's server with COUNT finished training jobs in it.

python moto_seeded.py COUNT
"""

import logging
import signal
import sys

from moto.sagemaker.models import sagemaker_backends
from moto.server import ThreadedMotoServer

ACCOUNT, REGION = "123456789012", "us-east-1"


def seed(count: int) -> None:
    backend = sagemaker_backends[ACCOUNT][REGION]
    for number in range(count):
        backend.create_training_job(
            training_job_name=f"job-{number:06d}",
            hyper_parameters={"num_round": "2"},
            algorithm_specification={"TrainingImage": "image", "TrainingInputMode": "File"},
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/SageMakerRole",
            input_data_config=[],
            output_data_config={"S3OutputPath": "s3://bucket/output"},
            resource_config={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            stopping_condition={"MaxRuntimeInSeconds": 60},
            vpc_config=None,
            tags=[],
            enable_network_isolation=False,
            enable_inter_container_traffic_encryption=False,
            enable_managed_spot_training=False,
            checkpoint_config=None,
            debug_hook_config=None,
            debug_rule_configurations=None,
            tensor_board_output_config=None,
            experiment_config=None,
        )


def main(count: int) -> None:
    seed(count)
    logging.getLogger("werkzeug").disabled = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(f"port {server.get_host_and_port()[1]}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(int(sys.argv[1]))
