"""Pushes an image out of an OCI layout with a Python client, for `longshore judge`: push.py oras|dxf LAYOUT REGISTRY REPOSITORY TAG.

Both are libraries for artifacts of their own making. Here they are given the blobs and manifests of a layout, children first: blobs by
the call that they have for that, and manifests as the bytes that they are.
"""

import json
import os
import sys


class Oras:
    def __init__(self, registry, repository):
        import oras.client

        self.client = oras.client.OrasClient(hostname=registry, insecure=True)
        self.base = f"http://{registry}/v2/{repository}"
        self.container = self.client.get_container(f"{registry}/{repository}:none")

    def blob(self, path, descriptor):
        answer = self.client.upload_blob(path, self.container, descriptor)
        self.client._check_200_response(answer)

    def manifest(self, path, descriptor, reference):
        # upload_manifest would write the JSON anew, and takes no index.
        with open(path, "rb") as file:
            headers = {"Content-Type": descriptor["mediaType"]}
            answer = self.client.do_request(f"{self.base}/manifests/{reference}", "PUT", headers=headers, data=file.read())
        self.client._check_200_response(answer)


class Dxf:
    def __init__(self, registry, repository):
        import dxf

        self.client = dxf.DXF(registry, repository, insecure=True)

    def blob(self, path, descriptor):
        self.client.push_blob(path, digest=descriptor["digest"])

    def manifest(self, path, descriptor, reference):
        with open(path, encoding="utf-8") as file:
            self.client.set_manifest(reference, file.read())


def push(client, layout, descriptor, reference):
    def path(one):
        return os.path.join(layout, "blobs", *one["digest"].split(":"))

    with open(path(descriptor), encoding="utf-8") as file:
        manifest = json.load(file)
    for child in manifest.get("manifests", []):
        push(client, layout, child, child["digest"])
    for blob in [*filter(None, [manifest.get("config")]), *manifest.get("layers", [])]:
        client.blob(path(blob), blob)
    client.manifest(path(descriptor), descriptor, reference)


if __name__ == "__main__":
    name, layout, registry, repository, tag = sys.argv[1:]
    with open(os.path.join(layout, "index.json"), encoding="utf-8") as file:
        root = json.load(file)["manifests"][0]
    push({"oras": Oras, "dxf": Dxf}[name](registry, repository), layout, root, tag)
