"""A relay that says yes to everything, in its own process, so that it does not share the sender's core."""

import asyncio

PORT_LINE = "listening on "


async def _peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 sink\r\n")
    while line := await reader.readline():
        verb = line[:4].upper()
        if verb == b"DATA":
            writer.write(b"354 go\r\n")
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 taken\r\n")
        elif verb == b"QUIT":
            writer.write(b"221 bye\r\n")
            break
        else:
            writer.write(b"250 yes\r\n")
    writer.close()


async def _main() -> None:
    server = await asyncio.start_server(_peer, "127.0.0.1", 0, limit=1_000_000)
    print(f"{PORT_LINE}{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
