"""A client's test against a mock registry: an answer is lost, and the judge must find nothing. python3 push.py longshore"""
import hashlib, json, subprocess, sys, urllib.request

mock = subprocess.Popen([*sys.argv[1:], "mock", "--control", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
registry, (control, token) = mock.stdout.readline().strip(), mock.stdout.readline().split()

def ask(method, url, body=b"", **headers):
    request = urllib.request.Request(url, data=body if method in ("POST", "PUT") else None, method=method, headers=headers)
    return urllib.request.urlopen(request)

def steer(method, path, body=b""):
    return json.load(ask(method, control + path, body, Authorization=f"Bearer {token}"))

steer("PUT", "/faults", b"end-4b#1: answer-lost")
post = f"{registry}/v2/demo/blobs/uploads/?digest=sha256:{hashlib.sha256(b'hello').hexdigest()}"
for attempt in 1, 2:  # the client under test
    try:
        assert ask("POST", post, b"hello", **{"Content-Type": "application/octet-stream"}).status == 201
        break
    except OSError:
        print("the answer was lost; once more")
failed = [check["id"] for check in steer("GET", "/report")["checks"] if check["status"] == "failed"]
print("requests:", steer("GET", "/state")["requests"], "broken rules:", failed)
mock.terminate()
sys.exit(bool(failed) or attempt != 2)
