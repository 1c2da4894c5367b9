"""The metrics of endpoints that AWS documents ("Monitor Amazon SageMaker AI with Amazon CloudWatch").

    Traffic, once a second ─▶ on_traffic ─▶ a window of ten seconds ─▶ its end ─▶ samples of AWS/SageMaker
    an instance's meter, once a minute ─▶ status ─▶ replicas.py ─▶ utilisation ─▶ /aws/sagemaker/Endpoints

What was counted is written once a window, which keeps the rows few; so windows are also the finest periods of alarms.
A kill loses the window that is open. Of a variant that serves and is not invoked, zeros are written once a minute, so
that what scales by these metrics sees that.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from clary.records.metrics import MetricStore, Sample, Series
from clary.records.record import Scope
from clary.routing.distribution import Distribution
from clary.routing.loading import Loading
from clary.routing.router import Router
from clary.routing.traffic import PERIOD, Batch, Count, Invoked
from clary.services.sagemaker.hosting.kinds import component_route

log = logging.getLogger(__name__)

NAMESPACE = "AWS/SageMaker"
CONCURRENT = "ConcurrentRequestsPerModel"
OF_COPIES = {"InvocationsPerInstance": "InvocationsPerCopy", CONCURRENT: "ConcurrentRequestsPerCopy"}
"""What a metric is called of an inference component, where that is otherwise."""
INSTANCE_NAMESPACE = "/aws/sagemaker/Endpoints"
WINDOW = 10.0
"""Seconds. Windows begin at multiples of it, as the periods of alarms do."""
MINUTE = 60.0
LATE = 1.2
"""Seconds after the end of a window at which the last batch of it has come."""


class InvocationMetrics:
    def __init__(self, metrics: MetricStore, router: Router) -> None:
        self._metrics = metrics
        self._router = router
        self._lock = threading.Lock()
        self._open: dict[float, dict[Invoked, Count]] = {}
        """By the beginning of the window."""

    def start(self) -> None:
        threading.Thread(target=self._keep, name="metrics", daemon=True).start()

    def on_traffic(self, batch: Batch) -> None:
        window = (time.time() - PERIOD / 2) // WINDOW * WINDOW
        with self._lock:
            counts = self._open.setdefault(window, {})
            for invoked, count in batch.counts.items():
                counts.setdefault(invoked, Count()).merge(count)

    def _keep(self) -> None:
        """Write each window once it is over."""
        while True:
            now = time.time() - LATE
            time.sleep(now // WINDOW * WINDOW + WINDOW - now)
            try:
                self._close((time.time() - LATE) // WINDOW * WINDOW)
            except Exception:
                log.exception("metrics of invocations could not be kept, and are lost")

    def _close(self, end: float) -> None:
        with self._lock:
            over = {window: self._open.pop(window) for window in list(self._open) if window < end}
        found: dict[Scope, list[tuple[Series, Sample]]] = {}
        for window, counts in over.items():
            for invoked, count in counts.items():
                instances = self._router.instances(invoked.scope, _route(invoked), invoked.variant)
                found.setdefault(invoked.scope, []).extend(samples_of(invoked, count, window, instances))
        if end % MINUTE == 0:
            busy = over.get(end - WINDOW, {})
            for scope, route, variant in self._router.variants():
                endpoint, _, component = route.partition("/")
                invoked = Invoked(scope, endpoint, variant, component)
                if invoked not in busy:
                    found.setdefault(invoked.scope, []).extend(idle(invoked, end - WINDOW))
        for scope, samples in found.items():
            self._metrics.put(scope, samples)


def idle(invoked: Invoked, at: float) -> list[tuple[Series, Sample]]:
    """What policies scale in by, of what nobody invokes."""
    return [(_series(invoked, name), Sample.of(at, 0.0)) for name in ("InvocationsPerInstance", CONCURRENT)]


def _route(invoked: Invoked) -> str:
    return component_route(invoked.endpoint, invoked.component) if invoked.component else invoked.endpoint


def _series(invoked: Invoked, name: str) -> Series:
    """An inference component's metrics have a dimension of their own, and count its copies."""
    if invoked.component:
        return Series(NAMESPACE, OF_COPIES.get(name, name), {"InferenceComponentName": invoked.component})
    return Series(NAMESPACE, name, {"EndpointName": invoked.endpoint, "VariantName": invoked.variant})


def utilisation(
    endpoint: str, variant: str, at: float, told: Sequence[dict[str, float]]
) -> list[tuple[Series, Sample]]:
    """Of one replica, whose containers share what it has; each tells percentages by the names of the metrics."""
    dimensions = {"EndpointName": endpoint, "VariantName": variant}
    sums = {name: sum(usage[name] for usage in told) for name in ("CPUUtilization", "MemoryUtilization")}
    sums["DiskUtilization"] = max(usage["DiskUtilization"] for usage in told)
    return [(Series(INSTANCE_NAMESPACE, name, dimensions), Sample.of(at, v, "Percent")) for name, v in sums.items()]


def samples_of(invoked: Invoked, count: Count, at: float, instances: int) -> list[tuple[Series, Sample]]:
    """Of what was counted in the window that begins at `at`."""
    dimensions = {"EndpointName": invoked.endpoint, "VariantName": invoked.variant}
    samples: list[tuple[Series, Sample]] = []
    if count.uncaptured:
        samples.append((Series("Clary", "UncapturedInvocations", dimensions), Sample.of(at, count.uncaptured, "Count")))
    if count.turned_away:
        away = Sample.of(at, 1.0, count=count.turned_away)
        samples.append((_series(invoked, "NoCapacityInvocationFailures"), away))
    if count.invocations:
        samples += _of_invocations(partial(_series, invoked), count, at, 1.0 / max(instances, 1))
    return samples + _of_loading(dimensions, count.loading, at)


def _of_invocations(
    series: Callable[[str], Series], count: Count, at: float, each: float
) -> list[tuple[Series, Sample]]:
    """`each` is what one counts for where they are shared out among the instances."""
    number = count.invocations
    # By Little's law: the time that all took together, over the time in which they came.
    concurrent = count.model_latency.sum / 1e6 / WINDOW * each
    samples = [
        (series("Invocations"), Sample.of(at, 1.0, count=number)),
        (series("InvocationsPerInstance"), Sample.of(at, each, count=number)),
        (series("Invocation4XXErrors"), _share(at, number, count.client_errors)),
        (series("Invocation5XXErrors"), _share(at, number, count.server_errors)),
        (series("InvocationModelErrors"), _share(at, number, count.model_errors)),
        (series(CONCURRENT), Sample.of(at, concurrent)),
    ]
    for name, latency in (
        ("ModelLatency", count.model_latency),
        ("OverheadLatency", count.overhead_latency),
        ("ModelSetupTime", count.setup),
    ):
        samples += [(series(name), sample) for sample in _latencies(at, latency)]
    return samples


def _of_loading(dimensions: dict[str, str], loading: Loading, at: float) -> list[tuple[Series, Sample]]:
    if not loading.invocations:
        return []
    hits = Series(NAMESPACE, "ModelCacheHit", dimensions)
    samples = [(hits, _share(at, loading.invocations, loading.hits))]
    loaded = Series(INSTANCE_NAMESPACE, "LoadedModelCount", dimensions)
    samples += [(loaded, Sample.of(at, count, count=times)) for count, times in sorted(loading.models.items())]
    for name, latency in loading.times.items():
        samples += [(Series(NAMESPACE, name, dimensions), sample) for sample in _latencies(at, latency)]
    return samples


def _share(at: float, number: int, of_these: int) -> Sample:
    """One for each of these, and zero for each of the others."""
    return Sample(at, number, float(of_these), float(of_these == number), float(of_these > 0))


def _latencies(at: float, latency: Distribution) -> Iterator[Sample]:
    for value, times in latency.values().items():
        bounded = min(max(value, latency.minimum), latency.maximum)
        yield Sample.of(at, bounded, "Microseconds", times)
