"""Runs a command and writes what it took, children included, to a file: measure.py FILE COMMAND..."""

import json
import resource
import subprocess
import sys
import time

started = time.monotonic()
code = subprocess.call(sys.argv[2:])
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump(
        {
            "seconds": time.monotonic() - started,
            "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
            "peakMiB": usage.ru_maxrss / 1024,
        },
        file,
    )
sys.exit(code)
