#!/bin/sh
# Start a Clary of its own, run the boto3 program against it, and stop it again.
set -eu
state=$(mktemp -d)
trap 'clary down --state "$state" >/dev/null 2>&1 || true; rm -rf "$state"' EXIT
clary up --detach --state "$state" --port 0
eval "$(clary env --state "$state")"
python "$(dirname "$0")/xgboost_boto3/train_and_deploy.py"
clary status --state "$state"
