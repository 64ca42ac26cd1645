"""A relay on loopback in the place of a slow line: what comes in on one port goes out to another one later.

    slow_line.py PORT TO MILLISECONDS LOSS FILE

Every piece is passed on MILLISECONDS later, in order; with the probability LOSS a segment of 1400 bytes is lost, which costs
what a fast retransmission costs, a round trip, for it and for all behind it. The number of bytes that passed, both ways
together, is kept in FILE.
"""

import asyncio
import os
import random
import sys

SEGMENT = 1400
PORT, TO = int(sys.argv[1]), int(sys.argv[2])
DELAY, LOSS = float(sys.argv[3]) / 1000, float(sys.argv[4])
COUNT = os.open(sys.argv[5], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
passed = 0


def count(length):
    global passed
    passed += length
    os.pwrite(COUNT, b"%020d\n" % passed, 0)


async def take(reader, queue):
    loop = asyncio.get_running_loop()
    last = 0.0
    while data := await reader.read(65536):
        due = loop.time() + DELAY
        for _ in range(-(-len(data) // SEGMENT)):
            if random.random() < LOSS:
                due += 2 * DELAY
        # What is behind a lost segment waits for it.
        last = max(due, last)
        await queue.put((last, data))
    await queue.put((loop.time() + DELAY, b""))


async def give(queue, writer):
    loop = asyncio.get_running_loop()
    while True:
        due, data = await queue.get()
        await asyncio.sleep(max(0.0, due - loop.time()))
        if not data:
            break
        writer.write(data)
        count(len(data))
        await writer.drain()
    writer.close()


async def connected(near_reader, near_writer):
    far_reader, far_writer = await asyncio.open_connection("127.0.0.1", TO)
    there, back = asyncio.Queue(1024), asyncio.Queue(1024)
    pieces = [take(near_reader, there), give(there, far_writer), take(far_reader, back), give(back, near_writer)]
    await asyncio.gather(*pieces, return_exceptions=True)


async def main():
    count(0)
    server = await asyncio.start_server(connected, "127.0.0.1", PORT)
    async with server:
        await server.serve_forever()


asyncio.run(main())
