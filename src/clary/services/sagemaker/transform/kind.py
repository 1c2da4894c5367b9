"""The transform job's states and the roads between them."""

from clary.services.sagemaker.jobs.plain import plain_course, plain_kind

TRANSFORM_JOB = plain_kind("transform-job")
COURSE = plain_course("transform job", pulling="Downloading the model's image")
