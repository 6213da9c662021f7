"""python3 discord-bot.py API TOKEN: a whole discord.py bot, which is told where API and gateway are, and nothing else."""

import asyncio
import json
import sys

import discord
import yarl

API, TOKEN = sys.argv[1:]
discord.http.Route.BASE = API + "/v10"
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(API).with_scheme("ws").with_path("/")


class Counted(discord.AudioSource):
    """Numbered frames, as frames.js makes them."""

    def __init__(self, sender, start, count):
        self.sender, self.next, self.end = sender, start, start + count

    def is_opus(self):
        return True

    def read(self):
        if self.next == self.end:
            return b""
        number, self.next = self.next, self.next + 1
        head = bytes([0xFC]) + self.sender.to_bytes(4, "big") + number.to_bytes(4, "big")
        fill = (number * 31 + i * 7 + self.sender for i in range(len(head), 40 + number * 37 % 121))
        return head + bytes(byte & 0xFF for byte in fill)


def tell(**message):
    print(json.dumps(message), flush=True)


class Bot(discord.Client):
    voice = None

    async def on_ready(self):
        tell(event="up")

    async def join(self, guild, channel, **_):
        self.voice = await self.get_guild(int(guild)).get_channel(int(channel)).connect(reconnect=False)
        tell(event="connection", status="ready", mode=self.voice.mode)

    async def play(self, sender, count, **command):
        self.voice.play(Counted(sender, command["from"], count))

    async def obey(self):
        lines = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
        while line := await lines.readline():
            command = json.loads(line)
            await getattr(self, command.pop("do"))(**command)
            tell(answer=command["id"], result=None)
        await self.close()


async def main():
    intents = discord.Intents.none()
    intents.guilds = intents.voice_states = True
    async with Bot(intents=intents) as bot:
        await asyncio.gather(bot.start(TOKEN), bot.obey())


asyncio.run(main())
