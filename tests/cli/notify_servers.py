#!/usr/bin/env python3
"""Servers for tests/cli/notify.sh, on the loopback alone: SMTP (with STARTTLS, TLS, login), HTTP and HTTPS, syslog over TLS, UDP and a local socket.

notify_servers.py DIR: certificates are DIR/server.pem and DIR/server.key. Ports are written to DIR/ports as NAME=PORT lines (the file appears when all listen). What
comes is appended to DIR/NAME.log: a JSON object a line (SMTP, HTTP), or what was received as hex a line (syslog). How a server behaves is in DIR/NAME.mode, read
anew each time: ok (or no file), later (temporary refusal), never (refused for good), slow (says nothing), garbage, drop (hangs up), huge (never stops answering),
redirect, tls-less (no STARTTLS).
"""
import base64
import http.server
import json
import os
import pathlib
import socket
import socketserver
import ssl
import sys
import threading
import time

top = pathlib.Path(sys.argv[1])
lock = threading.Lock()


def mode(name):
    try:
        return (top / f"{name}.mode").read_text().strip()
    except OSError:
        return "ok"


def log(name, line):
    with lock, open(top / f"{name}.log", "a") as f:
        f.write(line + "\n")


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(top / "server.pem", top / "server.key")
    return c


class Smtp(socketserver.BaseRequestHandler):
    name, implicit = "smtp", False

    def say(self, text):
        self.sock.sendall(text.encode() + b"\r\n")

    def line(self):
        out = self.file.readline(4096)
        if not out:
            raise ConnectionError
        return out

    def handle(self):
        self.sock, now, tls, user = self.request, mode(self.name), False, None
        self.sock.settimeout(60)
        try:
            if now == "drop":
                return
            if now == "slow":
                time.sleep(20)
                return
            if now == "huge":
                while True:
                    self.sock.sendall(b"220-" + b"x" * 1000 + b"\r\n")
            if now == "garbage":
                self.sock.sendall(os.urandom(4096))
                return
            if self.implicit:
                self.sock, tls = context().wrap_socket(self.sock, server_side=True), True
            self.file = self.sock.makefile("rb")
            self.say("220 test ESMTP")
            mail = {}
            while True:
                raw = self.line()
                word, _, rest = raw.decode().strip().partition(" ")
                word = word.upper()
                if word in ("EHLO", "HELO"):
                    self.say("250-test")
                    if not tls and now != "tls-less":
                        self.say("250-STARTTLS")
                    self.say("250 AUTH PLAIN" if tls else "250 SIZE")
                elif word == "STARTTLS":
                    self.say("220 go")
                    self.sock, tls = context().wrap_socket(self.sock, server_side=True), True
                    self.file = self.sock.makefile("rb")
                elif word == "AUTH":
                    kind, _, initial = rest.partition(" ")
                    if not initial:
                        self.say("334 ")
                        initial = self.line().decode().strip()
                    user = base64.b64decode(initial).decode().split("\0")
                    self.say("235 ok" if user[2] == "pass word" else "535 wrong")
                elif word == "MAIL":
                    mail = {"from": rest, "tls": tls, "user": user and user[1]}
                    self.say("451 later" if now == "later" else "250 ok")
                elif word == "RCPT":
                    mail["to"] = rest
                    self.say("550 no such person" if now == "never" or "nobody@" in rest else "250 ok")
                elif word == "DATA":
                    self.say("354 go")
                    data = b""
                    while not data.endswith(b"\r\n.\r\n"):
                        data += self.line()
                    mail["data"] = data[:-5].decode("latin-1")
                    if now == "drop-after-data":
                        return
                    log(self.name, json.dumps(mail))
                    self.say("250 taken")
                elif word == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 ok")
        except (OSError, ConnectionError):
            pass


class Smtps(Smtp):
    name, implicit = "smtps", True


class Http(http.server.BaseHTTPRequestHandler):
    name = "http"

    def do_POST(self):
        now = mode(self.name)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if now == "drop":
            return self.connection.close()
        if now == "slow":
            return time.sleep(20)
        if now == "garbage":
            return self.wfile.write(os.urandom(4096))
        log(self.name, json.dumps({"path": self.path, "headers": dict(self.headers), "body": body.decode()}))
        code = {"later": 503, "never": 404, "redirect": 302}.get(now, 200)
        self.send_response(code)
        if now == "redirect":
            self.send_header("Location", "file:///etc/passwd")
        self.end_headers()
        try:
            while now == "huge":
                self.wfile.write(b"x" * 65536)
        except OSError:
            pass

    def log_message(self, *args):
        pass


class Https(Http):
    name = "https"


class SyslogTls(socketserver.BaseRequestHandler):
    """RFC 5425: what stands on the wire is told as it is; tests look for the frames themselves."""

    def handle(self):
        now = mode("syslog")
        if now == "drop":
            return
        if now == "slow":
            return time.sleep(20)
        if now == "garbage":
            return self.request.sendall(os.urandom(4096))
        try:
            sock = context().wrap_socket(self.request, server_side=True)
            sock.settimeout(60)
            buffer = b""
            while True:
                part = sock.recv(65536)
                if not part:
                    return
                buffer += part
                while b" " in buffer:
                    size, _, rest = buffer.partition(b" ")
                    if len(rest) < int(size):
                        break
                    if now == "close":  # takes it, and is gone without a word
                        log("syslog-closed", rest[:int(size)].hex())
                        return
                    log("syslog", rest[:int(size)].hex())
                    buffer = rest[int(size):]
        except (OSError, ValueError):
            pass


class Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def datagrams(sock, name):
    while True:
        log(name, sock.recv(65536).hex())


def main():
    ports = {}
    for name, handler in ("smtp", Smtp), ("smtps", Smtps), ("http", Http), ("https", Https), ("syslog", SyslogTls):
        server = Threads(("127.0.0.1", 0), handler)
        if name == "https":
            server.socket = context().wrap_socket(server.socket, server_side=True)
        ports[name] = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    ports["udp"] = udp.getsockname()[1]
    local = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    local.bind(str(top / "log.sock"))
    os.chmod(top / "log.sock", 0o777)
    for sock, name in (udp, "udp"), (local, "local"):
        threading.Thread(target=datagrams, args=(sock, name), daemon=True).start()
    (top / "ports.new").write_text("".join(f"{name}={port}\n" for name, port in ports.items()))
    (top / "ports.new").rename(top / "ports")
    # With whoever started us.
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)


main()
