#!/usr/bin/env python3
"""Janus's VideoRoom as a peer of `voice bench` (README.md): Debian package janus, its API over a Unix socket."""
import glob
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

CONFIG = """
general: {{
    configs_folder = "{folder}"
    plugins_folder = "{janus}/plugins"
    transports_folder = "{janus}/transports"
    events_folder = "{janus}/events"
    loggers_folder = "{janus}/loggers"
    debug_level = 2
    session_timeout = 0
}}
media: {{ rtp_port_range = "10000-65000" }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""


def answer(**fields):
    print(json.dumps(fields), flush=True)


class Janus:
    """The server, and one session with a handle for each connection."""

    def __init__(self, prefix):
        program = shutil.which("janus") or sys.exit(answer(error="janus is not installed (Debian: apt install janus)"))
        self.version = re.search(r"\(([\d.]+)\)", subprocess.run([program, "--version"], capture_output=True, text=True).stdout)
        self.folder = tempfile.mkdtemp(prefix="voice-janus-")
        library = glob.glob("/usr/lib/*/janus")[0]

        def others(kind, used):
            return ",".join(os.path.basename(path) for path in glob.glob(f"{library}/{kind}/*.so") if used not in path)

        self.write("janus.jcfg", CONFIG.format(
            folder=self.folder, janus=library, plugins=others("plugins", "videoroom"), transports=others("transports", "pfunix")))
        path = os.path.join(self.folder, "api")
        self.write("janus.transport.pfunix.jcfg", f'general: {{ enabled = true, json = "compact", path = "{path}", type = "SOCK_SEQPACKET" }}\n')
        self.write("janus.plugin.videoroom.jcfg", "general: { }\n")
        self.process = subprocess.Popen(
            [*prefix, program, "-F", self.folder], stdin=subprocess.DEVNULL, stdout=open(os.path.join(self.folder, "log"), "w"), stderr=subprocess.STDOUT)
        self.api = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for _ in range(100):
            try:
                self.api.connect(path)
                break
            except OSError:
                time.sleep(0.1)
        else:
            sys.exit(answer(error="janus does not start: " + open(os.path.join(self.folder, "log")).read()[-300:]))
        self.asked = 0
        self.session = self.ask(janus="create")["data"]["id"]
        self.rooms = {}
        self.keys = {}

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def ask(self, **request):
        """Sends a request and waits for its answer; of a plugin's the event that comes after the acknowledgement."""
        self.asked += 1
        request["transaction"] = str(self.asked)
        self.api.send(json.dumps(request).encode())
        while True:
            message = json.loads(self.api.recv(1 << 20))
            if message.get("transaction") != str(self.asked) or message["janus"] == "ack":
                continue
            problem = message.get("error", {}).get("reason") or message.get("plugindata", {}).get("data", {}).get("error")
            if problem:
                raise RuntimeError(f"janus: {problem}")
            return message

    def handle(self):
        return self.ask(janus="attach", session_id=self.session, plugin="janus.plugin.videoroom")["data"]["id"]

    def message(self, handle, body, kind=None, sdp=None):
        request = {"janus": "message", "session_id": self.session, "handle_id": handle, "body": body}
        if sdp:
            request["jsep"] = {"type": kind, "sdp": sdp, "trickle": False}
        return self.ask(**request)

    def room(self, number):
        if number not in self.rooms:
            handle = self.handle()
            self.message(handle, {"request": "create", "room": number + 1, "publishers": 1000, "audiocodec": "opus"})
            self.rooms[number] = handle
        return number + 1

    def publish(self, request):
        room, handle = self.room(request["room"]), self.handle()
        self.message(handle, {"request": "join", "ptype": "publisher", "room": room, "id": request["participant"] + 1})
        reply = self.message(handle, {"request": "publish"}, "offer", sdp(request, "sendonly", "0", request["payload_type"]))
        return transport(reply["jsep"]["sdp"])

    def subscribe(self, request):
        room, handle = self.room(request["room"]), self.handle()
        streams = [{"feed": talker + 1} for talker in request["talkers"]]
        offer = self.message(handle, {"request": "join", "ptype": "subscriber", "room": room, "streams": streams})["jsep"]["sdp"]
        media = re.findall(r"m=audio \d+ \S+ (\d+).*?a=mid:(\S+)", offer, re.S)
        self.message(handle, {"request": "start"}, "answer", sdp(request, "recvonly", [mid for _, mid in media], int(media[0][0])))
        return transport(offer)


def sdp(request, direction, mids, payload_type):
    """Ours: we make the DTLS handshake as the client, so the server need not wait for anything but our checks."""
    mids = list(mids)
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE " + " ".join(mids)]
    for mid in mids:
        lines += [
            f"m=audio 9 UDP/TLS/RTP/SAVPF {payload_type}", f"c=IN IP4 {request['address']}", "a=rtcp-mux", f"a=mid:{mid}", f"a={direction}",
            f"a=ice-ufrag:{request['ufrag']}", f"a=ice-pwd:{request['password']}", f"a=fingerprint:sha-256 {request['fingerprint']}", "a=setup:active",
            f"a=extmap:{request['audio_level']} urn:ietf:params:rtp-hdrext:ssrc-audio-level", f"a=rtpmap:{payload_type} opus/48000/2",
            f"a=candidate:1 1 udp 2130706431 {request['address']} {request['port']} typ host", "a=end-of-candidates"]
        if "ssrc" in request:
            lines += [f"a=ssrc:{request['ssrc']} cname:bench"]
    return "\r\n".join(lines) + "\r\n"


def transport(description):
    def find(pattern):
        return re.search(pattern, description).group(1)

    host = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", description, re.I)
    return {
        "address": host.group(1), "port": int(host.group(2)), "ufrag": find(r"a=ice-ufrag:(\S+)"), "password": find(r"a=ice-pwd:(\S+)"),
        "fingerprint": find(r"a=fingerprint:sha-256 (\S+)")}


def main():
    janus = Janus(sys.argv[2:])
    answer(name=f"Janus {janus.version.group(1) if janus.version else ''}".strip(), pid=janus.process.pid)
    try:
        for line in sys.stdin:
            request = json.loads(line)
            try:
                answer(**(janus.publish if request["do"] == "publish" else janus.subscribe)(request))
            except Exception as problem:
                answer(error=str(problem))
    finally:
        janus.process.terminate()
        janus.process.wait()
        if not os.environ.get("VOICE_BENCH_KEEP"):
            shutil.rmtree(janus.folder, ignore_errors=True)


main()
