"""Write the tables of charts/wardgate/README.md from values.yaml: ``python -m tests.chart.write_readme``."""

from __future__ import annotations

from tests.chart.documented import readme
from tests.chart.helm import CHART

if __name__ == "__main__":
    (CHART / "README.md").write_text(readme())
