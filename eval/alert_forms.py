#!/usr/bin/env python3
"""`tyto alerts --as ocsf|ecs` against the published schemas: every key known, of the right type, every required one there, numbers and captions as published.

Published at github.com/ocsf/ocsf-schema (1.8.0; DATA_OCSF=CHECKOUT of commit 3dcb905d26523ce4d5d0ba3c28c8507e2c859407) and github.com/elastic/ecs
(9.4.0; DATA_ECS=CHECKOUT of tag v9.4.0, of which generated/csv/fields.csv and generated/ecs/ecs_flat.yml are read). What is read is checked by SHA-256.
Threshold: no complaint. Skipped loudly without DATA. The checker shares no code with Tyto.
"""
import csv
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent
TYTO = os.environ.get("TYTO", str(TOP / "build/src/cli/tyto"))
OCSF_SHA256 = "7211e08ffa5ffa9536fdd3d32c03a30ca81aa860f4920e6badd5319011c23fc0"
ECS_SHA256 = "4c3377efc24fe608b09b99842318ae4f1f14c3ee2dcd2e7f1fbcb86bd1faa5dd"


def listing(top, paths):
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(str(path.relative_to(top)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


# --- alerts ---

def records(person, host, folder, n, verb="read", day=2, **more):
    start = datetime.datetime(2026, 3, day, 9)
    for i in range(n):
        one = dict(time=(start + datetime.timedelta(seconds=i)).isoformat() + "Z", host=host, verb=verb, seen="access", path=f"{folder}/d{i}.odt", **more)
        if person:
            one.update(person=person, person_by="session")
        if verb == "export":
            one["to"] = f"/media/usb/d{i}.odt"
        yield json.dumps(one)


def alerts(folder):
    """Lines by form: open, closed with each reason, of nobody, with one document, with what others' parsers stumble over; then all of it masked."""
    state, conf, masked, rules = folder / "state", folder / "conf", folder / "masked", TOP / "rules/shipped"
    conf.write_text(f"rules = {rules}\n")
    masked.write_text(f"rules = {rules}\nprivacy.mask = yes\n")
    lines = []
    for i, person in enumerate(["clerk", "engineer", "sales", "o|d=d\\ \n\"x\"", "佐藤", "late"]):
        lines += records(person, "files", f"/srv/{person}/plans", 60, day=2 + i, document="sha256:" + "%064x" % i, label="confidential")
    lines += records("one", "files", "/srv/one", 1, day=8, verb="export", label="restricted")
    lines += records(None, "files", "/var/lib/tyto/log", 1, day=9, verb="delete")
    (folder / "in").write_text("\n".join(lines) + "\n")

    def tyto(config, *args):
        return subprocess.run([TYTO, "--config", config, "--state", state, "-q", *args], check=True, capture_output=True, timeout=120).stdout.decode()

    tyto(conf, "import", folder / "in")
    for number, reason in (1, "theft"), (2, "expected"), (3, "mistake"):
        tyto(conf, "alerts", "close", str(number), "--reason", reason)
    # Weeks later: quiet days have closed the others.
    (folder / "later").write_text("\n".join(records("reader", "files", "/srv/reader/plans", 60, day=28)) + "\n")
    tyto(conf, "import", folder / "later")
    out = {}
    for form in "ocsf", "ecs":
        out[form] = [json.loads(line) for config in (conf, masked) for line in tyto(config, "alerts", "--all", "--as", form).splitlines()]
    return out


# --- OCSF ---

class Ocsf:
    def __init__(self, top):
        self.top = top
        self.dictionary = json.loads((top / "dictionary.json").read_text())
        self.categories = json.loads((top / "categories.json").read_text())["attributes"]
        self.version = json.loads((top / "version.json").read_text())["version"]
        self.files = {}
        for path in sorted(top.glob("objects/*.json")) + sorted(top.glob("events/**/*.json")):
            one = json.loads(path.read_text())
            self.files[path.parts[len(top.parts)], one.get("name", path.stem)] = one
        self.complaints = []
        # What an observable may be is spread over the types.
        self.observables = {str(t["observable"]): {"caption": t["caption"]} for t in self.dictionary["types"]["attributes"].values() if "observable" in t}

    def item(self, kind, name):
        """Attributes and constraints, with what it extends; attributes that only come with a profile are left out: none is claimed."""
        raw = self.files[kind, name]
        base = self.item(kind, raw["extends"]) if raw.get("extends") else {"attributes": {}, "constraints": {}}
        merged = dict(base["attributes"])
        for key, value in raw.get("attributes", {}).items():
            if key == "$include":
                continue
            old = merged.get(key, self.dictionary["attributes"].get(key, {}))
            new = {**old, **value}
            new["enum"] = {**old.get("enum", {}), **value.get("enum", {})}
            if (name, key) == ("observable", "type_id"):
                new["enum"].update(self.observables)
            merged[key] = new
        return {"attributes": merged, "constraints": raw.get("constraints", base["constraints"])}

    def say(self, where, what):
        self.complaints.append(f"{where}: {what}")

    def scalar(self, where, definition, value):
        kind = definition["type"]
        types = self.dictionary["types"]["attributes"]
        if definition.get("enum") and kind == "integer_t" and str(value) not in definition["enum"]:
            self.say(where, f"{value} is not one of {sorted(definition['enum'])}")
        rule = types.get(kind, {})
        base = rule.get("type", kind)
        python = {"string_t": str, "integer_t": int, "long_t": int, "float_t": (int, float), "boolean_t": bool, "json_t": object}.get(base)
        if python is None:
            return self.say(where, f"type {kind} is not known to this checker")
        if not isinstance(value, python) or (python is int and isinstance(value, bool)):
            return self.say(where, f"{value!r} is no {kind}")
        if rule.get("regex") and isinstance(value, str) and not re.search(rule["regex"], value):
            self.say(where, f"{value!r} is no {kind}: {rule['regex']}")
        if rule.get("max_len") and isinstance(value, str) and len(value) > rule["max_len"]:
            self.say(where, f"{kind} is longer than {rule['max_len']}")

    def check(self, where, kind, name, value):
        item = self.item(kind, name)
        if kind == "objects" and name == "object":
            return
        if not isinstance(value, dict):
            return self.say(where, f"{value!r} is no {name}")
        for key, definition in item["attributes"].items():
            if definition.get("requirement") == "required" and key not in value and not definition.get("profile"):
                self.say(where, f"{key} is required")
            sibling = definition.get("sibling")
            if sibling in value and key in value and str(value[key]) in definition.get("enum", {}):
                caption = definition["enum"][str(value[key])]["caption"]
                if key not in ("class_uid", "category_uid", "type_uid") and value[sibling] != caption:
                    self.say(where, f"{sibling} {value[sibling]!r} is not the caption of {key} {value[key]}: {caption!r}")
        constraint = item["constraints"].get("at_least_one")
        if constraint and not any(key in value for key in constraint):
            self.say(where, f"at least one of {constraint} is wanted")
        for key, one in value.items():
            definition = item["attributes"].get(key)
            if definition is None:
                self.say(where, f"{key} is no attribute of {name}")
                continue
            many = definition.get("is_array", False)
            if many != isinstance(one, list):
                self.say(where, f"{key}: {'a list' if many else 'no list'} is wanted")
                continue
            for i, element in enumerate(one if many else [one]):
                place = f"{where}.{key}" + (f"[{i}]" if many else "")
                if not definition["type"].endswith("_t"):
                    self.check(place, "objects", definition["type"], element)
                elif key in ("class_uid", "category_uid", "type_uid"):  # their values come of the class itself: event() below
                    self.scalar(place, {**definition, "enum": {}}, element)
                else:
                    self.scalar(place, definition, element)

    def event(self, where, value):
        self.check(where, "events", "detection_finding", value)
        uid = self.categories["findings"]["uid"] * 1000 + self.files["events", "detection_finding"]["uid"]
        if (value["class_uid"], value["category_uid"], value["type_uid"]) != (uid, uid // 1000, uid * 100 + value["activity_id"]):
            self.say(where, "class_uid, category_uid, type_uid do not belong together")
        if value["metadata"]["version"] != self.version:
            self.say(where, f"metadata.version is not {self.version}")
        if value["category_name"] != self.categories["findings"]["caption"] or value["class_name"] != self.files["events", "detection_finding"]["caption"]:
            self.say(where, "names of category and class")


def check_ocsf(events):
    data = os.environ.get("DATA_OCSF")
    if not data:
        print("SKIPPED ocsf: DATA_OCSF=CHECKOUT is wanted: github.com/ocsf/ocsf-schema at 3dcb905d26523ce4d5d0ba3c28c8507e2c859407 (1.8.0)")
        return 3
    top = pathlib.Path(data)
    paths = [top / f"{name}.json" for name in ("dictionary", "categories", "version")] + list(top.glob("objects/*.json")) + list(top.glob("events/**/*.json"))
    digest = listing(top, paths)
    if digest != OCSF_SHA256:
        print(f"FAIL ocsf: {data} is not what was published as 1.8.0 ({digest})")
        return 1
    schema = Ocsf(top)
    for i, event in enumerate(events):
        schema.event(f"event {i}", event)
    return verdict("ocsf", events, schema.complaints)


# --- ECS ---

def flat(prefix, node):
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            yield from flat(name + ".", value)
        else:
            yield name, value


def allowed_values(path):
    """event.kind, event.category, event.type: what may stand there. (A reader for these three, not for YAML.)"""
    out, field, inside = {}, None, False
    for line in path.read_text().splitlines():
        if re.match(r"^\S.*:$", line):
            field, inside = line[:-1].strip("'"), False
        elif re.match(r"^  allowed_values:$", line):
            inside = True
        elif re.match(r"^  [a-z_]+:", line):
            inside = False
        elif inside and (m := re.match(r"^    name: (.+)$", line)):
            out.setdefault(field, set()).add(m[1])
    return out


def check_ecs(events):
    data = os.environ.get("DATA_ECS")
    if not data:
        print("SKIPPED ecs: DATA_ECS=CHECKOUT is wanted: github.com/elastic/ecs at tag v9.4.0")
        return 3
    top = pathlib.Path(data)
    paths = [top / "generated/csv/fields.csv", top / "generated/ecs/ecs_flat.yml"]
    digest = listing(top, paths)
    if digest != ECS_SHA256:
        print(f"FAIL ecs: {data} is not what was published as 9.4.0 ({digest})")
        return 1
    with open(paths[0], newline="") as f:
        fields = {row["Field"]: row for row in csv.DictReader(f)}
    allowed = allowed_values(paths[1])
    assert {"event.kind", "event.category", "event.type"} <= set(allowed), "allowed values were not found"
    reserved = {name.split(".")[0] for name in fields}
    kinds = {"keyword": str, "match_only_text": str, "wildcard": str, "long": int, "float": (int, float), "date": str, "object": str}
    complaints = []
    for i, event in enumerate(events):
        if event["ecs"]["version"] != fields["@timestamp"]["ECS_Version"]:
            complaints.append(f"event {i}: ecs.version")
        for name, value in flat("", event):
            # labels.* is free for keywords; tyto.* is ours, a name that the schema does not have.
            if name.startswith("tyto."):
                if "tyto" in reserved:
                    complaints.append("the schema has a field set tyto")
                continue
            row = fields.get("labels" if name.startswith("labels.") else name)
            if row is None:
                complaints.append(f"event {i}: {name} is no field")
                continue
            many = row["Normalization"] == "array"
            if many != isinstance(value, list):
                complaints.append(f"event {i}: {name}: {'a list' if many else 'no list'} is wanted")
                continue
            for one in value if many else [value]:
                if not isinstance(one, kinds.get(row["Type"], ())) or isinstance(one, bool):
                    complaints.append(f"event {i}: {name}: {one!r} is no {row['Type']}")
                elif row["Type"] == "date":
                    datetime.datetime.fromisoformat(one.replace("Z", "+00:00"))
                if name in allowed and one not in allowed[name]:
                    complaints.append(f"event {i}: {name}: {one!r} is not one of {sorted(allowed[name])}")
    return verdict("ecs", events, complaints)


def verdict(name, events, complaints):
    for one in sorted(set(complaints))[:20]:
        print(f"  {one}")
    print(f"{name}: {len(events)} alerts, {len(complaints)} complaints  {'FAIL' if complaints or len(events) < 10 else 'pass'}")
    return 1 if complaints or len(events) < 10 else 0


def main():
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)  # the state becomes the keeper's
        out = alerts(pathlib.Path(folder))
    codes = [check_ocsf(out["ocsf"]), check_ecs(out["ecs"])]
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
