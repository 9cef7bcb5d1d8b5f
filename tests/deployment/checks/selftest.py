"""Breaks a copy in one way after the other and asks the check concerned whether it notices. A check that cannot fail
checks nothing."""

import tempfile

from .tree import Tree

C, K = "compose/compose.yaml", "kubernetes/base/"

# (what is done, file, what is replaced, by what, words of the sentence of the check that must notice). The first place
# only; None deletes the file.
WAYS = [
    ("a service is misspelled", C, "depends_on: &servers", "dependz_on: &servers", "compose specification"),
    ("an image loses its pin", C, "image: redis:7.4.6-alpine", "image: redis:7-alpine", "pinned"),
    ("an image is the latest", K + "edge.yaml", "image: nginx:1.28.0-alpine", "image: nginx:latest", "pinned"),
    ("Kubernetes runs another Redis", "kubernetes/overlays/try-out/redis.yaml", "redis:7.4.6-alpine", "redis:7.4.5-alpine", "pinned"),
    ("the build starts from any Debian", "compose/Dockerfile", "FROM debian:12.13-slim", "FROM debian:bookworm-slim", "pinned"),
    ("a volume is used and not declared", C, "- mongodb-data:/data/db", "- mongo-data:/data/db", "declares all"),
    ("a network is used and not declared", C, "networks: [front]", "networks: [edge]", "declares all"),
    ("a file that is mounted is not there", "compose/redis/redis.conf", None, None, "declares all"),
    ("a service waits for one that is not there", C, "mongodb: {condition: service_healthy}", "mongo: {condition: service_healthy}", "declares all"),
    ("a service has no health check", C, 'test: ["CMD", "eventflow", "health", "http://127.0.0.1:8080/salud/viva"]', "disable: true", "has a health check"),
    ("a limit is taken away", C, "limits: {cpus: \"1.0\", memory: 128M}", "limits: {cpus: \"1.0\"}", "has a health check"),
    ("a service is not started again", C, "  restart: unless-stopped\n", "", "has a health check"),
    ("a service is privileged", C, "    read_only: true\n    tmpfs: [\"/run/edge", "    privileged: true\n    tmpfs: [\"/run/edge", "has a health check"),
    ("MongoDB is published", C, "    networks: [back]\n    ulimits: {nofile: {soft: 64000", "    networks: [back]\n    ports: [\"127.0.0.1:27017:27017\"]\n    ulimits: {nofile: {soft: 64000", "this machine only"),
    ("Grafana is open to the world", C, '"127.0.0.1:3000:3000"', '"3000:3000"', "this machine only"),
    ("the servers can reach the internet", C, "back: {internal: true}", "back: {}", "this machine only"),
    ("a password is written down", C, "REDIS_PASSWORD: ${REDIS_PASSWORD:?run compose/init first}", "REDIS_PASSWORD: tr0ub4dor", "holds a secret"),
    ("a password may be empty", C, "MONGODB_PASSWORD: ${MONGODB_PASSWORD:?run compose/init first}", "MONGODB_PASSWORD: ${MONGODB_PASSWORD:-}", "holds a secret"),
    ("a URL holds a password", K + "config.yaml", "http://gateway:9090", "http://me:hunter22@gateway:9090", "holds a secret"),
    ("a master key is in an example", "compose/.env.example", "EVENTFLOW_MASTER_KEY=\n", "EVENTFLOW_MASTER_KEY=" + "q" * 43 + "=\n", "holds a secret"),
    ("git would take .env", "compose/.gitignore", "/.env\n", "", "holds a secret"),
    ("the other master key is always set", "compose/.env.example", "# EVENTFLOW_MASTER_KEY_PREVIOUS=\n", "", "holds a secret"),
    ("a variable is in no example", C, "${LANES:-4}", "${LANEZ:-4}", "name the same variables"),
    ("a setting is misspelled", C, "EVENTFLOW_LANES: ", "EVENTFLOW_LANE: ", "is a setting"),
    ("a setting is misspelled for Kubernetes", K + "config.yaml", "EVENTFLOW_TRUSTED_PROXIES", "EVENTFLOW_TRUST_PROXIES", "is a setting"),
    ("a role is not told how much one may ask", C, "    EVENTFLOW_RATE_LIMIT: ${RATE_LIMIT:-100}\n", "", "is a setting"),
    ("a role trusts its network again", C, "    EVENTFLOW_TRUSTED_PROXIES:", "    EVENTFLOW_TRUST_NETWORK: \"yes\"\n    EVENTFLOW_TRUSTED_PROXIES:", "only what asks nobody who"),
    ("nobody says that the gateway's network is trusted", C, "      EVENTFLOW_TRUST_NETWORK: \"yes\"\n", "", "only what asks nobody who"),
    ("the gateway is in a network with a way out", C, "    volumes: [\"gateway-data:/data\"]\n    networks: [back]", "    volumes: [\"gateway-data:/data\"]\n    networks: [back, operators]", "only what asks nobody who"),
    ("everybody is believed about where they come from", C, "10.0.0.0/8,172.16.0.0/12", "0.0.0.0/0,172.16.0.0/12", "only what asks nobody who"),
    ("a proxy that is trusted is no network", C, "172.16.0.0/12,192.168.0.0/16", "172.16.0.0/8,192.168.0.0/16", "only what asks nobody who"),
    ("nginx believes its neighbours about callers", C, "${EDGE_PROXY:-127.0.0.1}", "${EDGE_PROXY:-172.16.0.0/12}", "only what asks nobody who"),
    ("a role trusts its network again on Kubernetes", K + "config.yaml", "  EVENTFLOW_LANES", "  EVENTFLOW_TRUST_NETWORK: \"yes\"\n  EVENTFLOW_LANES", "in the manifests too"),
    ("nginx counts as the caller of everything on Kubernetes", K + "config.yaml", "  EVENTFLOW_TRUSTED_PROXIES: ", "  EVENTFLOW_NODE: ", "in the manifests too"),
    ("everybody is believed on Kubernetes", K + "config.yaml", "10.0.0.0/8,", "0.0.0.0/0,", "in the manifests too"),
    ("the ingress counts as the caller of everything", K + "edge.yaml", "set_real_ip_from 10.0.0.0/8; set_real_ip_from 172.16.0.0/12; set_real_ip_from 192.168.0.0/16;", "\"\"", "in the manifests too"),
    ("the gateway does not say that its network is trusted on Kubernetes", K + "gateway.yaml", "            - {name: EVENTFLOW_TRUST_NETWORK, value: \"yes\"}\n", "", "in the manifests too"),
    ("a role is misspelled", C, "[serve, orchestrator]", "[serve, orchestra]", "subcommands and roles"),
    ("a subcommand is misspelled", K + "gateway.yaml", "args: [gateway]", "args: [gate]", "subcommands and roles"),
    ("init makes a secret again at every run", "compose/init", 'if grep -q "^$name=." "$file"; then continue; fi', "", "makes every secret once"),
    ("others may read .env", "compose/init", "chmod 600", "chmod 644", "makes every secret once"),
    ("a README links to nothing", "compose/README.md", "](nginx/render)", "](nginx/rendered)", "READMEs link"),
    ("a README links to no heading", "compose/README.md", "## The first administrator", "## Administrators", "READMEs link"),
    ("the image runs as root", "compose/Dockerfile", "USER 10001:10001", "USER root", "Dockerfile builds"),
    ("a member of the workspace is not copied", "compose/Dockerfile", "COPY projector projector\n", "", "Dockerfile builds"),
    ("a folder is kept out of the build", "compose/Dockerfile.dockerignore", "!query-side\n", "", "Dockerfile builds"),
    ("the linter has something to say", "compose/Dockerfile", "WORKDIR /data", "WORKDIR data", "Dockerfile builds"),
    ("nginx listens elsewhere than it is asked", C, 'EDGE_LISTEN: "8080"', 'EDGE_LISTEN: "8081"', "health check asks the port"),
    ("a role listens elsewhere", C, "EVENTFLOW_LISTEN: 0.0.0.0:8080", "EVENTFLOW_LISTEN: 0.0.0.0:8088", "every address in compose.yaml"),
    ("an address has the wrong port", C, "http://gateway:9090", "http://gateway:9091", "every address in compose.yaml"),
    ("an address names nobody", C, "@mongodb:27017", "@mongo:27017", "every address in compose.yaml"),
    ("nginx cannot reach what it asks", C, "command: [serve, query-side]\n    networks: [front, back]", "command: [serve, query-side]\n    networks: [back]", "every address in compose.yaml"),
    ("Prometheus forgets a role", "compose/prometheus/prometheus.yml", "names: [orchestrator]", "names: [projector]", "Prometheus asks every"),
    ("Prometheus asks the wrong port", "compose/prometheus/prometheus.yml", "eventstore:2113", "eventstore:2114", "Prometheus asks every"),
    ("Grafana asks somebody else", "compose/grafana/provisioning/datasources/prometheus.yaml", "prometheus:9090", "prometheus:9091", "Prometheus asks every"),
    ("the template has a variable that nobody sets", "compose/nginx/nginx.conf.template", "${EDGE_WORKERS}", "${EDGE_WORKER}", "variable of the nginx template"),
    ("nginx speaks with a code of its own", "compose/nginx/nginx.conf.template", '"codigo":"SERVICIO_NO_DISPONIBLE"', '"codigo":"NO_DISPONIBLE"', "what nginx says itself"),
    ("a semicolon is missing", "compose/nginx/nginx.conf.template", "server_tokens off;", "server_tokens off", "nginx takes"),
    ("a hold is read from the query side", "compose/nginx/nginx.conf.template", "/bloqueos/[^/]+$", "/blokeos/[^/]+$", "nginx takes"),
    ("commands go to the query side", "compose/nginx/nginx.conf.template", "        default 1;", "        default 0;", "nginx takes"),
    ("a command is sent twice", "compose/nginx/nginx.conf.template", "proxy_next_upstream error timeout;", "proxy_next_upstream error timeout non_idempotent;", "nginx takes"),
    ("event streams come from the command side", "compose/nginx/nginx.conf.template", "query_side;\n            proxy_buffering off;", "command_side;\n            proxy_buffering off;", "nginx takes"),
    ("nothing is packed", "compose/nginx/nginx.conf.template", "    gzip on;", "    gzip off;", "nginx takes"),
    ("answers with tokens are packed", "compose/nginx/nginx.conf.template", "proxy_read_timeout 40s;\n            gzip off;", "proxy_read_timeout 40s;", "nginx takes"),
    ("a token is lost on the way", "compose/nginx/nginx.conf.template", "    proxy_set_header Connection \"\";\n", "    proxy_set_header Connection \"\";\n    proxy_set_header Authorization \"\";\n", "nginx takes"),
    ("tokens are logged", "compose/nginx/nginx.conf.template", '"status":$status', '"token":"$http_authorization","status":$status', "nginx takes"),
    ("callers' addresses are logged", "compose/nginx/nginx.conf.template", '"status":$status', '"from":"$remote_addr","status":$status', "nginx takes"),
    ("what a caller says of their address is passed on as it is", "compose/nginx/nginx.conf.template", "X-Forwarded-For $proxy_add_x_forwarded_for", "X-Forwarded-For $http_x_forwarded_for", "nginx takes"),
    ("what stands in front is taken for the caller", "compose/nginx/nginx.conf.template", "real_ip_header X-Forwarded-For", "real_ip_header X-Real-IP", "nginx takes"),
    ("nobody says when to come back", "compose/nginx/nginx.conf.template", "add_header Retry-After 1 always;", "", "nginx takes"),
    ("request ids are lost", "compose/nginx/nginx.conf.template", "proxy_set_header X-Request-Id $edge_request_id;", "", "nginx takes"),
    ("a standby is taken for the projector", "compose/nginx/nginx.conf.template", "error timeout http_503 non_idempotent", "error timeout", "nginx takes"),
    ("a rule does not parse", "compose/prometheus/alerts.yml", "expr: max(eventflow_parked_streams) > 0", "expr: max(eventflow_parked_streams >", "takes its configuration"),
    ("an alert fires too late", "compose/prometheus/alerts.yml", "(eventflow_dependency_up) == 0\n        for: 10s", "(eventflow_dependency_up) == 0\n        for: 10m", "fires when it must"),
    ("an alert fires on a healthy platform", "compose/prometheus/alerts.yml", "sum(eventflow_sagas_open) > 5000", "sum(eventflow_sagas_open) > 50", "fires when it must"),
    ("an alert has no test", "compose/prometheus/alerts.yml", "- alert: StreamsParked", "- alert: StreamsPut", "fires when it must"),
    ("an alert does not say how bad it is", "compose/prometheus/alerts.yml", "labels: {severity: critical}", "labels: {}", "says how bad"),
    ("a metric is misspelled in an alert", "compose/prometheus/alerts.yml", "sum(eventflow_sagas_open)", "sum(eventflow_saga_open)", "every metric and label"),
    ("a metric is misspelled on a dashboard", "compose/grafana/dashboards/selling.json", "eventflow_payments_total", "eventflow_payment_total", "every metric and label"),
    ("a counter is taken for a histogram", "compose/grafana/dashboards/selling.json", "eventflow_payments_total", "eventflow_payments_total_bucket", "every metric and label"),
    ("a label is misspelled", "compose/grafana/dashboards/selling.json", "sum by (step)", "sum by (stepp)", "every metric and label"),
    ("an expression does not parse", "compose/grafana/dashboards/platform.json", "max(eventflow_parked_streams)", "max(eventflow_parked_streams", "dashboards are sound"),
    ("two panels lie on each other", "compose/grafana/dashboards/platform.json", '"x": 8,', '"x": 7,', "dashboards are sound"),
    ("a panel asks nobody", "compose/grafana/dashboards/platform.json", '"uid": "prometheus"\n   },\n   "fieldConfig"', '"uid": "prom"\n   },\n   "fieldConfig"', "dashboards are sound"),
    ("nothing shows compensations", "compose/grafana/dashboards/selling.json", "eventflow_saga_compensations_total", "eventflow_payments_total", "what an operator has to see", "all"),
    ("a manifest is forgotten", K + "kustomization.yaml", "  - orchestrator.yaml\n", "", "overlays can be built"),
    ("a manifest is not there", K + "projector.yaml", None, None, "overlays can be built"),
    ("a patch is for nothing", "kubernetes/overlays/production/kustomization.yaml", "kind: Ingress, name: edge", "kind: Ingress, name: edges", "overlays can be built"),
    ("a field is misspelled", K + "command-side.yaml", "terminationGracePeriodSeconds", "terminationGraceSeconds", "to the letter"),
    ("a Deployment does not select its pods", K + "query-side.yaml", "matchLabels: {app.kubernetes.io/name: query-side}\n  template", "matchLabels: {app.kubernetes.io/name: queries}\n  template", "selectors select"),
    ("a Service selects nothing", K + "gateway.yaml", "selector: {app.kubernetes.io/name: gateway}\n  ports", "selector: {app.kubernetes.io/name: gate}\n  ports", "selectors select"),
    ("a budget selects nothing", K + "edge.yaml", "  unhealthyPodEvictionPolicy: AlwaysAllow\n  selector:\n    matchLabels: {app.kubernetes.io/name: edge}", "  unhealthyPodEvictionPolicy: AlwaysAllow\n  selector:\n    matchLabels: {app.kubernetes.io/name: nginx}", "selectors select"),
    ("an autoscaler is for nothing", K + "query-side.yaml", "kind: Deployment, name: query-side", "kind: Deployment, name: queries", "autoscalers and budgets"),
    ("a budget lets no pod ever be moved", K + "projector.yaml", "minAvailable: 1", "minAvailable: 2", "autoscalers and budgets"),
    ("a count fights with its autoscaler", K + "command-side.yaml", "  revisionHistoryLimit: 3", "  replicas: 3\n  revisionHistoryLimit: 3", "autoscalers and budgets"),
    ("a ConfigMap is not there", K + "orchestrator.yaml", "configMapRef: {name: eventflow-config}", "configMapRef: {name: eventflow-settings}", "takes from elsewhere"),
    ("a Secret has no such key", "kubernetes/overlays/try-out/mongodb.yaml", "key: MONGODB_PASSWORD", "key: MONGO_PASSWORD", "takes from elsewhere"),
    ("a volume is mounted that is not there", K + "edge.yaml", "{name: run, mountPath", "{name: runs, mountPath", "takes from elsewhere"),
    ("a probe asks a port that is not there", K + "gateway.yaml", "path: /salud/viva, port: http", "path: /salud/viva, port: web", "takes from elsewhere"),
    ("an address names no Service", K + "config.yaml", "http://gateway:9090", "http://payments:9090", "every address in the manifests"),
    ("nginx looks in another namespace", K + "edge.yaml", "command-side.eventflow.svc", "command-side.tickets.svc", "every address in the manifests"),
    ("a probe's path is misspelled", K + "command-side.yaml", "path: /salud/lista", "path: /salud/listo", "is probed"),
    ("the gateway is asked what it does not answer", K + "gateway.yaml", "path: /salud/viva", "path: /salud/lista", "is probed"),
    ("a probe is missing", K + "query-side.yaml", "livenessProbe", "lifelinessProbe", "is probed"),
    ("a pod may run as root", K + "projector.yaml", "runAsNonRoot: true", "runAsNonRoot: false", "runs as nobody"),
    ("a pod may write to its image", K + "command-side.yaml", "readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "runs as nobody"),
    ("nothing is closed", K + "network-policies.yaml", "policyTypes: [Ingress, Egress]\n", "policyTypes: [Ingress]\n", "network policy"),
    ("a port is closed to everybody", K + "network-policies.yaml", "ports: [{protocol: TCP, port: 9090}]", "ports: [{protocol: TCP, port: 9091}]", "network policy"),
]


def broken(chosen, tree, problems_of):
    """(what was done, whether it was noticed, why not) for each way that a chosen check is asked about."""
    for sentence, file, old, new, words, *how in WAYS:
        checks = [function for said, function in chosen if words in said]
        if not checks:
            continue
        with tempfile.TemporaryDirectory(prefix="eventflow-broken-") as folder:
            copy = tree.copy(folder)
            path = copy.path(file)
            if old is None:
                path.unlink()
            else:
                text = path.read_text(encoding="utf-8")
                if old not in text:
                    yield sentence, False, f"{file} does not have what was to be replaced"
                    continue
                path.write_text(text.replace(old, new, -1 if how else 1), encoding="utf-8")
            found = [problem for function in checks for problem in problems_of(function, Tree(folder))]
            yield sentence, bool(found), "" if found else f"nobody noticed in {file}"
