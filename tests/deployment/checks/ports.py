"""Who talks to whom, on which port: compose.yaml, nginx, Prometheus and Grafana must say the same."""

import re

from .tree import check, default_of

# Where servers listen when nobody says otherwise, by the host that compose.yaml gives them.
SERVERS = {"eventstore": {2113}, "mongodb": {27017}, "redis": {6379}, "rabbitmq": {5672, 15672, 15692},
           "prometheus": {9090}, "grafana": {3000}}


def listens(tree):
    """service → ports."""
    found = dict(SERVERS)
    for name, service in tree.services.items():
        environment = service.get("environment") or {}
        address = environment.get("EVENTFLOW_LISTEN") or environment.get("EDGE_LISTEN")
        if address and name != "operator":
            found[name] = {int(str(address).rsplit(":", 1)[-1])}
    return found


def meet(tree, one, other):
    return set(tree.services[one]["networks"]) & set(tree.services[other]["networks"])


@check("every address in compose.yaml is a service that listens there, in a network that both are in")
def addresses(tree):
    ports = listens(tree)
    for name, service in tree.services.items():
        texts = list((service.get("environment") or {}).values())
        for part in ("command", "entrypoint"):
            texts += service.get(part) if isinstance(service.get(part), list) else []
        for text in map(default_of, texts):
            for host, port in re.findall(r"(?:://(?:[^\s@/]*@)?|\bserver )([a-z][a-z-]*):(\d+)", text):
                if host not in tree.services:
                    yield f"{name}: {host} is no service"
                elif int(port) not in ports.get(host, ()):
                    yield f"{name}: {host} does not listen on {port}"
                elif not meet(tree, name, host):
                    yield f"{name} and {host} have no network in common"
    for name, service in tree.services.items():
        for port in service.get("ports", []):
            inner = int(default_of(port).rsplit(":", 1)[-1])
            if inner not in ports.get(name, ()):
                yield f"{name} publishes {inner} and does not listen there"


@check("every health check asks the port that its service listens on")
def health(tree):
    ports = listens(tree)
    for name, service in tree.services.items():
        for port in re.findall(r"http://127\.0\.0\.1:(\d+)", str((service.get("healthcheck") or {}).get("test"))):
            if int(port) not in ports.get(name, ()):
                yield f"{name}: its health check asks port {port}"


@check("Prometheus asks every role and server, where they listen, and Grafana asks Prometheus")
def scraping(tree):
    ports, asked = listens(tree), set()
    for job in tree.yaml("compose/prometheus/prometheus.yml")["scrape_configs"]:
        targets = [(name, found["port"]) for found in job.get("dns_sd_configs", []) for name in found["names"]]
        for static in job.get("static_configs", []):
            targets += [tuple(target.rsplit(":", 1)) for target in static["targets"]]
        for host, port in targets:
            host = "prometheus" if host == "127.0.0.1" else host
            asked.add(host)
            if host not in tree.services:
                yield f"job {job['job_name']}: {host} is no service"
            elif int(port) not in ports[host]:
                yield f"job {job['job_name']}: {host} does not listen on {port}"
            elif host != "prometheus" and not meet(tree, "prometheus", host):
                yield f"job {job['job_name']}: prometheus and {host} have no network in common"
            if host in ("command-side", "query-side", "projector", "orchestrator") and job["job_name"] != host:
                yield f"job {job['job_name']}: alerts expect the role's name, {host}"
    wanted = {name for name, service in tree.services.items()
              if service["image"].startswith("eventflow:") and service["command"][0] == "serve"} | {"rabbitmq", "eventstore"}
    yield from (f"nobody asks {name} for its metrics" for name in sorted(wanted - asked))

    source = tree.yaml("compose/grafana/provisioning/datasources/prometheus.yaml")["datasources"][0]
    host, port = re.fullmatch(r"http://([a-z]+):(\d+)", source["url"]).groups()
    if host not in tree.services or int(port) not in ports[host] or not meet(tree, "grafana", host):
        yield f"Grafana does not reach {source['url']}"
