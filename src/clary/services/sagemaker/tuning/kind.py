"""The tuning job's states and the roads between them."""

from clary.services.sagemaker.jobs.plain import plain_course, plain_kind

TUNING_JOB = plain_kind("hyper-parameter-tuning-job")
COURSE = plain_course("tuning job")
