"""From a scan to what is in force: the loop of ``wardgate run``, and the engine that all local commands share."""
