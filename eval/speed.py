"""Files a second: docx and xlsx beside LibreOffice's headless convert, PDF beside `xargs -P2 pdftotext`. See eval/README.md.

    eval/speed.py          FILES=400 OFFICE=60 ROUNDS=5
"""
import os, shutil, statistics, subprocess, sys, tempfile, time
import contacts, labels
from common import EXTRACT, SKIPPED, Work, finish, table, verdict, write

FILES = int(os.environ.get('FILES', '400'))
OFFICE = int(os.environ.get('OFFICE', '60'))
ROUNDS = int(os.environ.get('ROUNDS', '5'))


def timed(command, where, **more):
    t = time.monotonic()
    p = subprocess.run(command, cwd=where, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=600, **more)
    if p.returncode:
        sys.exit(f'speed: {command[0]} ended with {p.returncode}: {p.stderr.decode(errors="replace")[-300:]}')
    return time.monotonic() - t


def draw(top, form, n):
    """Letters of a page or three, and every tenth a client list."""
    names, i = [], 0
    while len(names) < n:
        x = contacts.List(i) if len(names) % 10 == 0 and form != 'pptx' else labels.Doc(i)
        i += 1
        if x.format != form or isinstance(x, contacts.List) and x.n > 800:
            continue
        names.append(f'{len(names):04d}.{form}')
        write(os.path.join(top, form, names[-1]), x.data())
    return names


def tyto(top, form, names):
    return timed([EXTRACT, '--quiet', '--jobs', '2', *names], os.path.join(top, form))


def office(top, form, names):
    out = os.path.join(top, 'out')
    shutil.rmtree(out, ignore_errors=True)
    kind = 'csv' if form == 'xlsx' else 'txt:Text (encoded):UTF8'
    return timed(['soffice', '--headless', '--norestore', f'-env:UserInstallation=file://{top}/profile', '--convert-to', kind, '--outdir', out, *names], os.path.join(top, form))


def pdftotext(top, form, names):
    return timed(['xargs', '-P2', '-I{}', 'pdftotext', '{}', '/dev/null'], os.path.join(top, form), input='\n'.join(names).encode())


def main():
    rows, ok, skipped = [], True, False
    with Work() as top:
        for form, n, name, program, other, wanted in (('docx', OFFICE, 'LibreOffice', 'soffice', office, 20), ('xlsx', OFFICE, 'LibreOffice', 'soffice', office, 20), ('pdf', FILES, 'xargs -P2 pdftotext', 'pdftotext', pdftotext, .9)):
            if not shutil.which(program):
                print(f'SKIPPED speed of {form}: {program} is not installed')
                skipped = True
                continue
            names = draw(top, form, n)
            other(top, form, names[:2])
            mine, theirs = [], []
            for _ in range(ROUNDS if program != 'soffice' else max(2, ROUNDS // 2)):
                mine.append(tyto(top, form, names))
                theirs.append(other(top, form, names))
            a, b = n / min(mine), n / min(theirs)
            good = a >= wanted * b
            ok = ok and good
            rows.append((form, n, f'{a:.1f} ({n / statistics.median(mine):.1f})', name, f'{b:.1f} ({n / statistics.median(theirs):.1f})', f'{a / b:.2f}', f'{verdict(good)} (≥ {wanted})'))
    print(f'Files a second: of the quickest round (median in brackets); load average {os.getloadavg()[0]:.1f}; text alone, by the extractor with two workers\n')
    table(('format', 'files', 'Tyto', 'beside', 'its', 'ratio', ''), rows)
    if not ok:
        finish(False)
    sys.exit(SKIPPED if skipped else 0)


if __name__ == '__main__':
    main()
