"""python-stdnum's vectors, valid and invalid, out of its docstrings and doctests. See eval/README.md.

    DATA_STDNUM=CHECKOUT eval/stdnum.py
"""
import ast, collections, doctest, os, re, sys
import numbers_ as N
from common import SKIPPED, Work, data_or_skip, finish, scan, sha256, table, verdict, write

WHERE = 'a checkout of https://github.com/arthurdejong/python-stdnum (stdnum/ and tests/)'
SHA256 = {
    'stdnum/luhn.py': '1ee6c812e3e153ce1bc25e6f3d6e50bcec9fc645505ce315e4c22b2fed974790',
    'tests/test_luhn.doctest': 'ef0a0b1fbdf1e60633a4cb1c4863fe257b3022fa12906fe99d2448bf414dfe30',
    'stdnum/iban.py': '13897e58b58a3fc457b959bff30d9e246fca741c4bbd545556b27827a99be6bc',
    'tests/test_iban.doctest': '25f06e4220d0b7e72f8ce17243b9c99e23c340bd3922867361e85e028d464b41',
    'stdnum/jp/cn.py': '1705c8a2bc2ae25cfd3c6bba8a050209f8775aede1038307e59e26c2f4aa7f09',
    'tests/test_jp_cn.doctest': '76124241997cfd866a50a27a07ea23230805faf557381ca92009f18bd3222a51',
    'stdnum/us/ssn.py': 'cb84ffb92b6a50f080359780168dab7e5d39846b56ccc954d8cee5ff07d8a5d2',
    'stdnum/eu/vat.py': '7226148100214334dfa39e02643e24b08a2efe30afd4bf3aa4b71a17dd734d2c',
    'tests/test_eu_vat.doctest': '3146c96ee075e281d98cdf0937314b549428ab280d26eda75e2b948dfd1c4380',
}
# Module -> detector, what stands before the number, files.
PARTS = {
    'luhn': ('payment_card', 'card number', ['stdnum/luhn.py', 'tests/test_luhn.doctest']),
    'iban': ('iban', 'IBAN', ['stdnum/iban.py', 'tests/test_iban.doctest']),
    'jp.cn': ('jp_corporate_number', '法人番号', ['stdnum/jp/cn.py', 'tests/test_jp_cn.doctest']),
    'us.ssn': ('us_ssn', 'SSN', ['stdnum/us/ssn.py']),
    'eu.vat': ('eu_vat', 'VAT number', ['stdnum/eu/vat.py', 'tests/test_eu_vat.doctest']),
}


def vectors(path):
    """(number, valid) of a module's or doctest's text."""
    with open(path, encoding='utf-8') as f:
        text = f.read()
    if path.endswith('.py'):
        text = ast.get_docstring(ast.parse(text)) or ''
    listed = []
    for e in doctest.DocTestParser().get_examples(text):
        src = re.sub(r'\s+#.*', '', e.source.strip()) if 'validate' in e.source else e.source.strip()
        m = re.match(r"numbers = '''(.*)'''$", src, re.S)
        if m:
            listed = [x.strip() for x in m.group(1).splitlines() if x.strip()]
            continue
        m = re.match(r"(?:\w+\.)?validate\('([^']*)'\)$", src)
        if m:
            yield m.group(1), e.exc_msg is None
            continue
        if src.replace(' ', '').startswith('[xforxinnumbers.splitlines()') and listed:
            if 'check_country' in src: # what follows is about the countries' own check digits, which ISO 13616 leaves to them
                for x in listed:
                    yield x, True
                listed = []
                continue
            good = 'not vat.is_valid' in src or re.search(r'not \w+\.is_valid', src) is not None
            for x in listed:
                yield x, good and 'caught' not in src
            listed = []


def is_card(s):
    """A number that passes Luhn's test is a card's only with a scheme's first figures and length."""
    n = len(s)
    head = int(s[:6].ljust(6, '0'))
    return s.isdigit() and (s[0] == '4' and n in (13, 16, 19) or 51 <= head // 10000 <= 55 and n == 16 or 2221 <= head // 100 <= 2720 and n == 16 or s[:2] in ('34', '37') and n == 15
                            or 3528 <= head // 100 <= 3589 and n == 16 or s[:2] in ('36', '38') and n == 14 or s[:4] == '6011' and n == 16 or s[:2] == '65' and n == 16)


def main():
    root = data_or_skip('stdnum', WHERE, '')
    for name, want in SHA256.items():
        p = os.path.join(root, name)
        if not os.path.exists(p):
            print(f'SKIPPED stdnum: {p} is not there: {WHERE}')
            sys.exit(SKIPPED)
        if sha256(p) != want:
            sys.exit(f'stdnum: {p} is another version (wanted SHA-256 {want})')
    drawn, apart = [], []
    for module, (det, word, names) in PARTS.items():
        seen = {}
        for name in names:
            for number, good in vectors(os.path.join(root, name)):
                if module == 'luhn':
                    good = good and is_card(number)
                seen[number] = good
        for number, good in seen.items():
            if not good and re.match(r'([A-Z]{2})(U?) ?\1', number): # "BE BE 0220764971": no number, but a text that holds one
                apart.append(number)
            else:
                drawn.append((module, det, word, number, good))
    with Work() as top:
        for i, (_, _, word, number, _) in enumerate(drawn):
            write(f'{top}/{i:04d}.txt', f'{word}: {number}\n')
        got = {int(os.path.basename(p)[:4]): d.get('findings') or {} for p, d in scan(top).items()}
    rows, wrong, ok = [], [], True
    for module, (det, _, _) in PARTS.items():
        mine = [(i, d) for i, d in enumerate(drawn) if d[0] == module]
        bad = [(i, d) for i, d in mine if got.get(i, {}).get(det, 0) != (1 if d[4] else 0)]
        ok = ok and not bad and bool(mine)
        wrong += bad
        rows.append((module, det, sum(d[4] for _, d in mine), sum(not d[4] for _, d in mine), len(bad), verdict(not bad and bool(mine))))
    table(('module', 'detector', 'valid', 'invalid', 'wrong', 'all right'), rows)
    if apart:
        print(f'\nInvalid as numbers, but a text of them holds a valid one; not counted: {len(apart)}, e.g. {apart[0]!r}\n')
    for i, (module, det, _, number, good) in wrong:
        print(f'- {module} {number!r}: {"valid, not found" if good else "invalid, found"} ({got.get(i, {})})')
    finish(ok and len(got) == len(drawn))


if __name__ == '__main__':
    main()
