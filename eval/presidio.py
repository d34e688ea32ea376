"""microsoft/presidio-research's synthetic samples: cards, IBANs, e-mail addresses, social security numbers without an error. See eval/README.md.

    DATA_PRESIDIO=synth_dataset_v2.json eval/presidio.py
"""
import collections, json, os, re, sys
import numbers_ as N
from common import Work, data_or_skip, finish, scan, sha256, table, verdict, write

SHA256 = 'ec08a771ba8135314cafb60752b2295212222ba3a4cd75d73811839c699e0012'
WHERE = 'data/synth_dataset_v2.json of https://github.com/microsoft/presidio-research'
KINDS = {'CREDIT_CARD': 'payment_card', 'IBAN_CODE': 'iban', 'EMAIL_ADDRESS': 'email', 'US_SSN': 'us_ssn'}


def invalid(kind, value):
    """Why the number's own definition refuses an annotation, or nothing."""
    if kind == 'CREDIT_CARD':
        s = re.sub(r'[ -]', '', value)
        return None if s.isdigit() and N.luhn_sum(s) == 0 else "fails Luhn's test"
    if kind == 'IBAN_CODE':
        s = re.sub(r'\s', '', value).upper()
        return None if s.isalnum() and s[4:] and N.iban_check(s[:2], s[4:]) == s[2:4] else 'fails mod 97'
    if kind == 'EMAIL_ADDRESS':
        return None if re.fullmatch(r"[^\s@]+@[^\s@]+\.[^\s@.]{2,}", value) else 'is no address'
    a, b, c = (value.replace(' ', '-').split('-') + ['', ''])[:3]
    return 'is never given out' if a in ('000', '666') or a[:1] == '9' or b == '00' or c == '0000' else None


def main():
    path = data_or_skip('presidio', WHERE, 'synth_dataset_v2.json')
    if sha256(path) != SHA256:
        sys.exit(f'presidio: {path} is another version (wanted SHA-256 {SHA256})')
    with open(path, encoding='utf-8') as f:
        samples = json.load(f)
    apart, want = [], []
    for i, s in enumerate(samples):
        w = collections.Counter({k: 0 for k in KINDS.values()})
        for span in s['spans']:
            kind = span['entity_type']
            if kind not in KINDS:
                continue
            why = invalid(kind, span['entity_value'])
            if why:
                apart.append((i, kind, span['entity_value'], why))
                w.pop(KINDS[kind], None)
            elif KINDS[kind] in w:
                w[KINDS[kind]] += 1
        want.append(w)
    with Work() as top:
        for i, s in enumerate(samples):
            write(f'{top}/{i:04d}.txt', s['full_text'] + '\n')
        got = {int(os.path.basename(p)[:4]): d.get('findings') or {} for p, d in scan(top).items()}
    rows, wrong = [], []
    for det in KINDS.values():
        n = sum(w.get(det, 0) for w in want)
        bad = [i for i, w in enumerate(want) if det in w and got.get(i, {}).get(det, 0) != w[det]]
        wrong += [(i, det, want[i][det], got.get(i, {}).get(det, 0)) for i in bad]
        rows.append((det, n, sum(min(w.get(det, 0), got.get(i, {}).get(det, 0)) for i, w in enumerate(want)), len(bad), verdict(not bad)))
    print(f'{len(samples)} samples; {len(samples) - len(got)} without an answer; annotations that their own definition refuses: {len(apart)}')
    for a in apart:
        print('  sample %d: %s %s %s' % a)
    print()
    table(('detector', 'annotated', 'found', 'samples with another count', 'without an error'), rows)
    for i, det, w, g in wrong:
        print(f'- sample {i}: {det} {g}, annotated {w}: {samples[i]["full_text"][:160]!r}')
    finish(not wrong and len(got) == len(samples))


if __name__ == '__main__':
    main()
