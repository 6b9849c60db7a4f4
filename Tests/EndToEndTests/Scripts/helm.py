"""Helm's own engine, of the package helm-python-sdk, for machines without the program helm.

    helm.py template CHART RELEASE NAMESPACE < VALUES.json
    helm.py upgrade  CHART RELEASE NAMESPACE < VALUES.json     (installs what is not there)
    helm.py uninstall RELEASE NAMESPACE

The cluster is that of $KUBECONFIG. A fault is told on standard error, with exit status 1.
"""

import json
import os
import sys

import helm_python


def template(path, release, namespace):
    with helm_python.Chart.load(path) as chart:
        values = json.load(sys.stdin)
        chart.validate_schema(values)
        rendered = chart.render(values, name=release, namespace=namespace)
    for path in sorted(rendered):
        if path.endswith(".yaml"):
            print(f"---\n# Source: {path}\n{rendered[path]}")


def upgrade(path, release, namespace):
    values = json.load(sys.stdin)
    with configuration(namespace) as helm:
        known = {known["name"] for known in helm.list()}
        (helm.upgrade if release in known else helm.install)(path, release, values)


def uninstall(release, namespace):
    with configuration(namespace) as helm:
        helm.uninstall(release)


def configuration(namespace):
    return helm_python.Config(kubeconfig_path=os.environ["KUBECONFIG"], namespace=namespace)


try:
    {"template": template, "upgrade": upgrade, "uninstall": uninstall}[sys.argv[1]](*sys.argv[2:])
except helm_python.HelmError as error:
    sys.exit(f"{error}")
