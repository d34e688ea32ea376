#!/usr/bin/env python3
"""pySigma's own tests of conditions and modifiers, run against Tyto's evaluator.

Published at github.com/SigmaHQ/pySigma (tests/test_conditions.py, tests/test_modifiers.py); DATA_PYSIGMA=CHECKOUT, of the commit below (both files are checked by SHA-256; they are
programs, and are run). pySigma is not needed: its classes are replaced by ours. What pySigma parses becomes a rule of Tyto; what it is compared with becomes a meaning: records
are made from the values in it (each of them, prolonged, cut, in capitals, every combination of true and false), and the rule must fire for those for which the expected expression
holds. An expected error must be a rule that does not run. Cases about pySigma's own objects (types of arguments, parents of nodes) are counted apart, with their names.

Known differences are listed below, each with the reason; one that agrees in the meantime is a failure of this list. Threshold: all others agree.
"""
import hashlib
import inspect
import ipaddress
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import types

import common

COMMIT = '0c15d53a905b4a20ccca126f8aa23785b59d95a9'
FILES = {'tests/test_conditions.py': 'fdec44b64c4a4cf03880a7f6c7d8ae53d16f1de04ca7a6806113f379fe405043', 'tests/test_modifiers.py': '16fb283511899903a47560c4512b591ebd2a3d8675db019fce790d5aa9144724'}
MATCH = os.environ.get('SIGMA_MATCH', os.path.join(common.TOP, 'build/tests/tools/sigma-match'))
ASCII = 'any text is encoded: that only ASCII can be is a limit of pySigma, not of the specification'
UPPER = 'AND, OR and NOT are taken in capitals, too (docs/rules.md)'
KNOWN = {
    'test_invalid_conditions[1]': UPPER,
    'test_invalid_conditions[2]': UPPER,
    'test_utf16': 'the mark is the bytes FF FE, as UTF-16 has it; pySigma puts the character U+FEFF, which its backends then write as UTF-8',
    'test_compare_string': 'a number in quotes is a number (docs/rules.md)',
    'test_wide_noascii': ASCII,
    'test_utf16_noascii': ASCII,
    'test_utf16be_noascii': ASCII,
    'test_expand': 'expand without values is unsupported, never a literal (docs/rules.md)',
    'test_expand_re': 'expand without values is unsupported, never a literal (docs/rules.md)',
    'test_timestamp_year_modifier': 'the year 123 is before all times that a record can have',
}


class NotOurs(Exception):
    """The case is about pySigma's own objects."""


class Refused(Exception):
    """A rule that Tyto does not run."""


class Disagrees(AssertionError):
    pass


# Tyto.

def check(rule, work):
    path = f'{work}/rule.yml'
    with open(path, 'w') as f:
        f.write(rule)
    out = subprocess.run([common.TYTO, '-q', 'rules', 'check', '--json', path], capture_output=True, text=True, timeout=60)
    state = [json.loads(line) for line in out.stdout.splitlines()]
    if not state or any(s['state'] in ('broken', 'unsupported') for s in state):
        raise Refused(state[0]['why'] if state else out.stderr)
    return path


def fires(path, records):
    lines = ''.join(json.dumps({'fields': r}) + '\n' for r in records)
    out = subprocess.run([MATCH, path], input=lines, capture_output=True, text=True, timeout=60)
    got = out.stdout.split('\n')[:-1]
    if out.returncode or len(got) != len(records):
        raise Disagrees(f'sigma-match ended with {out.returncode} after {len(got)} of {len(records)} records')
    return [bool(x) for x in got]


def compare(path, meaning, records):
    """The rule fires for exactly those for which meaning(record) holds."""
    want = [meaning(r) for r in records]
    for r, w, g in zip(records, want, fires(path, records)):
        if w != g:
            raise Disagrees(f'{"fires" if g else "does not fire"} for {json.dumps(r, ensure_ascii=False)}')
    global both
    both = any(want) and not all(want)
    return True


work, both, field_of_tests = None, True, 'f'


# What pySigma's tests expect, and what it means.

class Value:
    def __init__(self, *args):
        self.args = args

    def __eq__(self, other):
        return other == self if isinstance(other, (Answer, Parsed)) else type(self) is type(other) and self.args == other.args

    __hash__ = None
    probes = ()


def pattern(text):
    """A Sigma string as parts: text, `*`, `?`; backslash escapes these and itself."""
    out, i = [], 0
    while i < len(text):
        c = text[i]
        if c == '\\' and text[i + 1:i + 2] in ('*', '?', '\\') and text[i + 1:]:
            i += 1
            out.append(text[i])
        elif c in '*?':
            out.append((c,))
        else:
            out.append(c)
        i += 1
    return out


def expression(parts):
    return ''.join({'*': '.*', '?': '.'}[p[0]] if isinstance(p, tuple) else re.escape(p) for p in parts)


def around(text):
    """A value and what is near it."""
    return [text, 'q' + text, text + 'q', f'q{text}q', text[1:], text[:-1], text.upper(), text.swapcase(), 'unrelated', '']


class SigmaString(Value):
    cased = False

    def holds(self, field, record):
        v = record.get(field)
        if v is None:
            return False
        return re.fullmatch(expression(self.parts()), str(v), re.S | (0 if self.cased else re.I)) is not None

    def parts(self):
        return pattern(self.args[0])

    @property
    def probes(self):
        return [x for fill in ('', 'xy') for x in around(''.join(fill[:1] or 'z' if p == ('?',) else fill if isinstance(p, tuple) else p for p in self.parts()))]


class Parts(SigmaString):
    """The list of parts that some tests compare with."""
    def parts(self):
        return [x for p in self.args[0] for x in ([(p,)] if p in ('*', '?') and isinstance(p, Special) else list(p))]


class Special(str):
    pass


class SigmaCasedString(SigmaString):
    cased = True


class SigmaNumber(Value):
    def holds(self, field, record):
        return record.get(field) is not None and str(record[field]) == str(self.args[0])

    @property
    def probes(self):
        n = self.args[0]
        return [n, str(n), n + 1, n - 1, f'{n}1', 'unrelated']


class SigmaBool(Value):
    pass


class SigmaNull(Value):
    def holds(self, field, record):
        return record.get(field) is None

    probes = (None, 'unrelated')


class SigmaExists(Value):
    def holds(self, field, record):
        return (field in record) == self.args[0]

    probes = ('something', '')


class SigmaExpansion(Value):
    def holds(self, field, record):
        # base64offset looks for its values anywhere: an offset is of no use otherwise (specification: "usually with contains").
        return any(v.holds(field, record) for v in self.args[0])

    @property
    def probes(self):
        return [p for v in self.args[0] for p in v.probes[:4]]


class SigmaFieldReference(Value):
    def holds(self, field, record):
        name, *more = self.args
        if record.get(field) is None or record.get(name) is None:
            return False
        a, b, (starts, ends) = str(record[field]).lower(), str(record[name]).lower(), more or (False, False)
        return b in a if starts and ends else a.startswith(b) if starts else a.endswith(b) if ends else a == b

    @property
    def probes(self):
        return [{'f': a, self.args[0]: b} for a in around('abcd') for b in ('abcd', 'bc')] + ['abcd']


class SigmaRegularExpression(Value):
    whole = False

    def holds(self, field, record):
        flags = self.args[1] if len(self.args) > 1 else ()
        if record.get(field) is None:
            return False
        # What pySigma puts before and behind an expression (contains: `.*` on both sides) says what it means only where expressions are held against the whole value.
        if self.whole:
            return re.fullmatch(self.args[0], str(record[field]), re.S | sum(flags)) is not None
        return re.search(self.args[0], str(record[field]), sum(flags)) is not None

    @property
    def probes(self):
        plain = re.sub(r'\.\*|[\^$]', '', self.args[0].replace('\\\\', '\\'))
        base = [plain.replace('?', ''), re.sub(r'.\?', '', plain), plain.replace('bar', 'xbar'), plain.replace('bar', '\nbar')]
        return [x for b in base for x in around(b) + [f'q\n{b}\nq']]


class SigmaCompareExpression(Value):
    def holds(self, field, record):
        try:
            v, n = float(record[field]), self.args[0].args[0]
        except (KeyError, ValueError, TypeError):
            return self.args[1] == '!='     # neq is `not` of equal, also of what is no number
        return {'<': v < n, '<=': v <= n, '>': v > n, '>=': v >= n, '!=': v != n}[self.args[1]]

    @property
    def probes(self):
        n = self.args[0].args[0]
        return [n - 1, n, n + 1, str(n - 1), str(n), str(n + 1), n + .5, n - .5, -n, 'unrelated', '']


class SigmaCIDRExpression(Value):
    def holds(self, field, record):
        try:
            return ipaddress.ip_address(record.get(field)) in ipaddress.ip_network(self.args[0])
        except ValueError:
            return False

    @property
    def probes(self):
        net = ipaddress.ip_network(self.args[0])
        first, last = net[0], net[-1]
        return [str(first), str(last), str(first - 1), str(last + 1), str(net[7]), 'unrelated', str(net), '']


class SigmaTimestampPart(Value):
    def holds(self, field, record):
        m = re.fullmatch(r'(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)Z', str(record.get(field)))
        return bool(m) and self.args[0] != 'week' and int(m.group(1 + ('year', 'month', 'day', 'hour', 'minute').index(self.args[0]))) == self.args[1]

    @property
    def probes(self):
        return ['2025-12-03T12:03:23Z', '2025-01-23T01:23:12Z', f'{self.args[1]:04}-06-15T10:00:00Z', 'unrelated', '123']


class Node:
    def __init__(self, *args):
        self.args = args

    __hash__ = None

    def atoms(self):
        return [a for x in self.args[0] for a in x.atoms()]


class Either(type):
    def __instancecheck__(cls, x):
        return x.is_or() if isinstance(x, Parsed) and cls.__name__ == 'ConditionOR' else type.__instancecheck__(cls, x)


class ConditionOR(Node, metaclass=Either):
    def holds(self, r):
        return any(x.holds(r) for x in self.args[0])


class ConditionAND(Node):
    def holds(self, r):
        return all(x.holds(r) for x in self.args[0])


class ConditionNOT(Node):
    def holds(self, r):
        return not self.args[0][0].holds(r)


class ConditionFieldEqualsValueExpression(Node):
    def holds(self, r):
        return self.args[1].holds(self.args[0], r)

    def atoms(self):
        return [self.args]


class ConditionValueExpression(Node):
    """A keyword: part of any value."""
    def holds(self, r):
        return any(str(self.args[0].args[0]).lower() in str(v).lower() for v in r.values())

    def atoms(self):
        return [(f'k{self.args[0].args[0]}', self.args[0])]


# Rules of what the tests make.

def yaml_value(v):
    return v.args[0] if v.args else None


class SigmaDetectionItem:
    def __init__(self, field, modifiers, values):
        self.field, self.values, self.value_linking, self.negated = field, values, None, False

    def lines(self, indent, more=''):
        values = [v for v in self.values]
        if self.field is None:
            return ''.join(f'{indent}- {json.dumps(yaml_value(v))}\n' for v in values)
        res = [v for v in values if isinstance(v, SigmaRegularExpression)]
        if res and len(res) < len(values):     # one modifier for all values of a field: two fields of an alternative
            rest = [v for v in values if v not in res]
            return f'{indent}- {self.field}: {json.dumps([yaml_value(v) for v in rest])}\n{indent}- {self.field}|re: {json.dumps([yaml_value(v) for v in res])}\n'
        value = [yaml_value(v) for v in values]
        return f'{indent}{json.dumps(self.field)}: {json.dumps(value[0] if len(value) == 1 else value or None)}\n'


class SigmaDetection:
    def __init__(self, items):
        self.items = items

    def yaml(self, name):
        """A detection; several lists of keywords are several detections joined by `and`, which YAML cannot say in one."""
        return f'    {json.dumps(name)}:\n' + ''.join(i.lines('        ') for i in self.items)


class SigmaDetections:
    def __init__(self, detections, condition):
        self.detections = detections


class Parsed:
    """A rule of Tyto, compared by what it fires for."""
    def __init__(self, text):
        self.path = check(text, work)
        self.text = text

    def __eq__(self, expected):
        atoms = []
        for a in expected.atoms():
            if all(a[0] != b[0] or a[1] != b[1] for b in atoms):
                atoms.append(a)
        records = []
        for chosen in itertools.product((False, True), repeat=len(atoms)):
            r = {}
            for yes, (field, value) in zip(chosen, atoms):
                if yes or field not in r:
                    r[field] = (value.probes[0] if not isinstance(value, SigmaRegularExpression) else 'regimex') if yes else 'unrelated'
            records.append(r)
        records += [{}, {'other field': 'value'}] + [{f: p} for f, v in atoms if not isinstance(v, SigmaFieldReference) for p in v.probes]
        return compare(self.path, expected.holds, records)

    def is_or(self):
        one = [m.groups() for m in re.finditer(r'^ +(\w+): (value\w+)$', self.text, re.M)]
        return sum(fires(self.path, [{f: v} for f, v in one])) > 1

    def __getattr__(self, name):
        raise NotOurs(name)


def rule(detections, condition):
    return f'title: case\nid: case\nlogsource:\n    category: test\ndetection:\n{detections}    condition: {json.dumps(condition)}\n'


class SigmaCondition:
    def __init__(self, condition, detections):
        self.condition, self.detections = condition, detections

    @property
    def parsed(self):
        parts, condition = '', self.condition
        used = {n: d for n, d in self.detections.detections.items() if '-' not in n or n == condition}
        for name, d in used.items():
            if len(d.items) > 1 and all(i.field is None for i in d.items):
                names = [f'{name}_{i}' for i in range(len(d.items))]
                parts += ''.join(SigmaDetection([i]).yaml(n) for n, i in zip(names, d.items))
                condition = ' and '.join(names) if condition == name else condition
            elif all(i.field is None and not i.values for i in d.items):
                parts += f'    {json.dumps(name)}: []\n'
            else:
                parts += d.yaml(name)
        return Parsed(rule(parts, condition))


class SigmaCollection:
    @staticmethod
    def from_yaml(text):
        text = inspect.cleandoc(text)
        one = types.SimpleNamespace(parse=lambda: Parsed(text))
        return types.SimpleNamespace(rules=[types.SimpleNamespace(detection=types.SimpleNamespace(parsed_condition=[one]))])


class SigmaRule:
    @staticmethod
    def from_yaml(text):
        raise NotOurs('parents of nodes')


# Modifiers.

class Answer:
    """What a chain of modifiers made of a value."""
    def __init__(self, item, chain, value):
        self.item, self.chain = item, chain
        self.values = value if isinstance(value, list) else [value]
        names = (['re'] if any(isinstance(v, SigmaRegularExpression) for v in self.values) and 're' not in chain else []) + chain
        self.value = [yaml_value(v) for v in self.values]
        field = '|'.join([field_of_tests, *names])
        self.path = check(rule(f'    s:\n        {json.dumps(field)}: {json.dumps(self.value if len(self.value) > 1 else self.value[0])}\n', 's'), work)
        if chain == ['neq']:
            item.negated = True
        if chain == ['all']:
            item.value_linking = ConditionAND

    def __getitem__(self, i):
        return self

    @property
    def s(self):
        return self

    regexp = s

    def __eq__(self, expected):
        if isinstance(expected, list) and expected and isinstance(expected[0], str):
            expected = Parts(expected)
        expected = expected if isinstance(expected, list) else [expected]
        records = [{}, {'unrelated': 'value'}, {'f': None}]
        for p in (p for v in expected for p in v.probes):
            records.append(p if isinstance(p, dict) else {'f': p})
        for v in expected:
            v.whole = bool({'contains', 'startswith', 'endswith'} & set(self.chain))
        if self.chain == ['neq'] and not isinstance(expected[0], SigmaCompareExpression):
            return compare(self.path, lambda r: not any(v.holds('f', r) for v in expected), records)
        return compare(self.path, lambda r: (all if self.chain == ['all'] else any)(v.holds('f', r) for v in expected), records)


class SigmaModifier:
    chain = None

    def __init__(self, item, applied=(), location=None):
        if self.chain is None:
            raise NotOurs('types of arguments')
        self.item, self.applied = item, list(applied)

    def modify(self, value):
        if isinstance(value, Answer):
            return Answer(value.item, value.chain + [self.chain], value.values)
        if isinstance(value, list) and len({type(v) is SigmaRegularExpression for v in value}) > 1:
            raise NotOurs('a list of strings and expressions: YAML has no such')
        if self.item.field is None and self.chain == 'exists':
            check(rule(f'    s:\n        "|exists": {json.dumps(value.args[0])}\n', 's'), work)
        return Answer(self.item, [m.chain for m in self.applied] + [self.chain], value)

    apply = modify

    def __class_getitem__(cls, _):
        return cls


MODIFIERS = {'CaseSensitive': 'cased', 'Exists': 'exists', 'FieldReference': 'fieldref', 'Contains': 'contains', 'RegularExpressionIgnoreCaseFlag': 'i',
             'RegularExpressionMultilineFlag': 'm', 'RegularExpressionDotAllFlag': 's', 'Startswith': 'startswith', 'Endswith': 'endswith', 'Base64': 'base64',
             'Base64Offset': 'base64offset', 'Wide': 'wide', 'UTF16': 'utf16', 'UTF16BE': 'utf16be', 'RegularExpression': 're', 'CIDR': 'cidr', 'All': 'all',
             'Negate': 'neq', 'LessThan': 'lt', 'LessThanEqual': 'lte', 'GreaterThan': 'gt', 'GreaterThanEqual': 'gte', 'NotEqual': 'neq', 'Expand': 'expand',
             'WindowsDash': 'windash', **{f'Timestamp{p}': p.lower() for p in ('Minute', 'Hour', 'Day', 'Week', 'Month', 'Year')}}


class ConditionSelector:
    def __init__(self, quantifier, pattern_):
        check(rule('    s:\n        f: v\n', f'{quantifier} of {pattern_}'), work)


# A small pytest, and the modules that the tests import.

class raises:
    def __init__(self, error, match=None):
        self.error = error

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            raise Disagrees('a rule that pySigma refuses runs')
        return kind is Refused


def modules():
    own = globals()
    modifiers = {f'Sigma{k}Modifier': type(f'Sigma{k}Modifier', (SigmaModifier,), {'chain': v}) for k, v in MODIFIERS.items()}
    enum = types.SimpleNamespace
    extra = {'CompareOperators': enum(LT='<', LTE='<=', GT='>', GTE='>=', NEQ='!='), 'SpecialChars': enum(WILDCARD_MULTI=Special('*'), WILDCARD_SINGLE=Special('?')),
             'SigmaRegularExpressionFlag': enum(IGNORECASE=re.I, MULTILINE=re.M, DOTALL=re.S), 'Placeholder': str,
             'TimestampPart': enum(**{p.upper(): p for p in ('minute', 'hour', 'day', 'week', 'month', 'year')}),
             'ConditionItem': Node, 'ConditionIdentifier': Node, 'SigmaRuleLocation': str, 'SigmaModifier': SigmaModifier,
             'SigmaConditionError': Refused, 'SigmaTypeError': Refused, 'SigmaValueError': Refused}
    mark = types.SimpleNamespace(parametrize=lambda names, values: lambda f: setattr(f, 'values', (names, values)) or f)
    everything = {**{k: v for k, v in own.items() if isinstance(v, type)}, **modifiers, **extra}
    out = {'pytest': types.SimpleNamespace(fixture=lambda f: setattr(f, 'fixture', True) or f, raises=raises, mark=mark)}
    for name in ('sigma', 'sigma.modifiers', 'sigma.rule', 'sigma.types', 'sigma.conditions', 'sigma.exceptions', 'sigma.collection'):
        out[name] = types.SimpleNamespace(**everything)
    return out


def parameters(f):
    return inspect.signature(f).parameters


def run(path, text):
    """One test after the other: (name, agrees | differs | not ours, why)."""
    space = {'__name__': path}
    exec(compile(text, path, 'exec'), space)  # noqa: S102: the published tests, of a known checksum
    for name, f in [(n, f) for n, f in space.items() if n.startswith('test_')]:
        names, values = getattr(f, 'values', (None, [None]))
        for i, v in enumerate(values):
            what = name if names is None else f'{name}[{i}]'
            global both
            both = True
            try:
                # A fixture asked for twice in one test is the same object, as pytest has it.
                memo = {}

                def fixture(n):
                    if n not in memo:
                        g = space[n]
                        memo[n] = g(**{k: fixture(k) for k in parameters(g)})
                    return memo[n]
                f(**{n: v if n == names else fixture(n) for n in parameters(f)})
                yield what, 'agrees' if both else 'agrees (no record tells)', ''
            except NotOurs as e:
                yield what, 'not ours', str(e)
            except Refused as e:
                yield what, 'differs', f'does not run: {e}'
            except AssertionError as e:
                yield what, 'differs', str(e) or 'assertion'


def main():
    global work
    top = common.data_or_skip('pysigma', f'github.com/SigmaHQ/pySigma at {COMMIT}', '')
    for path, digest in FILES.items():
        if common.sha256(f'{top}/{path}') != digest:
            print(f'FAIL pysigma: {path} is not what was published at {COMMIT} ({common.sha256(f"{top}/{path}")})')
            return 1
    sys.modules.update(modules())
    counts, wrong = {}, 0
    with tempfile.TemporaryDirectory(prefix='tyto-eval.') as work:
        for path in FILES:
            with open(f'{top}/{path}') as f:
                text = f.read()
            for name, state, why in run(path, text):
                if name in KNOWN:
                    state, why = ('differs, known', KNOWN[name]) if state == 'differs' else ('differs', f'agrees, and is listed as known: {why}')
                counts[state] = counts.get(state, 0) + 1
                wrong += state == 'differs'
                if state != 'agrees':
                    print(f'  {state}: {name}: {why}')
    print(f'{common.verdict(not wrong)} pysigma: ' + ', '.join(f'{n} {k}' for k, n in sorted(counts.items())))
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
