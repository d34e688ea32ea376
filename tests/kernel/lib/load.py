"""People at work, and what they did: load.py SHARE LOG SECONDS-OR-0 [UID]

Creates, writes, reads and removes files of its own in SHARE until a signal or the time is over. LOG gets a line for each access to a file:
verb, begin, end (ns UTC), path. Its last line is `end OPENS FAILED SLOWEST-NS`. Every open is measured; none may fail.
"""
import os
import signal
import sys
import time

share, log_path, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
log = open(log_path, "w", buffering=1 << 16)
if len(sys.argv) > 4:
    os.setgroups([])
    os.setgid(int(sys.argv[4]))
    os.setuid(int(sys.argv[4]))
stop = False
opens = failed = slowest = 0


def ended(*_):
    global stop
    stop = True


def access(verb, path, flags, work):
    global opens, failed, slowest
    begin = time.time_ns()
    clock = time.monotonic_ns()
    try:
        fd = os.open(path, flags, 0o644)
    except OSError as e:
        print("failed", begin, time.time_ns(), path, e.errno, file=log)
        failed += 1
        opens += 1
        return
    took = time.monotonic_ns() - clock
    slowest = max(slowest, took)
    opens += 1
    try:
        work(fd)
    finally:
        os.close(fd)
    print(verb, begin, time.time_ns(), path, took, file=log)


signal.signal(signal.SIGTERM, ended)
signal.signal(signal.SIGINT, ended)
until = time.monotonic() + seconds if seconds else None
n = 0
while not stop and (until is None or time.monotonic() < until):
    path = f"{share}/{os.getpid()}-{n}"
    access("create", path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, lambda fd: os.write(fd, b"a document\n" * 20))
    if n >= 40:
        access("read", f"{share}/{os.getpid()}-{n - 40}", os.O_RDONLY, lambda fd: os.read(fd, 4096))
    if n >= 400:
        os.unlink(f"{share}/{os.getpid()}-{n - 400}")
    n += 1
    time.sleep(0.004)
print("end", opens, failed, slowest, file=log)
log.close()
