"""Starts MiniStack with what it gets wrong about AWS put right.

Each correction says what AWS documents, and first looks whether MiniStack still departs from it: one that is no longer
needed stops the run, so that this list only ever holds what it must. The names are asserted in the tests, too.
"""

import sys

# Nothing is left beside these files.
sys.dont_write_bytecode = True

from corrections import cloudformation, route53, secrets_manager
from ministack import app

SERVICES = (cloudformation, secrets_manager, route53)


def departures():
    """What MiniStack does otherwise than AWS, asked of it under this process's own account."""
    return {what: is_so for service in SERVICES for what, is_so in service.departures().items()}


def main():
    needed = departures()
    unneeded = [what for what, is_so in needed.items() if not is_so]
    if unneeded:
        sys.exit(f"MiniStack has changed, take these corrections out of {__file__}: {'; '.join(unneeded)}")
    for service in SERVICES:
        service.correct()
    uncorrected = [what for what, is_so in departures().items() if is_so]
    if uncorrected:
        sys.exit(f"these corrections in {__file__} no longer work: {'; '.join(uncorrected)}")
    for what in needed:
        print(f"corrected: {what}", flush=True)
    app.main()


main()
