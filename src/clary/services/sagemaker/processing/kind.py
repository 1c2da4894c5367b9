"""The processing job's states and the roads between them."""

from clary.services.sagemaker.jobs.plain import plain_course, plain_kind

PROCESSING_JOB = plain_kind("processing-job")
COURSE = plain_course("processing job", pulling="Downloading the processing image")
