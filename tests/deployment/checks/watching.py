"""Prometheus and Grafana: rules that work, and metrics that somebody counts."""

import json
import re
import shutil
import tempfile

import yaml

from .tree import check, metrics, run

ALERTS = "compose/prometheus/alerts.yml"
TESTS = "compose/prometheus/alerts_test.yml"
DASHBOARDS = ("compose/grafana/dashboards/selling.json", "compose/grafana/dashboards/platform.json")

# Metrics that are not ours, each with who counts it; seen on RabbitMQ 3.10, documented for EventStoreDB 24.10.
FOREIGN = {
    "up": "Prometheus itself: whether the target could be asked",
    "ALERTS": "Prometheus itself: the alerts that are pending or firing",
    "rabbitmq_detailed_queue_messages": "RabbitMQ, /metrics/detailed, family queue_coarse_metrics",
    "rabbitmq_detailed_queue_consumers": "RabbitMQ, /metrics/detailed, family queue_consumer_count",
    "rabbitmq_alarms_memory_used_watermark": "RabbitMQ, /metrics: publishers are held back",
    "rabbitmq_alarms_free_disk_space_watermark": "RabbitMQ, /metrics: publishers are held back",
    "rabbitmq_disk_space_available_bytes": "RabbitMQ, /metrics",
    "rabbitmq_disk_space_available_limit_bytes": "RabbitMQ, /metrics",
    "rabbitmq_process_resident_memory_bytes": "RabbitMQ, /metrics",
    "rabbitmq_resident_memory_limit_bytes": "RabbitMQ, /metrics",
    "eventstore_sys_disk_bytes": "EventStoreDB, /metrics, per disk and kind",
}
FOREIGN_LABELS = {"job", "instance", "le", "alertname", "alertstate", "severity", "queue", "disk", "kind"}
# Words of PromQL that look like names.
WORDS = set("""sum max min avg count topk rate increase delta histogram_quantile absent vector and or unless on by
ignoring without group_left group_right bool offset changes clamp_min""".split())

# What the dashboards have to show, by a metric that shows it.
TOPICS = {
    "sales per second": "eventflow_saga_steps_total",
    "compensations": "eventflow_saga_compensations_total",
    "latency percentiles": "eventflow_http_request_duration_seconds_bucket",
    "projection lag": "eventflow:projection_lag_ms:max",
    "forwarder lag": "eventflow_forwarder_lag_ms",
    "lane depth": "eventflow_lane_depth",
    "dead letters": "rabbitmq_detailed_queue_messages",
    "the state of each dependency": "eventflow_dependency_up",
}


def rules(tree):
    return [rule for group in tree.yaml(ALERTS)["groups"] for rule in group["rules"]]


def panels(tree, name):
    return [panel for panel in json.loads(tree.text(name))["panels"] if panel["type"] != "row"]


def expressions(tree):
    """(where, PromQL) of all rules and panels."""
    for rule in rules(tree):
        yield f"{ALERTS}, {rule.get('alert') or rule.get('record')}", rule["expr"]
    for name in DASHBOARDS:
        for panel in panels(tree, name):
            for target in panel["targets"]:
                yield f"{name}, {panel['title']}", target["expr"]
        for note in json.loads(tree.text(name))["annotations"]["list"]:
            yield f"{name}, annotation {note['name']}", note["expr"]


def names(expression):
    """(metrics, labels) that an expression names."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expression)
    labels = set(re.findall(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"\"", bare))
    for listed in re.findall(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)", bare):
        labels |= {label.strip() for label in listed.split(",") if label.strip()}
    bare = re.sub(r"\b(?:by|on|without|ignoring)\s*\([^)]*\)", " ", bare)
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", bare)
    found = set(re.findall(r"(?<![\w:.])[a-zA-Z_][\w:]*", bare)) - WORDS
    return found, labels


@check("Prometheus takes its configuration and the rules")
def configuration(tree):
    if not shutil.which("promtool"):
        yield "promtool is not installed"
        return
    for command in (("check", "config", "prometheus.yml"), ("check", "rules", "alerts.yml")):
        fine, said = run("promtool", *command, cwd=tree.path("compose/prometheus"))
        if not fine:
            yield said


@check("every alert fires when it must and stays silent when all is well")
def tested(tree):
    fine, said = run("promtool", "test", "rules", "alerts_test.yml", cwd=tree.path("compose/prometheus"))
    if not fine:
        yield said
    healthy, *ill = tree.yaml(TESTS)["tests"]
    silent = {case["alertname"] for case in healthy["alert_rule_test"] if not case.get("exp_alerts")}
    shown = str(ill)
    for rule in rules(tree):
        name = rule.get("alert")
        if name and name not in silent:
            yield f"{name} is not shown to be silent on a healthy platform"
        if name and not re.search(rf"\b{name}\b", shown):
            yield f"{name} is not shown to fire"


@check("every alert says how bad it is, what is wrong and what to do")
def told(tree):
    for rule in rules(tree):
        if "alert" not in rule:
            continue
        if rule.get("labels", {}).get("severity") not in ("warning", "critical"):
            yield f"{rule['alert']} has no severity"
        for part in ("summary", "description"):
            if not rule.get("annotations", {}).get(part):
                yield f"{rule['alert']} has no {part}"


@check("every metric and label in alerts and dashboards is counted by the program, or by a server that is named here")
def counted(tree):
    kinds, labels = metrics()
    recorded = {rule["record"] for rule in rules(tree) if "record" in rule}
    known_labels = labels | FOREIGN_LABELS
    for where, expression in expressions(tree):
        found, used = names(expression)
        for name in sorted(found):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            if name in FOREIGN or name in recorded:
                continue
            if kinds.get(name) in ("counter", "gauge"):
                continue
            if base != name and kinds.get(base) == "histogram":
                continue
            yield f"{where}: nobody counts {name}"
        yield from (f"{where}: no metric has the label {label}" for label in sorted(used - known_labels))
    shown = " ".join(expression for _, expression in expressions(tree))
    yield from (f"{name} is listed as foreign and not used" for name in FOREIGN if name not in shown)


@check("the dashboards are sound: expressions parse, panels do not overlap, the datasource is there")
def dashboards(tree):
    provisioned = tree.yaml("compose/grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]["uid"]
    folder = tree.yaml("compose/grafana/provisioning/dashboards/eventflow.yaml")["providers"][0]["options"]["path"]
    mounted = [volume.split(":")[1] for volume in tree.services["grafana"]["volumes"]]
    if folder not in mounted:
        yield f"Grafana looks for dashboards in {folder}, where nothing is mounted"
    uids, generated = set(), []
    for name in DASHBOARDS:
        board = json.loads(tree.text(name))
        uids.add(board["uid"])
        ids = [panel["id"] for panel in board["panels"]]
        if len(ids) != len(set(ids)):
            yield f"{name}: two panels have the same id"
        taken = {}
        for panel in board["panels"]:
            at = panel["gridPos"]
            for x in range(at["x"], at["x"] + at["w"]):
                for y in range(at["y"], at["y"] + at["h"]):
                    if x >= 24 or taken.setdefault((x, y), panel["title"]) != panel["title"]:
                        yield f"{name}: {panel['title']} has no place of its own"
                        break
        for panel in panels(tree, name):
            sources = [panel["datasource"]] + [target["datasource"] for target in panel["targets"]]
            if any(source["uid"] != provisioned for source in sources):
                yield f"{name}: {panel['title']} asks a datasource that is not provisioned"
    if len(uids) != len(DASHBOARDS):
        yield "two dashboards have the same uid"
    for number, (_, expression) in enumerate(expressions(tree)):
        generated.append({"record": f"expression:{number}", "expr": expression})
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"groups": [{"name": "all", "rules": generated}]}, file)
        file.flush()
        fine, said = run("promtool", "check", "rules", file.name)
        if not fine:
            yield said


@check("the dashboards show what an operator has to see")
def shown(tree):
    text = " ".join(target["expr"] for name in DASHBOARDS for panel in panels(tree, name) for target in panel["targets"])
    yield from (f"nothing shows {topic} ({metric})" for topic, metric in TOPICS.items() if metric not in text)
