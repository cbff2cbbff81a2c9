"""Starts the emulator of Google's buckets with an empty bucket `docs`, at a port of the system's choice, and says which."""

import threading

import gcp_storage_emulator.storage as storage
from gcp_storage_emulator.server import create_server

# Google lists in the order of names; the emulator in that of arrival.
in_order_of_arrival = storage.Storage._list_live_candidates
storage.Storage._list_live_candidates = lambda *given: sorted(
    in_order_of_arrival(*given), key=lambda candidate: candidate[0].encode()
)

server = create_server("127.0.0.1", 0, in_memory=True, default_bucket="docs")
server.start()
print("port", server._api._httpd.server_port, flush=True)
threading.Event().wait()
