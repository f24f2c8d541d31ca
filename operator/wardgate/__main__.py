"""``python -m wardgate`` is the command ``wardgate``."""

from wardgate.cli.main import main

main()
