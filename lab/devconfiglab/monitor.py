# SPDX-License-Identifier: Apache-2.0
"""A QMP client: the QEMU monitor, one short connection per conversation.

QEMU serves one monitor client at a time, so nothing here keeps a connection open and
`lab monitor` works while a scenario runs.
"""

import contextlib
import json
import socket
import time

from .errors import LabError


class Monitor:
    def __init__(self, path):
        self.path = path

    def execute(self, command: str, **arguments):
        """Run one QMP command and return its answer."""
        with self.conversation() as talk:
            return talk.execute(command, **arguments)

    def human(self, line: str) -> str:
        """Run one line of QEMU's human monitor."""
        return self.execute("human-monitor-command", **{"command-line": line})

    @contextlib.contextmanager
    def conversation(self, limit: float = 30):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(limit)
            try:
                connection.connect(str(self.path))
                # The stream shares the socket; left open, it would keep QEMU's one place taken.
                with connection.makefile("rwb") as stream:
                    yield Conversation(connection, stream)
            except (ConnectionError, FileNotFoundError, socket.timeout) as error:
                raise LabError(f"the monitor {self.path} does not answer: {error}") from error


class Conversation:
    def __init__(self, connection: socket.socket, stream):
        self._stream = stream
        self._connection = connection
        self._events = []
        self._receive()
        self.execute("qmp_capabilities")

    def execute(self, command: str, **arguments):
        request = {"execute": command}
        if arguments:
            request["arguments"] = arguments
        self._stream.write(json.dumps(request).encode() + b"\n")
        self._stream.flush()
        while True:
            answer = self._receive()
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise LabError(f"QEMU refused {command} {arguments}: {answer['error']['desc']}")
            self._events.append(answer)

    def wait_for(self, event: str, limit: float, **expected) -> None:
        """Wait for an event that carries the expected data."""
        end = time.monotonic() + limit
        while True:
            for seen in self._events:
                data = seen.get("data", {})
                if seen.get("event") == event and all(data.get(key) == value for key, value in expected.items()):
                    return
            self._events.clear()
            self._connection.settimeout(max(0.1, end - time.monotonic()))
            self._events.append(self._receive())

    def _receive(self) -> dict:
        line = self._stream.readline()
        if not line:
            raise ConnectionResetError("connection closed")
        return json.loads(line)
