"""Load and faults: real clients against real servers, on this machine only.

One file a workload (`replay`, `crash`, `latency`), each with its own command under `python -m load`; the
scenarios over several nodes are in `faults/`. What they share:

    target.py     which addresses may be loaded: loopback, nothing else
    wire.py       the two WebSocket framings as values, sans-I/O
    coverage.py   which clocks of which client ids have been seen
    replica.py    one client's document, its edits and what became of them, sans-I/O
    client.py     a replica on a socket: connects, goes offline, comes back
    servers.py    this project's server as processes: one, or several nodes
    backing/      PostgreSQL and Valkey as processes on temporary folders
    report.py     percentiles, how noisy the machine was, progress
    command.py    how a workload's command runs and fails

`trace.py` (recorded sessions) and `writer.py` (a writer's page and outlet) belong to `replay`, `ledger.py`
(who wrote what) and `typist.py` to `crash` and `faults`.
"""
