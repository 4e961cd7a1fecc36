"""Carries any number of connections to one loopback port of this machine over standard input and output.

    srun --overlap --jobid=JOB -n1 --quiet python relay.py PORT [SILENCE]

This is the way to a job's TensorBoard where workers take no ssh. It connects to 127.0.0.1:PORT and to nothing else,
and ends when its standard input does, or when nothing arrives for SILENCE seconds (60): the other side sends a PING
more often than that. Exit status: 0 at the end of the input, 1 when the other side fell silent or broke the protocol, 64
(EX_USAGE) for wrong arguments. Python 3.6 or later, standard library only.

The protocol, the same in both directions
-----------------------------------------
First comes MAGIC, 16 bytes; whatever precedes it (a banner, a message of srun) is noise and skipped. Then frames:

    kind 1 byte | payload length 3 bytes | connection 4 bytes | payload | newline

Numbers are big-endian; a payload has at most MAX_PAYLOAD bytes. The newline is for Slurm, which holds back what a step
writes until its line is complete; MAGIC ends in one too. "Client" is the laptop's side, "relay" is this program.

    OPEN     client to relay   u32 window         a new connection, under a number that the client chose
    OPENED   relay to client   u32 window         the port accepted it
    REFUSED  relay to client   UTF-8 reason       it did not; the number is free again
    DATA     both              1 or more bytes    at most what is left of the receiver's window
    WINDOW   both              u32 increment      the receiver has passed on so many bytes, and has room for them again
    EOF      both              nothing            no more DATA from this side; the other direction goes on
    RESET    both              nothing            the connection is over, both ways, at once
    PING     client to relay   any bytes          answered by a PONG with the same payload; connection 0
    PONG     relay to client   the same bytes

A window is the number of DATA bytes that a side may still send on a connection, so that a reader who is slow stops his
own connection and no other, and neither side ever stores more than the windows it granted. A connection ends with EOF in both
directions, or with RESET in one. Frames for a connection that is over may still be under way: they are ignored.
"""

import collections
import errno
import os
import selectors
import socket
import struct
import sys
import time

MAGIC = b"\0relay/1\r\n\xff\xfe\x1a\x04\0\n"
HEADER = struct.Struct(">II")
END = ord("\n")
NUMBER = struct.Struct(">I")
MAX_PAYLOAD = 1 << 16
OPEN, OPENED, REFUSED, DATA, WINDOW, EOF, RESET, PING, PONG = range(1, 10)

WINDOW_SIZE = 1 << 20  # granted to the client, per connection
CHUNK = 1 << 15  # read from one connection before the next has its turn
OUTPUT_LIMIT = 1 << 18  # waiting for standard output; above it no connection is read
INPUT_CHUNK = 1 << 18
MAX_NOISE = 1 << 20
SILENCE_SECONDS = 60.0

EX_USAGE = 64


class ProtocolError(Exception):
    """The other side sent what the protocol does not allow."""


class Decoder:
    """Turns bytes, however they were cut, into frames (kind, connection, payload)."""

    def __init__(self):
        self.buffer = bytearray()
        self.greeted = False
        self.noise = 0

    def feed(self, data):
        self.buffer += data
        if not self.greeted and not self._find_magic():
            return
        position = 0
        while len(self.buffer) - position >= HEADER.size:
            word, connection = HEADER.unpack_from(self.buffer, position)
            kind, length = word >> 24, word & 0xFFFFFF
            if length > MAX_PAYLOAD:
                raise ProtocolError("a frame of %d bytes" % length)
            end = position + HEADER.size + length
            if end >= len(self.buffer):
                break
            if self.buffer[end] != END:
                raise ProtocolError("a frame that does not end where it should")
            yield kind, connection, bytes(self.buffer[position + HEADER.size : end])
            position = end + 1
        del self.buffer[:position]

    def _find_magic(self):
        found = self.buffer.find(MAGIC)
        keep = len(MAGIC) - 1  # of which the rest may come next
        skip = max(len(self.buffer) - keep, 0) if found < 0 else found + len(MAGIC)
        del self.buffer[:skip]
        self.greeted = found >= 0
        self.noise += skip
        if not self.greeted and self.noise > MAX_NOISE:
            raise ProtocolError("no greeting in its first %d bytes" % self.noise)
        return self.greeted


class Connection:
    """One connection: its socket, and where each direction stands."""

    def __init__(self, number, window, sock):
        self.number = number
        self.socket = sock
        self.connected = False
        self.interest = 0
        # From the port to the client.
        self.window = window
        self.waiting = False  # for its turn to be read
        self.read_ended = False
        # From the client to the port.
        self.pending = bytearray()
        self.granted = WINDOW_SIZE
        self.owed = 0  # passed on, and not yet granted again
        self.write_ended = False  # by the client; the socket follows when nothing is pending
        self.shut_down = False

    def wanted(self):
        """The events of the socket that matter now."""
        if not self.connected:
            return selectors.EVENT_WRITE
        events = selectors.EVENT_WRITE if self.pending else 0
        if self.window > 0 and not self.read_ended and not self.waiting:
            events |= selectors.EVENT_READ
        return events


class Relay:
    """The event loop: standard input and output, and the connections. Owns them all; one thread."""

    def __init__(self, port, silence):
        self.port = port
        self.silence = silence
        self.selector = selectors.DefaultSelector()
        self.decoder = Decoder()
        self.output = bytearray(MAGIC)
        self.output_watched = False
        self.connections = {}
        self.readable = collections.deque()  # connections with bytes to read, in the order of their turns
        self.heard = time.monotonic()

    def run(self):
        """Returns at the end of the input."""
        os.set_blocking(0, False)
        os.set_blocking(1, False)
        self.selector.register(0, selectors.EVENT_READ, None)
        while True:
            self.watch_output()
            turns_left = self.readable and len(self.output) < OUTPUT_LIMIT
            for key, events in self.selector.select(0 if turns_left else self.time_left()):
                if key.fd == 0:
                    if not self.read_input():
                        self.write_output()
                        return
                elif key.fd == 1:
                    self.write_output()
                elif self.connections.get(key.data.number) is key.data:  # or an event before it ended it
                    self.advance(key.data, events)
            while self.readable and len(self.output) < OUTPUT_LIMIT:
                self.take_turn(self.readable.popleft())
            self.write_output()

    def time_left(self):
        left = self.heard + self.silence - time.monotonic()
        if left <= 0:
            raise ProtocolError("nothing for %g seconds" % self.silence)
        return left

    # Standard input and output

    def read_input(self):
        try:
            data = os.read(0, INPUT_CHUNK)
        except (BlockingIOError, InterruptedError):
            return True
        self.heard = time.monotonic()
        for kind, number, payload in self.decoder.feed(data):
            self.receive(kind, number, payload)
        return bool(data)

    def write_output(self):
        while self.output:
            try:
                written = os.write(1, self.output[:OUTPUT_LIMIT])
            except (BlockingIOError, InterruptedError):
                return
            del self.output[:written]

    def watch_output(self):
        if bool(self.output) == self.output_watched:
            return
        self.output_watched = not self.output_watched
        if self.output_watched:
            self.selector.register(1, selectors.EVENT_WRITE, None)
        else:
            self.selector.unregister(1)

    def send(self, kind, number, payload=b""):
        self.output += HEADER.pack(kind << 24 | len(payload), number)
        self.output += payload
        self.output.append(END)

    # Frames of the client

    def receive(self, kind, number, payload):
        if kind == OPEN:
            self.open(number, decode_number(payload))
        elif kind == PING:
            self.send(PONG, number, payload)
        elif kind not in (DATA, WINDOW, EOF, RESET):
            raise ProtocolError("a frame of kind %d" % kind)
        elif number in self.connections:
            self.receive_for(self.connections[number], kind, payload)

    def receive_for(self, connection, kind, payload):
        if kind == RESET:
            self.abort(connection)
            return
        if kind == WINDOW:
            connection.window += decode_number(payload)
        elif connection.write_ended:
            raise ProtocolError("data after its end on connection %d" % connection.number)
        elif kind == EOF:
            connection.write_ended = True
        else:
            connection.granted -= len(payload)
            if connection.granted < 0:
                raise ProtocolError("more data than its window on connection %d" % connection.number)
            connection.pending += payload
        if connection.connected:
            self.write(connection)

    def open(self, number, window):
        if number in self.connections:
            raise ProtocolError("connection %d twice" % number)
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            self.send(REFUSED, number, describe(error.errno))
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(number, window, sock)
        status = sock.connect_ex(("127.0.0.1", self.port))
        if status not in (0, errno.EINPROGRESS):
            sock.close()
            self.send(REFUSED, number, describe(status))
            return
        self.connections[number] = connection
        self.update(connection)

    # Sockets

    def advance(self, connection, events):
        if not connection.connected:
            self.finish_connecting(connection)
            return
        # A broken connection shows as readable even when its client has no room left.
        if events & connection.interest & selectors.EVENT_READ:
            connection.waiting = True
            self.readable.append(connection)
        if events & selectors.EVENT_WRITE:
            self.write(connection)
        else:
            self.update(connection)

    def finish_connecting(self, connection):
        status = connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if status != 0:
            self.send(REFUSED, connection.number, describe(status))
            self.forget(connection)
            return
        connection.connected = True
        self.send(OPENED, connection.number, NUMBER.pack(WINDOW_SIZE))
        self.write(connection)

    def take_turn(self, connection):
        """Reads once from a connection that has bytes, as many as its window allows."""
        connection.waiting = False
        if self.connections.get(connection.number) is not connection:
            return
        try:
            data = connection.socket.recv(min(CHUNK, connection.window))
        except (BlockingIOError, InterruptedError):
            self.update(connection)
            return
        except OSError:
            self.fail(connection)
            return
        if data:
            connection.window -= len(data)
            self.send(DATA, connection.number, data)
        else:
            connection.read_ended = True
            self.send(EOF, connection.number)
        self.update(connection)

    def write(self, connection):
        """Passes on what the client sent, grants it anew, and passes on the client's end."""
        try:
            if connection.pending:
                sent = connection.socket.send(connection.pending)
                del connection.pending[:sent]
                connection.owed += sent
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            self.fail(connection)
            return
        if connection.owed >= WINDOW_SIZE // 4 and not connection.write_ended:
            self.send(WINDOW, connection.number, NUMBER.pack(connection.owed))
            connection.granted += connection.owed
            connection.owed = 0
        if connection.write_ended and not connection.pending and not connection.shut_down:
            connection.shut_down = True
            try:
                connection.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.fail(connection)
                return
        self.update(connection)

    def update(self, connection):
        """Watches the socket for what matters now; forgets the connection when both directions are done."""
        if connection.read_ended and connection.shut_down:
            self.forget(connection)
            return
        wanted = connection.wanted()
        if wanted == connection.interest:
            return
        if not connection.interest:
            self.selector.register(connection.socket, wanted, connection)
        elif not wanted:
            self.selector.unregister(connection.socket)
        else:
            self.selector.modify(connection.socket, wanted, connection)
        connection.interest = wanted

    def fail(self, connection):
        """The port's side broke the connection."""
        self.send(RESET, connection.number)
        self.forget(connection)

    def abort(self, connection):
        """The client broke the connection: the port must not take it for an orderly end."""
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.forget(connection)

    def forget(self, connection):
        if connection.interest:
            self.selector.unregister(connection.socket)
        del self.connections[connection.number]
        connection.socket.close()


def decode_number(payload):
    if len(payload) != NUMBER.size:
        raise ProtocolError("a number of %d bytes" % len(payload))
    return NUMBER.unpack(payload)[0]


def describe(status):
    return os.strerror(status).encode("utf-8", "replace")


def main(arguments):
    try:
        port, silence = (arguments + [SILENCE_SECONDS])[:2]
        relay = Relay(int(port), float(silence))
    except ValueError:
        sys.stderr.write("usage: relay.py PORT [SILENCE]\n")
        return EX_USAGE
    try:
        relay.run()
    except ProtocolError as error:
        sys.stderr.write("relay: the other side sent %s\n" % error)
        return 1
    except BrokenPipeError:
        pass  # the other side is gone, as at the end of the input
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
