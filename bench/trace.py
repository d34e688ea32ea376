#!/usr/bin/env python3
"""Times `tyto trace` of a page of text as a process, from exec to exit: documents that are scanned, and as many more in the store of fingerprints alone.

    bench/trace.py [--files 2000] [--documents 30000] [--characters 3000] [--pages 100] [--dir DIR]

FILES text files are written and scanned; DOCUMENTS go into the store of fingerprints as bench-prints makes them, without a file, so that it has its size. Half of the
pages stand in a file, half in none. Warm: each page is asked once before. Quartiles, p99 and worst are over pages; CPU time is user and system, of the command and its workers.
"""
import argparse, os, resource, shutil, subprocess, sys, tempfile, time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TYTO = os.environ.get('TYTO', os.path.join(TOP, 'build/src/cli/tyto'))
PRINTS = os.path.join(TOP, 'build/bench/bench-prints')


def traced(state, page):
    begin = time.monotonic()
    p = subprocess.run([TYTO, 'trace', '--state', state, '--json', page], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    took = time.monotonic() - begin
    if p.returncode not in (0, 1, 3, 5) or p.stdout.startswith(b'{"error"'):
        sys.exit(f'tyto trace {page}: {p.returncode}: {(p.stderr + p.stdout).decode(errors="replace")[-300:]}')
    return took * 1000, b'"verdict":"none"' not in p.stdout.split(b'"matches"')[0]


def to_its_owner(state):
    """What root put in: a trace has the rights of the state's owner alone."""
    owner = os.stat(os.path.join(state, 'documents', 'documents.db'))
    for folder, folders, files in os.walk(os.path.join(state, 'documents')):
        for name in folders + files:
            if os.geteuid() == 0:
                os.chown(os.path.join(folder, name), owner.st_uid, owner.st_gid)


def main():
    o = argparse.ArgumentParser()
    for name, n in (('files', 2000), ('documents', 30000), ('characters', 3000), ('pages', 100)):
        o.add_argument('--' + name, type=int, default=n)
    o.add_argument('--dir')
    o = o.parse_args()
    top = o.dir or tempfile.mkdtemp(prefix='tyto-bench-trace.')
    os.chmod(top, 0o755)  # the account that keeps the state must reach it
    share, state = os.path.join(top, 'share'), os.path.join(top, 'state')
    try:
        if not os.path.isdir(state):
            os.makedirs(share, exist_ok=True)
            subprocess.run([PRINTS, 'files', share, str(o.files), str(o.characters)], check=True)
            os.rename(os.path.join(share, 'pages'), os.path.join(top, 'pages'))
            subprocess.run([TYTO, 'scan', share, '--state', state, '--ocr', 'never', '--json'], stdout=subprocess.DEVNULL, check=True)
            if o.documents:
                subprocess.run([PRINTS, 'make', state, str(o.documents), str(o.characters)], check=True)
                to_its_owner(state)
        for kind, first in (('stands in a document', 0), ('stands in none', 1)):
            pages = [os.path.join(top, 'pages', f'{i}.txt') for i in range(first, 2 * o.pages, 2) if i < 400]
            for p in pages:
                traced(state, p)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            took, known = zip(*(traced(state, p) for p in pages))
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000 / len(took)
            took = sorted(took)
            at = lambda q: took[min(len(took) - 1, int(q * len(took)))]
            print(f'{o.files:,} files, {o.documents:,} more documents; page {kind}: n {len(took)}, minimum {took[0]:.0f} ms, quartiles {at(.25):.0f} {at(.5):.0f} {at(.75):.0f}, p99 {at(.99):.0f}, '
                  f'worst {took[-1]:.0f}; CPU {cpu:.0f} ms each; known {sum(known)}; load {os.getloadavg()[0]:.0f}', flush=True)
    finally:
        if not o.dir:
            shutil.rmtree(top, ignore_errors=True)


if __name__ == '__main__':
    main()
