# Environments that are never mixed with Clary's own: the two SageMaker SDKs, which share one package name, and the
# benchmarks' peers.
#
# Each lives in $(CLIENTS)/<name>-<checksum of its constraints>, so every checkout on a machine shares it and changed
# constraints make a new one. .cache/clients/<name> links to the current one: that is where tests look.

CLIENTS ?= $(HOME)/.cache/clary/clients
LINKS := .cache/clients

V2_REQUIREMENTS := "sagemaker<3" awscli matplotlib
V3_REQUIREMENTS := "sagemaker>=3"
BENTOML_REQUIREMENTS := "bentoml>=1.4" xgboost-cpu
MLSERVER_REQUIREMENTS := mlserver xgboost-cpu
BENCH_REQUIREMENTS := "ray[default,serve]" litserve "moto[server]" xgboost-cpu scikit-learn

environment = $(CLIENTS)/$(1)-$(firstword $(shell cksum < constraints/$(2).txt))
V2 := $(call environment,v2,client-v2)
V3 := $(call environment,v3,client-v3)
BENCH := $(call environment,bench,bench)
BENTOML := $(call environment,bentoml,bench-bentoml)
MLSERVER := $(call environment,mlserver,bench-mlserver)

.PHONY: clients client-v2 client-v3 bench-environment bench-bentoml-environment bench-mlserver-environment benchmarks

clients: client-v2 client-v3

client-v2: $(V2)/.complete
client-v3: $(V3)/.complete
bench-environment: $(BENCH)/.complete
bench-bentoml-environment: $(BENTOML)/.complete
bench-mlserver-environment: $(MLSERVER)/.complete
client-v2 client-v3 bench-environment bench-bentoml-environment bench-mlserver-environment:
	@mkdir -p $(LINKS)
	@ln -sfn $(patsubst %/,%,$(dir $<)) $(LINKS)/$(patsubst client-%,%,$(patsubst %-environment,%,$@))

# The stamp comes last, so an installation that was cut short is begun again.
define install
	@echo "Installing $(1) into $(@D)"
	@rm -rf $(@D)
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints/$(1).txt $(2)
	@touch $@
endef

$(V2)/.complete:
	$(call install,client-v2,$(V2_REQUIREMENTS))

$(V3)/.complete:
	$(call install,client-v3,$(V3_REQUIREMENTS))

$(BENCH)/.complete:
	$(call install,bench,$(BENCH_REQUIREMENTS))

$(BENTOML)/.complete:
	$(call install,bench-bentoml,$(BENTOML_REQUIREMENTS))

$(MLSERVER)/.complete:
	$(call install,bench-mlserver,$(MLSERVER_REQUIREMENTS))

# Each prints one table. They want a machine that does nothing else.
BENCHMARKS := idle training_jobs images load_jobs invocations autoscaling control_plane s3 records search supervisor http_floor sigv4 tuning

benchmarks: $(DEV) bench-environment bench-bentoml-environment bench-mlserver-environment images
	@for name in $(BENCHMARKS); do $(BIN)/python -m benchmarks.$$name || exit 1; done
