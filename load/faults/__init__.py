"""Faults of everything that several nodes stand on, and what they may not do to anybody's work.

    resp.py, lane.py, proxy.py    lines that can be made bad
    stage.py                      people who type on all nodes, and the account of their edits
    faults.py                     faults that begin and end
    scenario.py                   what a scenario is; how faults last and what has to hold meanwhile
    school.py, clock.py           people who log in; a node whose clock is wrong
    command.py                    `python -m load faults`

The scenarios: nodes.py, redis_faults.py, database_faults.py, partitions.py, rights.py, figures.py.
"""
