"""Strange calls, made from the API's own description: none is answered with a fault of ours.

Bounded in time by default; ``SHOPBELL_TEST_LONG=1`` gives each part several minutes.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # Any: JSON

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from server.actions import messages, visitors
from server.domain.actors import customer
from server.http.api.openapi import openapi
from server.http.api.rows import ROOT
from tests.conftest import DATABASES
from tests.realtime.desk import Desk, make_desk
from tests.support import processes

LONG = os.environ.get("SHOPBELL_TEST_LONG") == "1"
RUN_S = 300 if LONG else 6
EXAMPLES = 400 if LONG else 6
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
OTHER_CHECKS = (
    "response_headers_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "use_after_free",
)
# A run that took back its own token would meet nothing but 401 from then on.
LEFT_OUT = "tokens.revoke"
OPERATIONS = [
    operation
    for result in schemathesis.openapi.from_dict(openapi()).get_all_operations()
    if isinstance(result, Ok)
    and (operation := result.ok()).definition.raw["operationId"] != LEFT_OUT
]


@pytest.fixture(scope="module", params=DATABASES)
def desk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """A served shop in which shoppers have written; its log must stay free of faults."""
    url = None
    if request.param == "postgresql":
        template = request.getfixturevalue("postgres_template")
        url = request.getfixturevalue("postgres").create(template)
    desk = make_desk(tmp_path_factory.mktemp("fuzz") / "data", url)
    for number in range(5):
        _chat(desk, number)
    desk.server.start()
    yield desk
    told = desk.server.stderr
    desk.server.kill()
    if url is not None:
        request.getfixturevalue("postgres").drop(url)
    assert "Traceback" not in told, told[-5000:]


def _chat(desk: Desk, number: int) -> None:
    """What a shopper writes who has just come."""
    connect = visitors.Connect(site=desk.site)
    shopper = customer(desk.write(lambda tx: visitors.connect(tx, connect))["customer_id"])
    payload = messages.PostMessage(client_id=f"c{number}", body=f"Hello {number}")
    desk.write(lambda tx: messages.post_message(tx, shopper, payload))


@pytest.mark.timeout(RUN_S * 3 + 120)
def test_a_run_of_schemathesis_finds_nothing(desk: Desk, tmp_path: Path) -> None:
    """Examples, the edges of every schema, chance, and calls that follow from one another."""
    # What is longer than a line may be is answered before any of our code, as plain text.
    checks = [check.__name__ for check in CHECKS if check is not content_type_conformance]
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run"),
        f"{desk.url}{ROOT}/openapi.json",
        *("--header", f"Authorization: Bearer {desk.people['ida'].token}"),
        *("--checks", ",".join([*checks, *OTHER_CHECKS])),
        *("--exclude-operation-id", LEFT_OUT),
        *("--max-time", str(RUN_S)),
        *("--warnings", "off"),
        # Where examples are to be the same each time, those of a run are, too.
        *(("--seed", "1") if hypothesis.settings().derandomize else ()),
        "--continue-on-failure",
        "--no-color",
    ]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=processes.clean_environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=RUN_S * 3 + 60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


class Known:
    """Ids of what is there, by the names of the fields that take them."""

    def __init__(self, desk: Desk) -> None:
        self.url = desk.url + ROOT
        self.headers = {"Authorization": f"Bearer {desk.people['ida'].token}"}
        agents, teams = self._ids("/agents"), self._ids("/teams")
        self.ids = {
            "conversation_id": self._ids("/conversations"),
            "customer_id": self._ids("/customers"),
            "agent_id": agents,
            "assignee_id": agents,
            "team_id": teams,
        }

    def _ids(self, path: str) -> list[str]:
        answer = requests.get(self.url + path, headers=self.headers, timeout=60)
        return [item["id"] for item in answer.json()["items"]]

    def put_into(self, values: Any, chance: random.Random) -> None:  # Any: JSON
        """Replaces most ids by such as exist."""
        if not isinstance(values, dict):
            return
        for name in self.ids.keys() & values.keys():
            if chance.random() < 0.8:
                values[name] = chance.choice(self.ids[name])


@pytest.fixture(scope="module")
def known(desk: Desk) -> Known:
    """What there is on the desk to be asked about."""
    return Known(desk)


@pytest.mark.timeout(EXAMPLES * 2 + 120)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_no_strange_call_about_what_is_there_is_a_fault_of_ours(
    operation: Any, known: Known
) -> None:
    """As before, but with ids that exist, so that the calls get past the first door."""
    session = requests.Session()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), chance=st.randoms(use_true_random=False))
    def try_it(case: Any, chance: random.Random) -> None:
        for values in (case.path_parameters, case.query, case.body):
            known.put_into(values, chance)
        response = case.call(base_url=known.url, headers=known.headers, session=session)
        case.validate_response(response, checks=CHECKS)

    with session:
        try_it()
