"""A mail server for tests on whose worst day thousands of letters want to leave.

    storm.py LOG CERTIFICATE KEY SEED      (needs aiosmtpd)

It listens on ports of 127.0.0.1 that the system chooses and prints them when it is ready, as one line of JSON:

    {"relay": ..., "busy": ..., "trickle": ...}

"relay" takes letters over STARTTLS with the login app / s3cret; "busy" says 421 to whoever comes; "trickle" says its greeting
a letter a second. What "relay" does is up to the domain of the recipient:

    tarpit.example      the answer to RCPT comes a letter a second, and never ends
    defer.example       451 at RCPT
    closing.example     421 at RCPT, and the connection ends
    refuse.example      550 at RCPT
    drop.example        the connection breaks after the body; every other letter, at random, was taken all the same
    mute.example        the letter is taken, and no answer ever comes
    anything else       taken

A line "heal" on its standard input ends all that but for refuse.example, which goes on. It ends when its standard input
does, so that it never outlives the test that started it.

LOG gets a line of JSON of everything that happens to a letter, before the client is told: when ("at", seconds since 1970),
"what", "to", and after the body its Message-ID ("id"). "what" is "taken" (and the client is told so), "lost" (taken, and the
client is not told), "vanished" (not taken, and the client is not told), or the first word of the answer to RCPT.
"""

import asyncio
import email.parser
import json
import logging
import os
import random
import ssl
import sys
import threading
import time
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

ANSWERS = {
    "defer.example": "451 4.3.0 try again later",
    "closing.example": "421 4.3.2 shutting down",
    "refuse.example": "550 5.1.1 no such user here",
}


class Day:
    """What all connections share: the log, the dice, and whether the bad time is over."""

    def __init__(self, log, seed):
        self.log = open(log, "a", buffering=1, encoding="ascii")
        self.random = random.Random(int(seed))
        self.is_good = False

    def note(self, what, to, message_id=None):
        line = {"at": time.time(), "what": what, "to": to, "id": message_id}
        self.log.write(json.dumps(line) + "\n")


async def trickle(transport, text):
    """A letter a second, until nobody listens."""
    for letter in text * 1000:
        if transport.is_closing():
            return
        transport.write(letter.encode())
        await asyncio.sleep(1)


class Relay:
    def __init__(self, day):
        self.day = day

    def domain(self, address):
        domain = address.rpartition("@")[2].lower()
        return "good" if self.day.is_good and domain != "refuse.example" else domain

    async def handle_RCPT(self, server, session, envelope, address, options):
        domain = self.domain(address)
        if domain == "tarpit.example":
            self.day.note("tarpit", address)
            await trickle(server.transport, "250-wait ")
            return "451 4.3.0 nobody hears this"
        if domain in ANSWERS:
            answer = ANSWERS[domain]
            self.day.note(answer.partition(" ")[0], address)
            if answer.startswith("421"):
                server.transport.write(answer.encode() + b"\r\n")
                server.transport.close()
            return answer
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        [address] = envelope.rcpt_tos
        domain = self.domain(address)
        headers = email.parser.BytesHeaderParser().parsebytes(envelope.original_content)
        message_id = headers["Message-ID"].strip()
        if domain == "mute.example":
            self.day.note("lost", address, message_id)
            while not server.transport.is_closing():
                await asyncio.sleep(0.2)
            return "421 4.3.0 nobody hears this"
        if domain == "drop.example":
            self.day.note(self.day.random.choice(["lost", "vanished"]), address, message_id)
            server.transport.abort()
            return "421 4.3.0 nobody hears this"
        self.day.note("taken", address, message_id)
        return "250 2.0.0 queued"


def check_login(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.login == b"app" and data.password == b"s3cret"
    return AuthResult(success=right, handled=False)


async def busy(reader, writer):
    writer.write(b"421 4.3.2 too many connections\r\n")
    writer.close()


async def slow(reader, writer):
    await trickle(writer.transport, "220-welcome ")


def listen_to_test(day):
    for line in sys.stdin:
        day.is_good = line.strip() == "heal"
    os._exit(0)


async def main(day, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    loop = asyncio.get_running_loop()

    def relay():
        options = {"require_starttls": True, "auth_require_tls": True, "auth_required": True}
        return SMTP(
            Relay(day), hostname="localhost", tls_context=context, authenticator=check_login, timeout=60, **options
        )

    servers = {
        "relay": await loop.create_server(relay, "127.0.0.1", 0),
        "busy": await asyncio.start_server(busy, "127.0.0.1", 0),
        "trickle": await asyncio.start_server(slow, "127.0.0.1", 0),
    }
    ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
    print(json.dumps(ports), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    # Refused handshakes and broken connections are what the test wants.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    log, certificate, key, seed = sys.argv[1:]
    day = Day(log, seed)
    threading.Thread(target=listen_to_test, args=(day,), daemon=True).start()
    asyncio.run(main(day, certificate, key))
