"""Train a PyTorch model on two instances by DistributedDataParallel, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python pytorch_ddp.py

`torch_distributed` starts `torchrun` on both instances. The first run installs the image's PyTorch.
"""

import argparse
from pathlib import Path

import sagemaker
from sagemaker.pytorch import PyTorch
from two_instances import load, upload

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument(
        "--image", default="763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.13.0-cpu-py311"
    )
    arguments = parser.parse_args()

    session = sagemaker.Session()
    train, _ = load(arguments.data)
    estimator = PyTorch(
        entry_point="ddp.py",
        source_dir=str(HERE / "source"),
        image_uri=arguments.image,
        instance_type="ml.c5.xlarge",
        instance_count=2,
        distribution={"torch_distributed": {"enabled": True}},
        role=arguments.role,
        hyperparameters={"epochs": 20},
        base_job_name="ddp-abalone",
        sagemaker_session=session,
    )
    estimator.fit({"train": upload(session, train, "FullyReplicated")}, wait=True, logs="All")
    print(f"trained: {estimator.model_data}")


if __name__ == "__main__":
    main()
