"""The Python clients oras and python-dxf, as peers.sh asks them: peers.py COMMAND REFERENCE FILE-OR-FOLDER.

REFERENCE is host:port/repository:tag, of a registry that speaks plain HTTP.
"""

import hashlib
import os
import sys


def parts(reference):
    host, rest = reference.split("/", 1)
    repository, tag = rest.rsplit(":", 1)
    return host, repository, tag


def oras_client(reference):
    import oras.client

    return oras.client.OrasClient(hostname=parts(reference)[0], insecure=True)


def oras_push(reference, file):
    oras_client(reference).push(target=reference, files=[file])


def oras_pull(reference, folder):
    os.makedirs(folder)
    oras_client(reference).pull(target=reference, outdir=folder)


def dxf_client(reference):
    import dxf

    host, repository, tag = parts(reference)
    return dxf.DXF(host, repository, insecure=True), tag


def dxf_push(reference, file):
    client, tag = dxf_client(reference)
    client.set_alias(tag, client.push_blob(file))


def dxf_pull(reference, file):
    """The file must be among the blobs, and each blob be what its digest says."""
    client, tag = dxf_client(reference)
    with open(file, "rb") as opened:
        wanted = "sha256:" + hashlib.sha256(opened.read()).hexdigest()
    digests = client.get_alias(tag)
    for digest in digests:
        found = hashlib.sha256(b"".join(client.pull_blob(digest))).hexdigest()
        if digest != "sha256:" + found:
            sys.exit(f"{digest} is {found}")
    if wanted not in digests:
        sys.exit(f"{wanted} is not among {digests}")


COMMANDS = {"oras-push": oras_push, "oras-pull": oras_pull, "dxf-push": dxf_push, "dxf-pull": dxf_pull}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
