"""The manifests, as they would be applied."""

import json
import re
import shutil
import tempfile

import yaml

from .kustomize import Unfit, build, containers, pod
from .tree import ASK_NOBODY, check, not_private, routes, run, tool

VERSION = "1.33"
OVERLAYS = ("kubernetes/overlays/try-out", "kubernetes/overlays/production")
EXTERNAL = {("Secret", "eventflow-secrets")}  # in production a secret store writes it
# Who answers which paths: the program and its gateway by their sources, the others as their makers say.
FOREIGN_ROUTES = {"nginx": {"/salud/borde"}, "eventstore/eventstore": {"/health/live"}}


def answered(container):
    image = container["image"].partition(":")[0]
    if image in FOREIGN_ROUTES:
        return FOREIGN_ROUTES[image]
    return routes("eventflow/src/gateway.rs" if container.get("args") == ["gateway"] else "operations/dependencies.rs")


def rendered(tree, overlay):
    """The objects of an overlay, built once for each tree."""
    built = tree.with_secrets.__dict__.setdefault("built", {})
    if overlay not in built:
        built[overlay] = build(tree.with_secrets.path(overlay))
    return built[overlay]


def each(tree, *kinds):
    """(overlay, object) of these kinds."""
    for overlay in OVERLAYS:
        for found in rendered(tree, overlay):
            if not kinds or found["kind"] in kinds:
                yield overlay.rsplit("/", 1)[1], found


def called(found):
    return f"{found['kind']} {found['metadata']['name']}"


def matches(selector, labels):
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for rule in selector.get("matchExpressions") or []:
        if rule["operator"] == "Exists" and rule["key"] not in labels:
            return False
        if rule["operator"] == "In" and labels.get(rule["key"]) not in rule["values"]:
            return False
    return True


def pods(tree, overlay):
    return [found for found in rendered(tree, overlay) if pod(found)]


@check("the overlays can be built, and every manifest is part of one")
def built(tree):
    for overlay in OVERLAYS:
        try:
            rendered(tree, overlay)
        except (Unfit, yaml.YAMLError) as error:
            yield str(error)
    listed = set()
    for name in tree.files():
        if name.endswith("/kustomization.yaml"):
            listed |= {f"{name.rsplit('/', 1)[0]}/{part}" for part in tree.yaml(name).get("resources", [])}
    for name in tree.files():
        if name.startswith("kubernetes/") and name.endswith(".yaml") and not name.endswith("kustomization.yaml"):
            if name not in listed:
                yield f"{name} is in no kustomization"


@check(f"every manifest is what Kubernetes {VERSION} takes, to the letter")
def schema(tree):
    validator = tool("kubernetes-validate")
    if not validator:
        yield "kubernetes-validate is not installed"
        return
    for overlay in OVERLAYS:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump_all(rendered(tree, overlay), file)
            file.flush()
            fine, said = run(validator, "--strict", "--quiet", "-k", VERSION, file.name)
            if not fine:
                yield said


@check("kubectl, where there is one, builds the same objects")
def agreed(tree):
    if not shutil.which("kubectl") or not run("kubectl", "kustomize", "--help")[0]:
        return
    for overlay in OVERLAYS:
        fine, said = run("kubectl", "kustomize", tree.with_secrets.path(overlay))
        if not fine:
            yield said
            continue
        plain = lambda text: re.sub(r"(edge-template|prometheus-rules|[a-z]+-(?:config|scripts|secrets))-[a-z0-9]{10}\b", r"\1", text)
        theirs = {each["kind"] + "/" + each["metadata"]["name"]: each for each in yaml.safe_load_all(plain(said))}
        own = {each["kind"] + "/" + each["metadata"]["name"]: each for each in rendered(tree, overlay)}
        yield from (f"{overlay}: only one of the two has {name}" for name in sorted(set(theirs) ^ set(own)))
        for name in sorted(set(theirs) & set(own)):
            if own[name]["kind"] == "Secret":
                continue
            if json.dumps(theirs[name], sort_keys=True) != json.dumps(own[name], sort_keys=True):
                yield f"{overlay}: kubectl builds another {name}"


@check("selectors select: workloads their own pods, services, budgets and policies some")
def selectors(tree):
    for overlay in OVERLAYS:
        there = [pod(found)[0]["labels"] for found in pods(tree, overlay)]
        for found in rendered(tree, overlay):
            spec = found.get("spec") or {}
            if found["kind"] in ("Deployment", "StatefulSet"):
                if not matches(spec["selector"], pod(found)[0]["labels"]):
                    yield f"{called(found)} does not select its own pods"
            selector = {"Service": {"matchLabels": spec.get("selector")}, "PodDisruptionBudget": spec.get("selector"),
                        "NetworkPolicy": spec.get("podSelector")}.get(found["kind"])
            if selector is not None and not any(matches(selector, labels) for labels in there):
                yield f"{overlay}: {called(found)} selects nothing"
            for place in pod(found)[1].get("topologySpreadConstraints", []) if pod(found) else []:
                if not matches(place["labelSelector"], pod(found)[0]["labels"]):
                    yield f"{called(found)} spreads other pods than its own"


@check("autoscalers and budgets are for workloads that are there, and leave room to move")
def scaling(tree):
    for overlay in OVERLAYS:
        objects = rendered(tree, overlay)
        workloads = {(found["kind"], found["metadata"]["name"]): found for found in objects}
        least = {name: found["spec"].get("replicas", 1) for (kind, name), found in workloads.items() if kind == "Deployment"}
        for found in (each for each in objects if each["kind"] == "HorizontalPodAutoscaler"):
            target = found["spec"]["scaleTargetRef"]
            workload = workloads.get((target["kind"], target["name"]))
            if not workload:
                yield f"{called(found)} is for {target['kind']} {target['name']}, which is not there"
                continue
            if "replicas" in workload["spec"]:
                yield f"{called(workload)} says how many there are, and so does its autoscaler"
            if any("cpu" not in container["resources"]["requests"] for container in containers(workload)):
                yield f"{called(found)} measures against a request that is not there"
            least[target["name"]] = found["spec"]["minReplicas"]
        for found in (each for each in objects if each["kind"] == "PodDisruptionBudget"):
            name = found["metadata"]["name"]
            if name not in least:
                yield f"{called(found)} is for no Deployment"
            elif found["spec"]["minAvailable"] >= least[name]:
                yield f"{called(found)}: of {least[name]} none may ever be moved"
        for role in ("command-side", "query-side", "orchestrator", "projector", "edge"):
            if ("PodDisruptionBudget", role) not in workloads:
                yield f"{role} has no disruption budget"
            if role != "projector" and ("HorizontalPodAutoscaler", role) not in workloads:
                yield f"{role} has no autoscaler"


def values_from(found):
    """(kind, name, key or None) of everything that a pod takes from elsewhere."""
    spec = pod(found)[1]
    for container in containers(found):
        for source in container.get("envFrom", []):
            for key, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if key in source:
                    yield kind, source[key]["name"], None
        for variable in container.get("env", []):
            for key, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                source = variable.get("valueFrom", {}).get(key)
                if source:
                    yield kind, source["name"], source["key"]
    claimed = {claim["metadata"]["name"] for claim in found["spec"].get("volumeClaimTemplates", [])}
    for volume in spec.get("volumes", []):
        if "configMap" in volume:
            subpaths = [mount["subPath"] for container in containers(found)
                        for mount in container.get("volumeMounts", []) if mount["name"] == volume["name"] and "subPath" in mount]
            yield from (("ConfigMap", volume["configMap"]["name"], path) for path in subpaths or [None])
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"], None
        if "persistentVolumeClaim" in volume:
            yield "PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"], None
    have = claimed | {volume["name"] for volume in spec.get("volumes", [])}
    for container in containers(found):
        for mount in container.get("volumeMounts", []):
            if mount["name"] not in have:
                yield "volume", mount["name"], None


@check("whatever a pod takes from elsewhere is there: ConfigMaps, Secrets, claims, volumes, keys, ports")
def references(tree):
    for overlay in OVERLAYS:
        objects = {(found["kind"], found["metadata"]["name"]): found for found in rendered(tree, overlay)}
        for found in pods(tree, overlay):
            for kind, name, key in values_from(found):
                source = objects.get((kind, name))
                if source is None:
                    if not (overlay.endswith("production") and (kind, name) in EXTERNAL):
                        yield f"{overlay}: {called(found)} wants {kind} {name}, which is not there"
                elif key and key not in (source.get("data") or source.get("stringData")):
                    yield f"{overlay}: {called(found)} wants {key} of {kind} {name}, which has none"
            for container in containers(found):
                ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
                for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                    way = container.get(probe, {})
                    port = (way.get("httpGet") or way.get("tcpSocket") or {}).get("port")
                    if port is not None and port not in ports:
                        yield f"{called(found)}: its {probe} asks the port {port}, which it has not"
        for (kind, name), found in objects.items():
            if kind == "Service":
                behind = [each for each in pods(tree, overlay)
                          if matches({"matchLabels": found["spec"]["selector"]}, pod(each)[0]["labels"])]
                ports = {port["name"] for each in behind for container in containers(each) for port in container.get("ports", [])}
                yield from (f"{called(found)}: nobody listens on {port['targetPort']}"
                            for port in found["spec"]["ports"] if port["targetPort"] not in ports)
            if kind == "Ingress":
                for path in found["spec"]["rules"][0]["http"]["paths"]:
                    service = objects.get(("Service", path["backend"]["service"]["name"]))
                    wanted = path["backend"]["service"]["port"]["name"]
                    if not service or wanted not in {port["name"] for port in service["spec"]["ports"]}:
                        yield f"{called(found)}: its backend is not there"


@check("every address in the manifests is a Service on the port that it listens on")
def addresses(tree):
    overlay = OVERLAYS[0]
    services = {found["metadata"]["name"]: found for found in rendered(tree, overlay) if found["kind"] == "Service"}
    texts = []
    for found in rendered(tree, overlay):
        texts += [(called(found), str(value)) for value in (found.get("data") or found.get("stringData") or {}).values()
                  if found["kind"] in ("ConfigMap", "Secret") and "\n" not in str(value)]
        for container in containers(found) if pod(found) else []:
            texts += [(called(found), variable.get("value", "")) for variable in container.get("env", [])]
            texts += [(called(found), text) for text in container.get("command", [])]
    for where, text in texts:
        for host, port in re.findall(r"(?:://(?:[^\s@/]*@)?|\bserver |^)([a-z][a-z0-9.-]*):(\d+)\b", text):
            parts = host.split(".")
            if re.fullmatch(r"[a-z]+-\d", parts[0]):
                parts = parts[1:]  # a pod of a StatefulSet, by its headless service
            if len(parts) > 1 and parts[1:] != ["eventflow", "svc", "cluster", "local"]:
                yield f"{where}: {host} is in another namespace"
            elif parts[0] not in services:
                yield f"{where}: {host} is no Service"
            elif int(port) not in {port["port"] for port in services[parts[0]]["spec"]["ports"]}:
                yield f"{where}: the Service {parts[0]} has no port {port}"


@check("every container is probed, on paths that somebody answers")
def probes(tree):
    for _, found in each(tree, "Deployment", "StatefulSet"):
        for container in containers(found):
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                if probe not in container:
                    yield f"{called(found)} has no {probe}"
                path = container.get(probe, {}).get("httpGet", {}).get("path")
                if path and path not in answered(container):
                    yield f"{called(found)}: nobody answers {path}"
    if "location = /salud/borde" not in tree.text("compose/nginx/nginx.conf.template"):
        yield "nginx does not answer /salud/borde"


@check("in the manifests too, only what asks nobody trusts its network, and only private networks are believed")
def trust(tree):
    for overlay in OVERLAYS:
        data = {found["metadata"]["name"]: found.get("data") or {} for found in rendered(tree, overlay) if found["kind"] == "ConfigMap"}
        for found in pods(tree, overlay):
            for container in containers(found):
                if not container["image"].rsplit("/", 1)[-1].startswith("eventflow:"):
                    continue
                given = {variable["name"]: variable.get("value", "") for variable in container.get("env", [])}
                for source in container.get("envFrom", []):
                    given.update(data.get(source.get("configMapRef", {}).get("name"), {}))
                nobody = container["args"][0] in ASK_NOBODY
                if ("EVENTFLOW_TRUST_NETWORK" in given) != nobody:
                    yield f"{called(found)}: EVENTFLOW_TRUST_NETWORK is {'missing' if nobody else 'for what asks nobody'}"
                proxies = given.get("EVENTFLOW_TRUSTED_PROXIES")
                if (proxies is None) != nobody:
                    yield f"{called(found)}: EVENTFLOW_TRUSTED_PROXIES is {'for what counts callers' if nobody else 'missing'}"
                yield from (f"{called(found)}: {problem}" for problem in not_private(proxies.split(",") if proxies else []))
        front = re.findall(r"set_real_ip_from ([^;]+);", data["edge-config"]["EDGE_PROXIES"])
        yield from (f"edge-config: {problem}" for problem in not_private(front))
        if not front:
            yield "edge-config: the ingress is taken for the caller of everything"


@check("every pod runs as nobody, with limits, and ours on a read-only file system")
def hardened(tree):
    for _, found in each(tree, "Deployment", "StatefulSet", "Job"):
        spec, name = pod(found)[1], called(found)
        security = spec.get("securityContext", {})
        if not security.get("runAsNonRoot") or not security.get("runAsUser"):
            yield f"{name} may run as root"
        if security.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name} has no seccomp profile"
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name} is given a token of the cluster"
        for container in containers(found):
            own = container.get("securityContext", {})
            if own.get("allowPrivilegeEscalation") is not False or own.get("capabilities", {}).get("drop") != ["ALL"]:
                yield f"{name} may gain privileges"
            if re.search(r"eventflow:|nginx:", container["image"]) and not own.get("readOnlyRootFilesystem"):
                yield f"{name} may write to its image"
            resources = container.get("resources", {})
            if not {"cpu", "memory"} <= set(resources.get("requests", {})) or "memory" not in resources.get("limits", {}):
                yield f"{name} has no requests or no limit of memory"


@check("every port of a Service is opened by a network policy, and all else is closed")
def policies(tree):
    for overlay in OVERLAYS:
        rules = [found["spec"] for found in rendered(tree, overlay) if found["kind"] == "NetworkPolicy"]
        if not any(rule["podSelector"] == {} and set(rule["policyTypes"]) == {"Ingress", "Egress"} and not rule.get("ingress")
                   and not rule.get("egress") for rule in rules):
            yield f"{overlay}: nothing is closed"
        for found in pods(tree, overlay):
            labels, opened, everything = pod(found)[0]["labels"], set(), False
            for rule in rules:
                if matches(rule["podSelector"], labels):
                    for way in rule.get("ingress", []):
                        everything = everything or "ports" not in way
                        opened |= {port["port"] for port in way.get("ports", [])}
            for container in containers(found):
                for port in container.get("ports", []):
                    if not everything and port["containerPort"] not in opened:
                        yield f"{overlay}: no policy lets anybody reach {called(found)} on {port['containerPort']}"
