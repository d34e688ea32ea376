"""opens.py LOG SECONDS [--uid N] [--each SECONDS] [--stop FILE] PATH…: opens and reads the files in turn, and says how that went.

LOG gets a line each, `read BEGIN END PATH` (ns UTC), or `failed BEGIN END PATH ERRNO`; its last line is `end OPENS FAILED SLOWEST-NS`. A PATH that is a
folder stands for the regular files in it. Ends when the time is over or FILE is there.
"""
import argparse
import os
import time

p = argparse.ArgumentParser()
p.add_argument("--uid", type=int)
p.add_argument("--each", type=float, default=0.005)
p.add_argument("--stop", default="")
p.add_argument("log")
p.add_argument("seconds", type=float)
p.add_argument("paths", nargs="+")
arg = p.parse_args()
log = open(arg.log, "w", buffering=1 << 16)
if arg.uid is not None:
    os.setgroups([])
    os.setgid(arg.uid)
    os.setuid(arg.uid)
files = []
for path in arg.paths:
    found = sorted(os.scandir(path), key=lambda e: e.name) if os.path.isdir(path) else []
    files += [e.path for e in found if e.is_file(follow_symlinks=False)] if os.path.isdir(path) else [path]
until = time.monotonic() + arg.seconds
n = failed = slowest = 0
while time.monotonic() < until and not (arg.stop and os.path.exists(arg.stop)):
    path = files[n % len(files)]
    begin, clock = time.time_ns(), time.monotonic_ns()
    try:
        fd = os.open(path, os.O_RDONLY)
        took = time.monotonic_ns() - clock
        os.read(fd, 64)
        os.close(fd)
        print("read", begin, time.time_ns(), path, file=log)
    except OSError as e:
        took = time.monotonic_ns() - clock
        print("failed", begin, time.time_ns(), path, e.errno, file=log)
        failed += 1
    slowest = max(slowest, took)
    n += 1
    time.sleep(arg.each)
print("end", n, failed, slowest, file=log)
log.close()
