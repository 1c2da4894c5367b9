"""Wall time of `ray job submit` for one script, from submission to the status SUCCEEDED, on a running local Ray.

python ray_jobs.py SCRIPT COUNT        prints the seconds of each as a JSON list
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from ray.job_submission import JobStatus, JobSubmissionClient

RAY = str(Path(sys.executable).with_name("ray"))
ADDRESS = "http://127.0.0.1:8265"
POLL = 0.01


def time_job(client: JobSubmissionClient, script: str) -> float:
    began = time.perf_counter()
    job = client.submit_job(entrypoint=f"{sys.executable} {script}")
    while (status := client.get_job_status(job)) not in JobStatus.__members__.values() or not status.is_terminal():
        time.sleep(POLL)
    if status != JobStatus.SUCCEEDED:
        raise SystemExit(f"ray job {status}: {client.get_job_info(job).message}")
    return time.perf_counter() - began


def main(script: str, count: int) -> None:
    head = ["start", "--head", "--node-ip-address=127.0.0.1", "--num-cpus=2", "--disable-usage-stats"]
    subprocess.run([RAY, *head], check=True, stdout=subprocess.DEVNULL)
    try:
        client = JobSubmissionClient(ADDRESS)
        time_job(client, script)  # The first one starts what the later ones use.
        print(json.dumps([time_job(client, script) for _ in range(count)]))
    finally:
        subprocess.run([RAY, "stop", "--force"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
