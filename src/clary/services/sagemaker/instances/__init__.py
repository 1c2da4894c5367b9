"""What jobs and endpoints alike know of instances: what a type promises, what is staged in, how one is looked at.

request ─▶ inputs, types, environment ─▶ InstanceSpec ─▶ engine ─▶ watching: status, log lines, release
"""
