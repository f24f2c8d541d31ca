"""Tests of `wardgate.inja`."""
