"""Runs a command and writes what it says to a file, line by line, as a container runtime does.

container.py LOG COMMAND...
"""

import datetime
import os
import signal
import subprocess
import sys

log, *command = sys.argv[1:]
os.makedirs(os.path.dirname(log), exist_ok=True)
with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
    # Whoever ends this script means the command.
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    with open(log, "a", encoding="utf-8", buffering=1) as file:
        for line in process.stdout:
            now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")
            file.write(f"{now} stdout F {line}")
sys.exit(process.returncode)
