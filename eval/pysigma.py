#!/usr/bin/env python3
"""pySigma's published tests of conditions and modifiers, asked of Tyto's rule engine.

Published at github.com/SigmaHQ/pySigma (tests/test_conditions.py, tests/test_modifiers.py); DATA_PYSIGMA=CHECKOUT, of commit
0c15d53a905b4a20ccca126f8aa23785b59d95a9 (the two files are checked by SHA-256). Their tests compare objects; so pySigma runs them itself while every
condition and every modifier that they use is noted with what came of it, or that it was refused. Each becomes a rule, and the tree or the value
that pySigma made of it is the judge over probes: every combination of what a condition names, and the value itself, filled, cut, lengthened and in other case.
Threshold: no case in which the engine answers otherwise. What only one of the two refuses is a difference. Skipped loudly without DATA or pytest.
"""
import functools
import hashlib
import ipaddress
import itertools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

COMMIT = "0c15d53a905b4a20ccca126f8aa23785b59d95a9"
FILES = {
    "tests/test_conditions.py": "fdec44b64c4a4cf03880a7f6c7d8ae53d16f1de04ca7a6806113f379fe405043",
    "tests/test_modifiers.py": "16fb283511899903a47560c4512b591ebd2a3d8675db019fce790d5aa9144724",
}
# Where pySigma and Tyto differ on purpose: the case, and why. They are counted apart.
UPPER = "AND, OR and NOT are taken in capitals, too"
UTF16 = "what is not ASCII is encoded, too"
DECIDED = {
    "condition detection1 and (detection2 OR detection3)": UPPER,
    "condition detection1 and not (detection2 OR detection3)": UPPER,
    "field|wide: 'foob\u00e4r'": UTF16,
    "field|utf16: 'foob\u00e4r'": UTF16,
    "field|utf16be: 'foob\u00e4r'": UTF16,
    "field|gte: '123'": "a number in quotes is one",
    "field|re|expand: 'test%var%test'": "nothing gives a placeholder its values, in an expression neither",
}


def skip(why):
    print(f"SKIPPED pysigma: {why}")
    return 3


class Notes:
    """What the tests asked: conditions as (text, detections, tree or None), modifiers as (chain, value, values or None)."""

    def __init__(self):
        self.conditions, self.modifiers = [], []

    def watch(self):
        import sigma.conditions
        import sigma.modifiers

        parse = sigma.conditions.SigmaCondition.parse
        conditions, modifiers = self.conditions, self.modifiers

        def noted(condition, *args):
            tree = None
            try:
                tree = parse(condition, *args)
                return tree
            finally:
                conditions.append((condition.condition, condition.detections, tree))

        sigma.conditions.SigmaCondition.parse = noted
        names = {}
        for name, cls in sigma.modifiers.modifier_mapping.items():
            names.setdefault(cls, name)
        for cls, name in names.items():
            def modify(self, value, _was=cls.modify, _name=name):
                out = None
                try:
                    out = _was(self, value)
                    return out
                finally:
                    modifiers.append(([names.get(m, m.__name__) for m in self.applied_modifiers] + [_name], value, out))
            functools.update_wrapper(modify, cls.modify)  # its types are looked at
            cls.modify = modify


# The judge: does a value of pySigma's match what a record holds?

def literal(types, string):
    """A SigmaString as a regular expression."""
    out = ""
    for part in string.s:
        if part is types.SpecialChars.WILDCARD_MULTI:
            out += ".*"
        elif part is types.SpecialChars.WILDCARD_SINGLE:
            out += "."
        else:
            out += re.escape(str(part))
    return out


def number(v):
    try:
        return float(v)
    except (TypeError, ValueError):
        return None


def expression(regex):
    return regex.regexp if isinstance(regex.regexp, str) else str(regex.regexp)


def agrees(types, want, have, record, whole=False):
    """have: the field's value, None where it is null or missing."""
    if isinstance(want, types.SigmaExpansion):
        return any(agrees(types, w, have, record, whole) for w in want.values)
    if isinstance(want, types.SigmaNull):
        return have is None
    if isinstance(want, types.SigmaExists):
        return (have is not None) == bool(want.exists)
    if have is None:
        return False
    if isinstance(want, types.SigmaFieldReference):
        other, mine = str(record.get(want.field, "\0")).casefold(), str(have).casefold()
        return other in mine if want.starts_with and want.ends_with else mine.startswith(other) if want.starts_with else \
            mine.endswith(other) if want.ends_with else mine == other
    if isinstance(want, types.SigmaCasedString):
        return re.fullmatch(literal(types, want), str(have), re.S) is not None
    if isinstance(want, types.SigmaString):
        return re.fullmatch(literal(types, want), str(have), re.S | re.I) is not None
    if isinstance(want, types.SigmaTimestampPart):
        return False  # the published ones are of no minute, hour, day… that there is
    if isinstance(want, types.SigmaRegularExpression):
        flags = {types.SigmaRegularExpressionFlag.IGNORECASE: re.I, types.SigmaRegularExpressionFlag.MULTILINE: re.M, types.SigmaRegularExpressionFlag.DOTALL: re.S}
        # A bare expression may stand anywhere; pySigma completes one that contains, startswith or endswith follows to the whole value.
        find = re.fullmatch if whole else re.search
        return find(expression(want), str(have), sum(flags[f] for f in want.flags)) is not None
    if isinstance(want, types.SigmaCIDRExpression):
        try:
            return ipaddress.ip_address(str(have)) in ipaddress.ip_network(want.cidr)
        except ValueError:
            return False
    if isinstance(want, types.SigmaCompareExpression):
        n, than = number(have), number(want.number.number)
        ops = types.CompareOperators
        return n is not None and {ops.LT: n < than, ops.LTE: n <= than, ops.GT: n > than, ops.GTE: n >= than}.get(want.op, n != than)
    if isinstance(want, types.SigmaBool):
        return str(have).casefold() == str(want.boolean).casefold()
    if isinstance(want, types.SigmaNumber):
        return number(have) == float(want.number)
    raise TypeError(type(want).__name__)


def holds(mods, types, node, record):
    """A condition's tree over a record; a value without a field may stand in any."""
    name = type(node).__name__
    if name == "ConditionAND":
        return all(holds(mods, types, a, record) for a in node.args)
    if name == "ConditionOR":
        return any(holds(mods, types, a, record) for a in node.args)
    if name == "ConditionNOT":
        return not holds(mods, types, node.args[0], record)
    if name == "ConditionFieldEqualsValueExpression":
        return agrees(types, node.value, record.get(node.field), record)
    return any(agrees(types, node.value, v, record) for v in record.values() if v is not None)


def leaves(node):
    if hasattr(node, "args"):
        for a in node.args:
            yield from leaves(a)
    else:
        yield node


def sample(types, want, fill="zz"):
    """A text that a value matches."""
    if isinstance(want, types.SigmaString):
        special = types.SpecialChars
        return "".join(fill if p is special.WILDCARD_MULTI else "q" if p is special.WILDCARD_SINGLE else str(p) for p in want.s)
    if isinstance(want, types.SigmaRegularExpression):
        text = expression(want).strip("^$").replace(".*", fill).replace("\\\\", "\\")
        return text.replace("?", "")
    if isinstance(want, types.SigmaNull):
        return None
    return str(want.number) if isinstance(want, types.SigmaNumber) else "zz"


def ask(rule, records):
    """What the engine tells for each record, or None: refused."""
    tool, tyto = os.environ.get("SIGMA_MATCH", "build/tests/tools/sigma-match"), os.environ.get("TYTO", "build/src/cli/tyto")
    with tempfile.TemporaryDirectory() as d:
        path = pathlib.Path(d, "rule.yml")
        path.write_text(json.dumps(rule))  # JSON is YAML
        state = json.loads(subprocess.run([tyto, "rules", "check", "--json", str(path)], capture_output=True, text=True, timeout=60).stdout)["state"]
        if state in ("broken", "unsupported"):
            return None
        done = subprocess.run([tool, str(path)], input="".join(json.dumps({"fields": r}) + "\n" for r in records), capture_output=True, text=True, timeout=60)
    lines = done.stdout.splitlines()
    if done.returncode:
        raise RuntimeError(f"{tool}: {done.stderr}")
    return [bool(line) for line in lines]


def as_rule(detection):
    return {"title": "case", "id": "00000000-0000-4000-8000-000000000001", "logsource": {"category": "test"}, "detection": detection}


def plain_item(types, item):
    """One search of a detection as YAML has it; values of several kinds are alternatives in maps of their own."""
    values = item.original_value if item.original_value is not None else item.value
    if item.field is None:
        if not values:
            return [None]
        return [v.to_plain() for v in values]
    of = {}
    for v in values or [types.SigmaNull()]:
        key = item.field + ("|re" if isinstance(v, types.SigmaRegularExpression) else "")
        of.setdefault(key, []).append(None if isinstance(v, types.SigmaNull) else v.to_plain())
    return [{k: v if len(v) > 1 else v[0]} for k, v in of.items()] if len(of) > 1 else {k: v if len(v) > 1 else v[0] for k, v in of.items()}


def plain(types, detections, condition):
    out = {}
    for name, d in detections.detections.items():
        items = [plain_item(types, i) for i in d.detection_items]
        if all(isinstance(i, dict) for i in items):
            out[name] = {k: v for i in items for k, v in i.items()}
        elif len(items) == 1:
            out[name] = items[0]
        elif name in condition:
            raise ValueError(f"{name}: no YAML says that")
    return out


def condition_records(types, tree):
    found = {}
    for leaf in leaves(tree):
        found.setdefault((getattr(leaf, "field", None), str(leaf.value)), leaf)
    records = []
    for on in itertools.product((False, True), repeat=len(found)):
        record = {"host": "s"}
        for i, (leaf, yes) in enumerate(zip(found.values(), on)):
            field = getattr(leaf, "field", None) or f"f{i}"
            text = sample(types, leaf.value)
            if yes:
                record[field] = text
            elif field not in record:
                record[field] = "other" if isinstance(leaf.value, types.SigmaNull) else "nothing of it"
        records.append(record)
    return records


def probes(types, value, outs, whole):
    texts = []
    for want in [value, *outs]:
        wants = want.values if isinstance(want, types.SigmaExpansion) else [want]
        for one in wants:
            for fill in ("", "zz"):
                text = sample(types, one, fill) if isinstance(one, (types.SigmaString, types.SigmaRegularExpression)) else None
                if text is not None:
                    texts += [text, "x" + text, text + "x", "x" + text + "x", text[1:], text[:-1], text.swapcase()]
                    texts += [] if whole else [text + "\nx", "x\n" + text]
            if isinstance(one, (types.SigmaNumber, types.SigmaCompareExpression)):
                n = int(number(one.number if isinstance(one, types.SigmaNumber) else one.number.number))
                texts += [str(n - 1), str(n), str(n + 1), "-5", "1.5", "text"]
            if isinstance(one, types.SigmaCIDRExpression):
                net = ipaddress.ip_network(one.cidr)
                texts += [str(net[0]), str(net[-1]), str(net[0] - 1), str(net[-1] + 1), "text"]
    return [t for t in dict.fromkeys(texts) if "\0" not in t] + [None]


def given(types, chain, value):
    """The chain and the value as a rule writes them."""
    if isinstance(value, list):
        out = [given(types, [], v)[1] for v in value]
        return chain, out
    if isinstance(value, types.SigmaRegularExpression):
        flags = {types.SigmaRegularExpressionFlag.IGNORECASE: "i", types.SigmaRegularExpressionFlag.MULTILINE: "m", types.SigmaRegularExpressionFlag.DOTALL: "s"}
        return (["re"] if "re" not in chain else []) + [flags[f] for f in value.flags] + chain, expression(value)
    if isinstance(value, types.SigmaFieldReference):
        return chain, value.field
    if chain[-1:] == ["re"] and len(value.s) == 1 and "\\" in str(value):
        return chain, str(value).replace("\\", "\\\\")
    return chain, value.to_plain()


def main():
    data = os.environ.get("DATA_PYSIGMA") or os.environ.get("DATA")
    if not data:
        return skip(f"DATA_PYSIGMA=CHECKOUT is wanted: github.com/SigmaHQ/pySigma at {COMMIT}")
    top = pathlib.Path(data)
    for name, want in FILES.items():
        got = hashlib.sha256((top / name).read_bytes()).hexdigest()
        if got != want:
            print(f"FAIL pysigma: {top / name} is not what was published at {COMMIT} ({got})")
            return 1
    sys.path[0] = str(top)  # not this folder: its sigma.py is another
    sys.dont_write_bytecode = True
    try:
        import pytest
        from sigma import types
    except ImportError as e:
        return skip(f"{e}: python3-pytest python3-pyparsing python3-yaml python3-typing-extensions python3-packaging python3-requests python3-jinja2 python3-diskcache")
    notes = Notes()
    notes.watch()
    with tempfile.TemporaryFile("w+") as quiet:
        keep = os.dup(1)
        os.dup2(quiet.fileno(), 1)
        rc = pytest.main(["-q", "-p", "no:cacheprovider", "--rootdir", str(top), *(str(top / f) for f in FILES)])
        os.dup2(keep, 1)
    if rc:
        print("FAIL pysigma: pySigma's own tests do not pass here")
        return 1

    same, probed, wrong, unwritable, decided = 0, 0, [], [], []

    def alone(who, what):
        if what in DECIDED:
            decided.append(f"{what}: {DECIDED[what]}")
        else:
            wrong.append(f"{what}: only {who} refuses it")

    def judge(what, rule, records, told):
        nonlocal same, probed
        got = ask(rule, records)
        if got is None:
            alone("Tyto", what)
            return
        probed += len(records)
        bad = [f"{json.dumps(r)} must {'match' if t else 'not match'}" for r, t, g in zip(records, told, got) if t != g]
        if not bad:
            same += 1
        elif what in DECIDED:
            decided.append(f"{what}: {DECIDED[what]}")
        else:
            wrong.append(f"{what}: {len(bad)} of {len(records)}, {bad[0]}")

    seen = set()
    for text, detections, tree in notes.conditions:
        try:
            rule = as_rule({**plain(types, detections, text), "condition": text})
        except Exception as e:  # a fixture that no rule can be written for
            unwritable.append(f"condition {text}: {e}")
            continue
        key = json.dumps(rule, sort_keys=True)
        if key in seen:
            continue
        seen.add(key)
        if tree is None:
            if ask(rule, [{"a": "b"}]) is None:
                same += 1
            else:
                alone("pySigma", f"condition {text}")
            continue
        records = condition_records(types, tree)
        judge(f"condition {text}", rule, records, [holds(None, types, tree, r) for r in records])
    for chain, value, outs in notes.modifiers:
        try:
            names, written = given(types, chain, value)
        except Exception as e:
            unwritable.append(f"{'|'.join(chain)} {value}: {e}")
            continue
        what = f"field|{'|'.join(names)}: {written!r}"
        if what in seen:
            continue
        seen.add(what)
        rule = as_rule({"s": {"field|" + "|".join(names): written}, "condition": "s"})
        if outs is None:
            if ask(rule, [{"a": "b"}]) is None:
                same += 1
            else:
                alone("pySigma", what)
            continue
        outs = outs if isinstance(outs, list) else [outs]
        if any(isinstance(p, types.Placeholder) for o in outs for p in getattr(o, "s", ())):
            # Nothing gives these their values, so no rule may run with them.
            if ask(rule, [{"a": "b"}]) is None:
                same += 1
            else:
                wrong.append(what + ": a placeholder without values is taken")
            continue
        whole = "re" in names and bool({"contains", "startswith", "endswith"} & set(names))
        values = probes(types, value if not isinstance(value, list) else value[0], outs, whole)
        records = [{"field": v, "other": "zz"} if v is not None else {"other": "zz"} for v in values]
        every, negated = "all" in names, "neq" in names
        told = []
        for r in records:
            each = [agrees(types, w, r.get("field"), r, whole) for w in outs]
            told.append((all(each) if every else any(each)) != (negated and isinstance(value, list)))
        judge(what, rule, records, told)
    for line in wrong:
        print(f"  differs: {line}")
    for line in decided:
        print(f"  decided otherwise: {line}")
    for line in unwritable:
        print(f"  not writable as a rule: {line}")
    print(f"{'FAIL' if wrong or not same else 'pass'} pysigma: {same} cases agree ({probed} probes), {len(wrong)} differ, "
          f"{len(decided)} decided otherwise, {len(unwritable)} not writable as a rule")
    return 1 if wrong or not same else 0


if __name__ == "__main__":
    sys.exit(main())
