"""The official Python client, unchanged, against the cluster of the kubeconfig in argv[1]: what it does must just work."""
import sys
import time

from kubernetes import client, config, watch

config.load_kube_config(sys.argv[1])
core, apps = client.CoreV1Api(), client.AppsV1Api()
extensions, custom = client.ApiextensionsV1Api(), client.CustomObjectsApi()
NS = "python"


def refused(status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except client.ApiException as error:
        assert error.status == status, (error.status, error.body)
        return error
    raise AssertionError(f"{call.__name__} was not refused")


core.create_namespace(client.V1Namespace(metadata=client.V1ObjectMeta(name=NS)))

# create, read, replace, patch, list, delete
made = core.create_namespaced_config_map(NS, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a"), data={"k": "1"}))
assert made.metadata.uid and made.metadata.creation_timestamp
refused(409, core.create_namespaced_config_map, NS, client.V1ConfigMap(metadata=client.V1ObjectMeta(name="a")))
made.data["k"] = "2"
replaced = core.replace_namespaced_config_map("a", NS, made)
assert replaced.data == {"k": "2"}
refused(409, core.replace_namespaced_config_map, "a", NS, made)  # the old resourceVersion
core.patch_namespaced_config_map("a", NS, {"metadata": {"labels": {"team": "blue"}}})
assert [item.metadata.name for item in core.list_namespaced_config_map(NS, label_selector="team=blue").items] == ["a"]
generated = core.create_namespaced_secret(NS, client.V1Secret(metadata=client.V1ObjectMeta(generate_name="s-"), string_data={"p": "w"}))
assert generated.data == {"p": "dw=="} and generated.metadata.name.startswith("s-")

# a watch from a list's resource version sees each change once, in order
version = core.list_namespaced_config_map(NS).metadata.resource_version
for value in "345":
    core.patch_namespaced_config_map("a", NS, {"data": {"k": value}})
core.delete_namespaced_config_map("a", NS)
seen = []
for event in watch.Watch().stream(core.list_namespaced_config_map, NS, resource_version=version, timeout_seconds=20):
    seen.append((event["type"], event["object"].data["k"]))
    if event["type"] == "DELETED":
        break
assert seen == [("MODIFIED", "3"), ("MODIFIED", "4"), ("MODIFIED", "5"), ("DELETED", "5")], seen
refused(404, core.read_namespaced_config_map, "a", NS)

# paging
for number in range(7):
    core.create_namespaced_config_map(NS, client.V1ConfigMap(metadata=client.V1ObjectMeta(name=f"p{number}", labels={"page": "y"})))
names, token = [], None
while True:
    page = core.list_namespaced_config_map(NS, label_selector="page=y", limit=3, _continue=token)
    names += [item.metadata.name for item in page.items]
    token = page.metadata._continue
    if not token:
        break
assert names == [f"p{number}" for number in range(7)], names

# a typed workload with defaults, its scale, and an invalid one with its causes
container = client.V1Container(name="c", image="registry.example/c:1")
template = client.V1PodTemplateSpec(metadata=client.V1ObjectMeta(labels={"a": "b"}), spec=client.V1PodSpec(containers=[container]))
deployment = client.V1Deployment(
    metadata=client.V1ObjectMeta(name="d"),
    spec=client.V1DeploymentSpec(replicas=0, selector=client.V1LabelSelector(match_labels={"a": "b"}), template=template))
made = apps.create_namespaced_deployment(NS, deployment)
assert made.spec.progress_deadline_seconds == 600 and made.spec.strategy.rolling_update.max_surge == "25%"
assert not apps.read_namespaced_deployment_scale("d", NS).spec.replicas  # 0 is left out
deployment.metadata.name = "bad"
deployment.spec.selector.match_labels = {"x": "y"}
assert "selector" in refused(422, apps.create_namespaced_deployment, NS, deployment).body

# server-side apply: the dynamic way with force, and the conflict without
apply = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "ssa"}, "data": {"a": "1"}}

def server_side_apply(manager, force, body):
    return core.patch_namespaced_config_map(
        "ssa", NS, body, field_manager=manager, force=force, _content_type="application/apply-patch+yaml")


assert server_side_apply("one", False, apply).data == {"a": "1"}
apply["data"]["a"] = "2"
assert '"FieldManagerConflict"' in refused(409, server_side_apply, "two", False, apply).body
assert server_side_apply("two", True, apply).data == {"a": "2"}

# custom objects: definition, validation, defaults, status
schema = {
    "type": "object", "properties": {
        "spec": {"type": "object", "required": ["size"], "properties": {"size": {"type": "integer", "maximum": 3}, "color": {"type": "string", "default": "red"}}},
        "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}}
extensions.create_custom_resource_definition({
    "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "pies.python.example"},
    "spec": {
        "group": "python.example", "scope": "Namespaced", "names": {"plural": "pies", "singular": "pie", "kind": "Pie"},
        "versions": [{"name": "v1", "served": True, "storage": True, "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}})
deadline = time.monotonic() + 20
while not any(c.type == "Established" and c.status == "True" for c in extensions.read_custom_resource_definition("pies.python.example").status.conditions or []):
    assert time.monotonic() < deadline, "the definition was not established"
pie = {"apiVersion": "python.example/v1", "kind": "Pie", "metadata": {"name": "p"}, "spec": {"size": 2}}
where = ("python.example", "v1", NS, "pies")
assert custom.create_namespaced_custom_object(*where, pie)["spec"] == {"size": 2, "color": "red"}
pie["metadata"]["name"], pie["spec"]["size"] = "q", 4
refused(422, custom.create_namespaced_custom_object, *where, pie)
custom.patch_namespaced_custom_object_status(*where, "p", {"status": {"phase": "baked"}, "spec": {"size": 3}})
now = custom.get_namespaced_custom_object(*where, "p")
assert now["status"] == {"phase": "baked"} and now["spec"]["size"] == 2, now

core.delete_namespace(NS)
deadline = time.monotonic() + 60
while any(n.metadata.name == NS for n in core.list_namespace().items):
    assert time.monotonic() < deadline, "the namespace was not removed"
print("everything worked")
