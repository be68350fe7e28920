"""What the OpenAPI document promises, tried by schemathesis with made-up input on every operation."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.acceptance.api_world import World

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"


@pytest.mark.slow
@pytest.mark.parametrize("who", ["coordinatrice", "requester", "directrice"])
async def test_every_operation_answers_as_the_document_says(
    small_world: World, tmp_path: Path, who: str
) -> None:
    search = await small_world.launched()
    address = f"http://127.0.0.1:{small_world.client.port}/api/openapi.json"
    options = {
        "-H": f"Authorization: Bearer {small_world.keys[who]}",
        "--checks": CHECKS,
        "--phases": "examples,fuzzing",
        "--mode": "positive",
        "--max-examples": "5",
        "--seed": "1",
    }
    arguments = [word for pair in options.items() for word in pair]
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("st"),
        *("run", address, "--no-color", *arguments),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()[-4000:]
    assert (await small_world.get("coordinatrice", f"/searches/{search}"))["id"] == search
