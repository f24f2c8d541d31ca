"""The operator's side of the published config: writing it, guarding it, sweeping up after it."""
