"""Apache Tika's test documents: is a known phrase in the text that is read from each? See eval/README.md.

    DATA_TIKA=CHECKOUT eval/tika.py

tika.tsv: format, path in the checkout, SHA-256, what is expected, detail:
    phrase    the detail stands in the text
    error     it cannot be read (encrypted, no document at all): a named error, or the detail in the text of what can be read
    nothing   no reader finds text in it (empty, pictures alone): any answer, but no crash; not counted
    excluded  left out; the detail says why
    other     of another format or encoding than those that are read, whatever its name says; not counted
"""
import collections, json, os, re, subprocess, sys, unicodedata
from common import EXTRACT, TOP, data_or_skip, finish, sha256, table, verdict

WHERE = 'a checkout of https://github.com/apache/tika'
WANTED, EXCLUDED = .97, .05


def fold(s):
    s = s.replace('\u00ad', '').replace('\ufeff', '') # hyphens that are seen only at the end of a line; byte order marks
    return re.sub(r'\s+', ' ', unicodedata.normalize('NFKC', s)).strip()


def read(path):
    """All text and properties of the document and its parts, folded; the errors that were named; whether an answer came at all."""
    try:
        p = subprocess.run([EXTRACT, path], capture_output=True, timeout=60)
    except subprocess.TimeoutExpired:
        return '', ['no answer within 60 s'], False
    texts, errors = [], []
    for line in p.stdout.splitlines():
        d = json.loads(line.decode('utf-8', 'replace'))
        texts.append('\n'.join(s['text'] for s in d.get('spans', [])))
        texts += [v for _, v in d.get('meta', [])]
        if d.get('error'):
            errors.append(f'{d["part"]}: ' * bool(d.get('part')) + d['error'] + (f' ({d["reason"]})' if d.get('reason') else ''))
    return fold('\n'.join(texts)), errors, p.returncode == 0 and bool(p.stdout)


def main():
    root = data_or_skip('tika', WHERE, '')
    with open(os.path.join(TOP, 'eval/tika.tsv'), encoding='utf-8') as f:
        listed = [line.rstrip('\n').split('\t') for line in f if line.strip() and line[0] != '#']
    missing = [p for _, p, h, *_ in listed if not os.path.exists(os.path.join(root, p)) or sha256(os.path.join(root, p)) != h]
    if len(missing) > len(listed) // 20:
        sys.exit(f'tika: {len(missing)} of {len(listed)} documents are not there or of another version, the first: {missing[0]}')
    count, wrong, silent = collections.defaultdict(collections.Counter), [], []
    for form, path, _, expect, detail in listed:
        c = count[form]
        c[expect] += 1
        if path in missing:
            c['missing'] += 1
            continue
        if expect in ('excluded', 'other'):
            continue
        text, errors, answered = read(os.path.join(root, path))
        if not answered:
            silent.append(path)
        if expect == 'phrase':
            good = fold(detail) in text or fold(detail).replace(' ', '') in text.replace(' ', '') and re.search(r'[\u3040-\u9fff]', detail) is not None
        elif expect == 'error':
            good = bool(errors) or bool(detail) and fold(detail) in text
        else:
            continue
        c['right'] += good
        if not good:
            wrong.append((form, path, detail, errors, len(text)))
    rows, ok, total = [], not silent, collections.Counter()
    for form in sorted(count):
        c = count[form]
        total.update(c)
        n = c['phrase'] + c['error'] - c['missing']
        few = c['excluded'] <= max(1, EXCLUDED * sum(c[x] for x in ('phrase', 'error', 'nothing', 'excluded')))
        good = c['right'] >= WANTED * n and few
        ok = ok and good
        rows.append((form, n, c['right'], f'{c["right"] / n:.1%}' if n else '', c['nothing'], c['excluded'], verdict(good)))
    n = total['phrase'] + total['error'] - total['missing']
    ok = ok and total['right'] >= WANTED * n
    rows.append(('all', n, total['right'], f'{total["right"] / n:.1%}', total['nothing'], total['excluded'], verdict(total['right'] >= WANTED * n)))
    table(('format', 'documents', 'right', 'share', 'without text for anybody', 'excluded', f'≥ {WANTED:.0%}'), rows)
    if missing:
        print(f'\nnot there or another version, not counted: {" ".join(missing)}')
    for p in silent:
        print(f'- NO ANSWER: {p}')
    for form, path, detail, errors, n in wrong:
        print(f'- {form} {os.path.basename(path)}: {detail!r} not in {n} characters{"; " + "; ".join(errors[:2]) if errors else ""}')
    for form, path, _, expect, detail in listed:
        if expect in ('excluded', 'other'):
            print(f'- {expect}: {os.path.basename(path)}: {detail}')
    finish(ok)


if __name__ == '__main__':
    main()
