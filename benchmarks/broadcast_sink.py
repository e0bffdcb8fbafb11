"""A sink on loopback for benchmarks/broadcast.py: HTTP/1.1 by hand, since it must cost little.

Answers every POST with 200 and remembers the bodies' ``delivery_id``. ``GET /report`` tells what
came: {"posts": n, "unique": n, "ids": {id: times} of those that came more than once}; ``GET /ids``
all of them; ``POST /reset`` forgets. Prints its address and runs until it is killed.
"""

import asyncio
import json
import re
from collections import Counter

import uvloop

_ID = re.compile(rb'"delivery_id": ?"([^"]+)"')
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_YES = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SEEN: Counter[bytes] = Counter()


class Sink(asyncio.Protocol):
    def __init__(self) -> None:
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            found = _LENGTH.search(self.buffer, 0, end)
            length = int(found.group(1)) if found else 0
            if len(self.buffer) < end + 4 + length:
                return
            head, body = self.buffer[:end], self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.transport.write(self.answer(head, body))  # type: ignore[attr-defined]

    @staticmethod
    def answer(head: bytes, body: bytes) -> bytes:
        if head.startswith(b"GET /report"):
            twice = {key.decode(): n for key, n in SEEN.items() if n > 1}
            return told({"posts": sum(SEEN.values()), "unique": len(SEEN), "ids": twice})
        if head.startswith(b"GET /ids"):
            return told([key.decode() for key in SEEN])
        if head.startswith(b"POST /reset"):
            SEEN.clear()
        elif found := _ID.search(body):
            SEEN[found.group(1)] += 1
        return _YES


def told(value: object) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())
