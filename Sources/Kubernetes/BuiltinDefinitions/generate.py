#!/usr/bin/env python3
"""Merges the OpenAPI v3 documents of a Kubernetes release into definitions.json.

  generate.py FOLDER        FOLDER holds api__v1_openapi.json, apis__apps__v1_openapi.json, ...

The result is one JSON object with `definitions`, `kinds` (GROUP/VERSION/KIND to definition) and `resources`. Each member
and element stands on a line of its own, so that a reader can index them without parsing; definitions are sorted by name.
"""
import glob
import json
import os
import re
import sys

ACTIONS = {"post": "create", "get": "get", "list": "list", "put": "update", "patch": "patch", "delete": "delete",
           "deletecollection": "deletecollection", "watch": "watch", "watchlist": "watch", "connect": "get"}
PATH = re.compile(
    r"^/(?:api|apis/(?P<group>[^/]+))/(?P<version>[^/]+)/(?:watch/)?(?P<namespaced>namespaces/\{namespace\}/)?"
    r"(?P<plural>[^/{}]+)(?P<item>/\{name\}(?:/(?P<subresource>[^/]+))?)?(?:/\{path\})?$")


def merged_definitions(documents):
    definitions = {}
    for document in documents:
        for name, schema in document["components"]["schemas"].items():
            known = definitions.setdefault(name, schema)
            if known == schema:
                continue
            # The same type, listed for the groups of each document (DeleteOptions, WatchEvent).
            kinds = "x-kubernetes-group-version-kind"
            if {**known, kinds: None} != {**schema, kinds: None}:
                sys.exit(f"{name} differs between documents")
            known[kinds] += [kind for kind in schema[kinds] if kind not in known[kinds]]
    return definitions


def merged_resources(documents):
    resources = {}
    for document in documents:
        for path, operations in document["paths"].items():
            match = PATH.match(path)
            if match:
                for method, operation in operations.items():
                    if method != "parameters" and "x-kubernetes-action" in operation:
                        add_operation(resources, match, method, operation)
    return [finished(resource) for _, resource in sorted(resources.items())]


def add_operation(resources, match, method, operation):
    group, version, plural = match["group"] or "", match["version"], match["plural"]
    resource = resources.setdefault((group, version, plural), {
        "group": group, "version": version, "plural": plural, "kind": None, "namespaced": False, "verbs": set(),
        "subresources": {}})
    resource["namespaced"] = resource["namespaced"] or bool(match["namespaced"])
    kind = operation["x-kubernetes-group-version-kind"]
    action = operation["x-kubernetes-action"]
    if match["subresource"]:
        name = match["subresource"]
        subresource = resource["subresources"].setdefault(name, {
            "name": name, "group": kind["group"], "version": kind["version"], "kind": kind["kind"], "verbs": set()})
        verb = {"get": "get", "post": "create", "put": "update", "patch": "patch", "delete": "delete"}.get(method)
        if action != "connect":
            verb = ACTIONS[action]
        if verb:
            subresource["verbs"].add(verb)
    else:
        resource["kind"] = kind["kind"]
        resource["verbs"].add(ACTIONS[action])


def finished(resource):
    subresources = [{**item, "verbs": sorted(item["verbs"])} for _, item in sorted(resource["subresources"].items())]
    return {**resource, "verbs": sorted(resource["verbs"]), "subresources": subresources}


def kinds(definitions):
    return sorted((f'{kind["group"]}/{kind["version"]}/{kind["kind"]}', name) for name, schema in definitions
                  for kind in schema.get("x-kubernetes-group-version-kind", []))


def lines(values):
    return ",\n".join(values)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    documents = []
    for name in sorted(glob.glob(os.path.join(sys.argv[1], "*.json"))):
        with open(name, encoding="utf-8") as file:
            documents.append(json.load(file))

    # What those documents leave out, in words of our own.
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "supplement.json"), encoding="utf-8") as file:
        supplement = json.load(file)

    def compact(value):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    definitions = sorted(merged_definitions([*documents, supplement]).items())
    text = '{"definitions":{\n' + lines(compact(name) + ":" + compact(schema) for name, schema in definitions)
    text += '\n},"kinds":{\n' + lines(compact(kind) + ":" + compact(name) for kind, name in kinds(definitions))
    text += '\n},"resources":[\n' + lines(compact(resource) for resource in sorted(
        merged_resources(documents) + supplement["resources"], key=lambda r: (r["group"], r["version"], r["plural"]))) + "\n]}\n"
    json.loads(text)
    target = os.path.join(os.path.dirname(os.path.abspath(__file__)), "definitions.json")
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)


main()
