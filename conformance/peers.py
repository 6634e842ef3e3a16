"""The Python clients oras and python-dxf, as peers.sh asks them: peers.py COMMAND REFERENCE FILE-OR-FOLDER.

REFERENCE is host:port/repository:tag, of a registry that speaks plain HTTP; or HTTPS, where PEERS_CA names the certificate of
its CA. PEERS_USER and PEERS_PASSWORD say who asks.
"""

import hashlib
import os
import sys

USER, PASSWORD, CA = (os.environ.get("PEERS_" + name) for name in ("USER", "PASSWORD", "CA"))


def parts(reference):
    host, rest = reference.split("/", 1)
    repository, tag = rest.rsplit(":", 1)
    return host, repository, tag


def oras_client(reference):
    import oras.client

    client = oras.client.OrasClient(hostname=parts(reference)[0], insecure=True)
    if USER:
        client.auth.set_basic_auth(USER, PASSWORD)
    return client


def oras_push(reference, file):
    oras_client(reference).push(target=reference, files=[file])


def oras_pull(reference, folder):
    os.makedirs(folder)
    oras_client(reference).pull(target=reference, outdir=folder)


def dxf_client(reference):
    import dxf

    host, repository, tag = parts(reference)
    def log_in(client, response):
        client.authenticate(USER, PASSWORD, response=response)

    trust = {"tlsverify": CA} if CA else {"insecure": True}
    return dxf.DXF(host, repository, auth=log_in if USER else None, **trust), tag


def dxf_push(reference, file):
    client, tag = dxf_client(reference)
    client.set_alias(tag, client.push_blob(file))


def dxf_mount(reference, source):
    """Mounts the blobs of the source, which is a reference too, and puts them under the tag."""
    digests = dxf_client(source)[0].get_alias(parts(source)[2])
    client, tag = dxf_client(reference)
    for digest in digests:
        client.mount_blob(parts(source)[1], digest)
    client.set_alias(tag, *digests)


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


COMMANDS = {
    "oras-push": oras_push,
    "oras-pull": oras_pull,
    "dxf-push": dxf_push,
    "dxf-mount": dxf_mount,
    "dxf-pull": dxf_pull,
}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
