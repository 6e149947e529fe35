"""The benchmark: workloads against TwinSpace, its peers and the floor, in one run side by side.

command.py     the rounds: starts a server, has the generator do its work, goes on to the next
workloads.py   what is measured of whom: W1 to W10 of issue 5, with their parameters
goals.py       what issue 5 asks, beside what was measured; order.py: by which power a figure grows
sides.py       the servers, each on the core that is theirs; floor.c is the least there can be
generator.py   the process that makes the load: lines.py (sockets), edits.py, and the works:
writing.py     rooms where people type (W1, W2, W7, W10)
presence.py    cursors (W6)
opening.py     documents are opened, by one or by many (W4, W5); pulse.py: what others feel of it
idle.py        many who are only there (W3)
day.py         all of it together, for some time (W8)
nodes.py       two nodes behind one Valkey (W9), measured by load.latency
growth.py      one document that is big, or has a long history (W10)
meters.py      processor time and memory, as the kernel counts them
report.py      table, JSON; plots.py: SVG
"""
