"""The operator's metrics, as one Prometheus registry. Sums and gauges alone: a scrape waits for nothing."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from wardgate.outlet import lost_messages

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class _Histogram:
    def __init__(self) -> None:
        self._counts = [0] * (len(_BUCKETS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        self._counts[bisect_left(_BUCKETS, seconds)] += 1
        self._sum += seconds

    def family(self, name: str, text: str) -> HistogramMetricFamily:
        total, buckets = 0, []
        for bound, count in zip((*map(str, _BUCKETS), "+Inf"), self._counts, strict=True):
            total += count
            buckets.append((bound, float(total)))
        family = HistogramMetricFamily(name, text)
        family.add_metric([], buckets, self._sum)
        return family


class Metrics(Collector):
    """``watch_ages``: seconds since each kind's watch was last known to be live. ``objects``: their number by kind.

    ``leading``: whether this replica writes.
    """

    def __init__(
        self,
        *,
        watch_ages: Callable[[], Mapping[str, float]],
        objects: Callable[[], Mapping[str, int]],
        api_errors: Callable[[], int],
        leading: Callable[[], bool],
    ) -> None:
        self._watch_ages = watch_ages
        self._objects = objects
        self._api_errors = api_errors
        self._leading = leading
        self._translate = _Histogram()
        self._publish = _Histogram()
        self._latency = _Histogram()
        self.revision = ""
        self.config_bytes = 0
        """Of the whole config, published or not."""
        self.lost_policies = 0
        self.publishes = 0
        self.publish_failures = 0
        self.internal_errors = 0

    def translated(self, seconds: float) -> None:
        """A translation took so long."""
        self._translate.add(seconds)

    def published(self, *, seconds: float, latency: float, revision: str) -> None:
        """A revision was written in ``seconds``, ``latency`` after its first change was noticed."""
        self.publishes += 1
        self.revision = revision
        self._publish.add(seconds)
        self._latency.add(latency)

    def collect(self) -> Iterator[Metric]:
        """Every metric as it is now."""
        yield _by_kind(
            "wardgate_operator_watch_age_seconds", "Since the kind was last known live.", values=self._watch_ages()
        )
        yield _by_kind("wardgate_operator_objects", "Objects held, by kind.", values=self._objects())
        yield self._translate.family("wardgate_operator_translate_seconds", "Duration of translations.")
        yield self._publish.family("wardgate_operator_publish_seconds", "Duration of publishing.")
        yield self._latency.family("wardgate_operator_change_to_publish_seconds", "From a noticed change to its index.")
        yield GaugeMetricFamily("wardgate_operator_leader", "1 on the replica that writes.", float(self._leading()))
        text = "Bytes of the config in clear; above the setting config_bytes it is not published."
        yield GaugeMetricFamily("wardgate_operator_config_bytes", text, float(self.config_bytes))
        text = "ExtAuthPolicies that went away with their CRD and are not back: their routes are closed."
        yield GaugeMetricFamily("wardgate_operator_lost_policies", text, float(self.lost_policies))
        info = GaugeMetricFamily("wardgate_operator_revision_info", "The revision published last.", labels=["revision"])
        info.add_metric([self.revision], 1.0)
        yield info
        for name, text, value in (
            ("wardgate_operator_publishes", "Revisions written.", self.publishes),
            ("wardgate_operator_publish_failures", "Rounds that could not be published.", self.publish_failures),
            ("wardgate_operator_internal_errors", "Rounds that ran into a bug.", self.internal_errors),
            ("wardgate_operator_api_errors", "Requests to the API server that failed.", self._api_errors()),
            ("wardgate_operator_messages_dropped", "Lines of its log that nobody read fast enough.", lost_messages()),
        ):
            yield CounterMetricFamily(name, text, float(value))


def _by_kind(name: str, text: str, *, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=["kind"])
    for kind, value in sorted(values.items()):
        family.add_metric([kind], value)
    return family
