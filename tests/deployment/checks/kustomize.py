"""As much of kustomize as kubernetes/ uses, so that what is applied can be checked where no kubectl is.

Does: resources (files and folders), namespace, labels, images, configMapGenerator, secretGenerator, JSON patches with
`add` and `replace`. Anything else in a kustomization is refused, so that it cannot be forgotten here. Generated names
keep their plain form, without the hash of their content.
"""

import copy
import pathlib

import yaml

KNOWN = {"apiVersion", "kind", "namespace", "labels", "resources", "images", "configMapGenerator", "secretGenerator",
         "patches"}
CLUSTER_WIDE = {"Namespace"}


class Unfit(Exception):
    """The kustomization cannot be built."""


def build(folder):
    """All objects of a folder, as kustomize would write them."""
    folder = pathlib.Path(folder).resolve()
    file = folder / "kustomization.yaml"
    if not file.is_file():
        raise Unfit(f"{folder}: no kustomization.yaml")
    plan = yaml.safe_load(file.read_text(encoding="utf-8"))
    strange = set(plan) - KNOWN
    if strange:
        raise Unfit(f"{file}: {', '.join(sorted(strange))} is not known to this check")

    objects = []
    for name in plan.get("resources", []):
        path = (folder / name).resolve()
        if path.is_dir():
            objects += build(path)
        elif not path.is_file():
            raise Unfit(f"{file}: {name} is not there")
        elif folder not in path.parents:
            raise Unfit(f"{file}: {name} is a file outside of its folder, which kustomize refuses")
        else:
            objects += [found for found in yaml.safe_load_all(path.read_text(encoding="utf-8")) if found]
    for kind, generators in (("ConfigMap", "configMapGenerator"), ("Secret", "secretGenerator")):
        objects += [generated(folder, kind, generator) for generator in plan.get(generators, [])]

    seen = set()
    for found in objects:
        if plan.get("namespace") and found["kind"] not in CLUSTER_WIDE:
            found["metadata"]["namespace"] = plan["namespace"]
        for labels in plan.get("labels", []):
            found["metadata"].setdefault("labels", {}).update(labels["pairs"])
        name = (found["kind"], found["metadata"]["name"])
        if name in seen:
            raise Unfit(f"{file}: {name[0]} {name[1]} is there twice")
        seen.add(name)
        for container in containers(found):
            rename(container, plan.get("images", []))
    for patch in plan.get("patches", []):
        apply(objects, patch, file)
    return objects


def generated(folder, kind, generator):
    data = {}
    for name in generator.get("files", []):
        key, _, source = name.rpartition("=")
        path = folder / source
        if not path.is_file():
            raise Unfit(f"{folder}: {source} is not there")
        data[key or path.name] = path.read_text(encoding="utf-8")
    for name in generator.get("envs", []):
        path = folder / name
        if not path.is_file():
            raise Unfit(f"{folder}: {name} is not there")
        data.update(line.split("=", 1) for line in path.read_text(encoding="utf-8").splitlines() if "=" in line)
    content = {"data": data} if kind == "ConfigMap" else {"stringData": data, "type": "Opaque"}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": generator["name"]}, **content}


def pod(found):
    """The pod that an object makes, if any: (metadata, spec)."""
    template = found.get("spec", {}).get("template") if isinstance(found.get("spec"), dict) else None
    return (template["metadata"], template["spec"]) if template else None


def containers(found):
    made = pod(found)
    return made[1].get("initContainers", []) + made[1]["containers"] if made else []


def rename(container, images):
    name, _, tag = container["image"].partition(":")
    for image in images:
        if image["name"] == name:
            container["image"] = f"{image.get('newName', name)}:{image.get('newTag', tag)}"


def apply(objects, patch, file):
    target = patch["target"]
    found = [each for each in objects
             if each["kind"] == target["kind"] and each["metadata"]["name"] == target["name"]]
    if not found:
        raise Unfit(f"{file}: a patch is for {target['kind']} {target['name']}, which is not there")
    for each in found:
        for step in yaml.safe_load(patch["patch"]):
            *way, last = step["path"].strip("/").split("/")
            place = each
            try:
                for part in way:
                    place = place[int(part)] if isinstance(place, list) else place[part]
                if step["op"] == "replace":
                    place[last]  # it must be there  # noqa: B018
                elif step["op"] != "add":
                    raise Unfit(f"{file}: {step['op']} is not known to this check")
            except (KeyError, IndexError) as missing:
                raise Unfit(f"{file}: nothing is at {step['path']}") from missing
            place[last] = copy.deepcopy(step["value"])
