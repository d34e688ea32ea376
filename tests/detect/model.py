"""What correlations must tell, record by record: a model that shares no code with the engine.

From the Sigma specification 2.1 and docs/rules.md ("Correlations"), written to be plain rather than quick: everything is kept and counted anew for each record.
A rule's detection is a map of fields to values (all equal, a list is any of them). Times are ns.
"""
import math
from fractions import Fraction

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400, "M": 30 * 86400, "y": 365 * 86400}
COMPARE = {
    "gt": lambda a, b: a > b, "gte": lambda a, b: a >= b, "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b, "eq": lambda a, b: a == b, "neq": lambda a, b: a != b,
}


def number(value):
    try:
        return None if isinstance(value, bool) else Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        return None


class Group:
    def __init__(self):
        self.records, self.newest, self.held, self.told = [], None, False, None


class Correlation:
    def __init__(self, rule):
        c = rule["correlation"]
        self.rule, self.type = rule, c["type"]
        self.key = rule.get("id") or rule["title"]
        self.rules = c["rules"] if isinstance(c["rules"], list) else [c["rules"]]
        self.by = c.get("group-by", [])
        self.by = self.by if isinstance(self.by, list) else [self.by]
        self.aliases = c.get("aliases", {})
        self.span = int(c["timespan"][:-1]) * UNITS[c["timespan"][-1]] * 10**9
        self.condition = c.get("condition", {})
        self.generate = c.get("generate", rule.get("generate", False))
        self.groups, self.late = {}, 0

    def group(self, fields, names):
        """The record's group as matched by the rule that goes by these names; None where a field is missing or empty."""
        out = []
        for field in self.by:
            of = self.aliases.get(field, {})
            value = fields.get(next((of[n] for n in names if n in of), field))
            if value is None or value == "":
                return None
            out.append((field, str(value)))
        return tuple(out)

    def value(self, group):
        """What the condition is compared with."""
        inside = [r for r in group.records if r["time"] >= group.newest - self.span]
        if self.type == "event_count":
            return sum(r["count"] for r in inside)
        if self.type == "temporal":
            return len(set().union(*(r["matched"] for r in inside)))
        if self.type == "temporal_ordered":
            at = 0
            for r in sorted(inside, key=lambda r: r["time"]):
                if at < len(self.rules) and at in r["matched"]:
                    at += 1
            return at
        fields = self.condition["field"]
        fields = fields if isinstance(fields, list) else [fields]
        values = [tuple(r["fields"][f] for f in fields) for r in inside]
        if self.type == "value_count":
            return len({tuple(map(str, v)) for v in values})
        numbers = sorted(number(v[0]) for v in values)
        if self.type == "value_sum":
            return sum(numbers)
        if self.type == "value_avg":
            return sum(numbers) / len(numbers)
        rank = math.ceil(Fraction(str(self.condition.get("percentile", 50))) * len(numbers) / 100)
        return numbers[max(rank, 1) - 1]

    def counts(self, fields):
        """A record without what is counted is passed over: it neither moves the window nor is the condition looked at."""
        if not self.type.startswith("value"):
            return True
        of = self.condition["field"]
        values = [fields.get(f) for f in (of if isinstance(of, list) else [of])]
        return None not in values if self.type == "value_count" else number(values[0]) is not None

    def holds(self, value):
        tests = {k: v for k, v in self.condition.items() if k in COMPARE}
        if not tests:
            return value == len(self.rules)
        return all(COMPARE[k](value, Fraction(str(v))) for k, v in tests.items())

    def feed(self, record, matched):
        """matched: by place in `rules`, the names of the rule there. A list of (group, number), one a group that has something to tell."""
        places = {}
        for place, names in matched.items():
            group = self.group(record["fields"], names)
            if group is not None:
                places.setdefault(group, set()).add(place)
        out = []
        for name, places_of in places.items():
            if not self.counts(record["fields"]):
                continue
            g = self.groups.setdefault(name, Group())
            if g.newest is not None and record["time"] < g.newest - self.span:
                self.late += 1
                continue
            g.newest = record["time"] if g.newest is None else max(g.newest, record["time"])
            g.records.append({**record, "matched": places_of})
            value = self.value(g)
            holds = self.holds(value)
            if holds and (not g.held or g.newest - g.told > self.span):
                out.append((" ".join("=".join(pair) for pair in name), max(0, math.floor(value))))
                g.told = g.newest
            g.held = holds
        return out


def names_of(rule):
    return [rule[k] for k in ("name", "id") if k in rule]


def matches(detection, fields):
    for field, want in detection.items():
        want = want if isinstance(want, list) else [want]
        if field not in fields or str(fields[field]) not in map(str, want):
            return False
    return True


def run(rules, events):
    """For each event the sorted list of what is told: "id group count", separated by tabs."""
    plain = [r for r in rules if "correlation" not in r]
    correlations = [Correlation(r) for r in rules if "correlation" in r]
    silent = {}
    for c in correlations:
        for ref in c.rules:
            silent.setdefault(ref, True)
            if c.generate:
                silent[ref] = False

    def told_itself(rule):
        refs = [silent[n] for n in names_of(rule) if n in silent]
        return not refs or not all(refs)

    out = []
    for event in events:
        record = {"time": event["t"], "fields": event["f"], "count": event.get("n", 1)}
        hits = []
        matched = {}  # id(rule) -> records that it hands on
        for rule in plain:
            if matches(rule["detection"]["s"], record["fields"]):
                matched[id(rule)] = True
                if told_itself(rule):
                    hits.append((rule.get("id") or rule["title"], "", record["count"]))
        done = set()
        while len(done) < len(correlations):
            for c in correlations:
                refs = [next(r for r in rules if ref in names_of(r)) for ref in c.rules]
                if id(c.rule) in done or any("correlation" in r and id(r) not in done for r in refs):
                    continue
                done.add(id(c.rule))
                # A hit of a correlation is one event to those above it, whatever it counted.
                weight = record if not any("correlation" in r for r in refs) else {**record, "count": 1}
                here = {i: names_of(r) for i, r in enumerate(refs) if matched.get(id(r))}
                for group, value in c.feed(weight, here) if here else []:
                    matched[id(c.rule)] = True
                    if told_itself(c.rule):
                        hits.append((c.key, group, value))
        out.append(sorted("\t".join(map(str, h)) for h in hits))
    return out
