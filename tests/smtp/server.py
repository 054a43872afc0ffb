"""A mail server for tests that does on demand what real ones do on bad days.

    server.py OUT_DIR CERTIFICATE KEY      (needs aiosmtpd)

It listens on ports of 127.0.0.1 that the system chooses and prints them when it is ready, as one
line of JSON: {"starttls": ..., "tls": ..., "plain": ...}. The first two want the login
app / s3cret; plain has neither encryption nor login. It ends when its standard input does, so that
it never outlives the test that started it.

What happens to a mail is up to the local part of its recipient, up to the first "-"; what follows
tells tests (and two such recipients) apart:

    tempfail        451 at RCPT
    defer2          451 at RCPT twice, then taken
    permfail        550 at RCPT
    denied          554 5.7.1 at RCPT, as from a relay that does not know us
    closing         421 at RCPT
    slow            no answer at RCPT for eight seconds
    linger          no answer at RCPT for two seconds
    datafail        554 after the body
    datalater       451 after the body
    drop            the connection breaks after the body; the mail is not taken
    drop-once       the same, but the mail is taken; the second time there is an answer
    mute            the mail is taken, and no answer ever comes
    anything else   taken

A sender whose local part is "stranger" gets 550 at MAIL.

A mail that is taken becomes OUT_DIR/NNNN.eml, and then OUT_DIR/NNNN.json with its envelope:
{"from", "to", "tls", "authenticated", "connection"}, the last being the number of the connection.
"""

import asyncio
import collections
import itertools
import json
import logging
import os
import ssl
import sys
import threading
import warnings

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

RECIPIENT_ANSWERS = {
    "tempfail": "451 4.3.0 try again later",
    "permfail": "550 5.1.1 no such user here",
    "denied": "554 5.7.1 relay access denied",
    "closing": "421 4.3.2 shutting down",
}
DELAYS = {"slow": 8, "linger": 2}
BODY_ANSWERS = {
    "datafail": "554 5.6.0 content rejected",
    "datalater": "451 4.3.0 try again later",
}


def fault(address):
    """The word a recipient begins with, and its whole local part."""
    local = address.rpartition("@")[0].lower()
    return local.partition("-")[0], local


class Postbox:
    """What all connections share: the mails taken, and who came before."""

    def __init__(self, directory):
        self.directory = directory
        self.numbers = itertools.count(1)
        self.connections = itertools.count(1)
        self.attempts = collections.Counter()

    def attempt(self, address):
        self.attempts[address] += 1
        return self.attempts[address]

    def take(self, envelope, facts):
        stem = os.path.join(self.directory, f"{next(self.numbers):04}")
        with open(stem + ".eml", "wb") as mail:
            mail.write(envelope.original_content)
        # A reader looks for the second file, which therefore appears in one piece.
        with open(stem + ".json.part", "w", encoding="utf-8") as note:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos, **facts}, note)
        os.rename(stem + ".json.part", stem + ".json")


class Conversation:
    """The answers on one connection."""

    def __init__(self, postbox, always_encrypted):
        self.postbox = postbox
        self.always_encrypted = always_encrypted
        self.connection = next(postbox.connections)

    async def handle_MAIL(self, server, session, envelope, address, options):
        if fault(address)[0] == "stranger":
            return "550 5.1.0 we do not know this sender"
        envelope.mail_from = address
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        word, local = fault(address)
        if word in DELAYS:
            await asyncio.sleep(DELAYS[word])
        if word == "defer2" and self.postbox.attempt(address) <= 2:
            return "451 4.7.1 greylisted, try again later"
        if word in RECIPIENT_ANSWERS:
            return f"{RECIPIENT_ANSWERS[word]}: <{address}>"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        for address in envelope.rcpt_tos:
            word, local = fault(address)
            if word in BODY_ANSWERS:
                return f"{BODY_ANSWERS[word]}: <{address}>"
            once = local.startswith("drop-once")
            if word == "drop" and not (once and self.postbox.attempt(address) > 1):
                if once:
                    self.take(session, envelope)
                server.transport.abort()
                return "421 4.3.0 nobody hears this"
            if word == "mute":
                self.take(session, envelope)
                await asyncio.Event().wait()
        self.take(session, envelope)
        return "250 2.0.0 queued"

    def take(self, session, envelope):
        encrypted = self.always_encrypted or session.ssl is not None
        facts = {"tls": encrypted, "authenticated": bool(session.authenticated), "connection": self.connection}
        self.postbox.take(envelope, facts)


def check_login(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.login == b"app" and data.password == b"s3cret"
    return AuthResult(success=right, handled=False)


def end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


async def main(directory, certificate, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    postbox = Postbox(directory)
    loop = asyncio.get_running_loop()

    async def listen(always_encrypted=False, tls=None, **options):
        def connection():
            return SMTP(Conversation(postbox, always_encrypted), hostname="localhost", **options)

        server = await loop.create_server(connection, "127.0.0.1", 0, ssl=tls)
        return server, server.sockets[0].getsockname()[1]

    login = {"authenticator": check_login, "auth_required": True}
    servers = {
        "starttls": await listen(tls_context=context, require_starttls=True, auth_require_tls=True, **login),
        # aiosmtpd does not see that this one is encrypted.
        "tls": await listen(always_encrypted=True, tls=context, auth_require_tls=False, **login),
        "plain": await listen(),
    }
    print(json.dumps({name: port for name, (_, port) in servers.items()}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    # Refused handshakes and the like are what tests want; the client tells of them.
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    threading.Thread(target=end_with_stdin, daemon=True).start()
    asyncio.run(main(*sys.argv[1:]))
