"""Ask every proxy behind a name whether it is ready and what it serves: ``every_proxy.py HOST PORT``.

Passes if there is a proxy, each one is ready, and all serve one revision; a new one may need a moment to arrive.
"""

import http.client
import json
import socket
import sys
import time

ATTEMPTS, PAUSE = 15, 2.0


def main(host, port):
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        try:
            addresses = sorted({each[4][0] for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
            served = {address: revision(address, port) for address in addresses}
        except (OSError, http.client.HTTPException) as error:
            print(f"{host}: {error}", flush=True)
            continue
        for address, name in served.items():
            print(f"{address} is ready and serves revision {name}", flush=True)
        if served and len(set(served.values())) == 1:
            return 0
    print("Not every proxy is ready with the same config.")
    return 1


def revision(address, port):
    page(address, port, "/readyz")
    return json.loads(page(address, port, "/revision"))["revision"]


def page(address, port, path):
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    finally:
        connection.close()
    if answer.status != 200:
        raise http.client.HTTPException(f"{path} answers {answer.status}")
    return body


sys.exit(main(sys.argv[1], int(sys.argv[2])))
