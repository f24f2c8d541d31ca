"""No remedy in the code is without a row that applies it."""

from __future__ import annotations

from typing import Final

from tests.remedies.sites import Site, sites
from tests.remedies.test_remedies import ROWS, problems_of
from tests.remedies.test_text_remedies import told
from tests.remedies.text_rows import ROWS as TEXT_ROWS

ELSEWHERE: Final = {
    "standalone/handover/bundle_file.py": "a bundle is no manifest: tests/standalone/test_bundle_file.py",
    "standalone/scan/listing.py": "paths: test_path_remedies.py, and test_listing.py for permissions",
    "standalone/scan/ignore_rules.py": "ignore files: test_path_remedies.py",
    "standalone/scan/folder.py": "files: test_path_remedies.py, and test_folder.py for permissions",
    "api/schema/crds.py": "texts of the CRDs, not of findings",
}
"""Modules whose remedies are about files, and where those are shown."""
UNREACHED: Final = {
    "{} cannot be read. Correct the text that it stands in.": "told beside the finding of the text itself",
    "Split it.": "takes a file of 64 MiB: tests/standalone/test_documents.py",
}


def test_every_remedy_is_applied_by_a_row() -> None:
    messages = [problem.message for row in ROWS for problem in problems_of(row)]
    messages += [text for row in TEXT_ROWS for one in told(row.wrong) for text in (one.remedy, one.message)]

    def is_shown(site: Site) -> bool:
        return site.file in ELSEWHERE or site.text in UNREACHED or any(map(site.pattern.search, messages))

    assert [] == [str(site) for site in sites() if not is_shown(site)]


def test_what_is_passed_over_is_there() -> None:
    found = sites()
    assert set(ELSEWHERE) <= {site.file for site in found}
    assert set(UNREACHED) <= {site.text for site in found}
