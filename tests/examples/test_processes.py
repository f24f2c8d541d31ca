"""Programs that the demo and these tests start."""

from __future__ import annotations

import sys

import pytest

from examples.demo.processes import NotServingError, Program

pytestmark = pytest.mark.slow

PATIENT = "import sys; print('ready at :7', flush=True); sys.stdin.read(); import time; time.sleep(60)"


def test_a_line_that_was_said_is_found() -> None:
    with Program(sys.executable, "-c", PATIENT) as program:
        assert "ready at :7" == program.wait_for("ready", ":7", seconds=20)


def test_waiting_ends_with_the_program_and_shows_what_it_said() -> None:
    with (
        Program(sys.executable, "-c", "print('the port is taken')") as program,
        pytest.raises(NotServingError, match=r"has ended\. It said:\nthe port is taken"),
    ):
        program.wait_for("ready", seconds=20)


def test_waiting_ends_when_the_time_is_up() -> None:
    with Program(sys.executable, "-c", PATIENT) as program, pytest.raises(NotServingError, match=r"within 0\.1 s"):
        program.wait_for("never said", seconds=0.1)


def test_lines_before_a_mark_do_not_count() -> None:
    with Program(sys.executable, "-c", PATIENT) as program:
        program.wait_for("ready", seconds=20)
        with pytest.raises(NotServingError):
            program.wait_for("ready", seconds=0.1, after=len(program.lines))


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(NotServingError, match="no-such-program cannot be run"):
        Program("no-such-program")


def test_a_program_is_ended_on_leaving() -> None:
    with Program(sys.executable, "-c", PATIENT) as program:
        program.wait_for("ready", seconds=20)
    assert -15 == program.stop()
