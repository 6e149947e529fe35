"""The browser: a pupil's phone opens a page of the demo and writes while a class moves its carets.

command.py    `python -m load browser`
chromium.py   which Chromium, how it is slowed down
demo.py       the server with its demo, a page in it, pupils
crowd.py      pupils who move their carets all the time
opening.py    from a navigation to the first key that is taken; watch.js looks on inside the page
writing.py    frames and strokes while somebody writes; frames.js counts them
report.py     the goals beside what was measured
"""
