"""See that a site loads nothing from elsewhere: ``python docs/site/self_contained.py build/docs-html``."""

from __future__ import annotations

import re
import sys
from pathlib import Path

_LOADED = re.compile(
    r"""<(?:script|img|iframe|source|link(?![^>]*rel="?(?:canonical|next|prev)))[^>]*?\b(?:src|href)=["']?(?:https?:)?//"""
)


def main(site: Path) -> int:
    """Name each page that loads something; give the exit status."""
    loading = [page for page in sorted(site.rglob("*.html")) if _LOADED.search(page.read_text(encoding="utf-8"))]
    for page in loading:
        print(f"error: {page} loads something from another host.", file=sys.stderr)
    return 1 if loading else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
