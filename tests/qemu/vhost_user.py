# SPDX-License-Identifier: GPL-2.0-or-later
"""As little of a vhost-user back end as QEMU needs to plug a device in."""

import array
import os
import socket
import struct
import threading

HEADER = struct.Struct("<III")
REPLY = 1 | 1 << 2  # version 1, a reply
GET_FEATURES, SET_MEM_TABLE, GET_PROTOCOL_FEATURES = 1, 5, 15
GET_CONFIG = 24
ANSWERS = {
    # VIRTIO_F_VERSION_1, and that there are protocol features: GET_CONFIG
    GET_FEATURES: 1 << 32 | 1 << 30,
    GET_PROTOCOL_FEATURES: 1 << 9,
}


class Backend:
    """Listens at path; self.tables counts memory regions it was handed."""

    def __init__(self, path):
        self.path = path
        self.tables = []
        self.connections = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(4)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()

    def disconnect(self):
        """Goes away, and does not come back."""
        self.close()
        for connection in self.connections:
            connection.shutdown(socket.SHUT_RDWR)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,),
                             daemon=True).start()

    @staticmethod
    def _receive(connection, size):
        data = b""
        while len(data) < size:
            more, ancillary, _, _ = connection.recvmsg(
                size - len(data), socket.CMSG_SPACE(8 * 4))
            for level, kind, fds in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                    for fd in array.array("i", fds[:len(fds) // 4 * 4]):
                        os.close(fd)
            if not more:
                return None
            data += more
        return data

    def _serve(self, connection):
        with connection:
            while True:
                header = self._receive(connection, HEADER.size)
                if not header:
                    return
                request, _, size = HEADER.unpack(header)
                body = self._receive(connection, size) if size else b""
                if request == SET_MEM_TABLE:
                    self.tables.append(struct.unpack_from("<I", body)[0])
                if request in ANSWERS:
                    connection.sendall(HEADER.pack(request, REPLY, 8) +
                                       struct.pack("<Q", ANSWERS[request]))
                if request == GET_CONFIG:  # all zeros, as they came
                    connection.sendall(HEADER.pack(request, REPLY, size) +
                                       body)
