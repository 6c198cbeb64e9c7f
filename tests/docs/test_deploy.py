"""The files of docs/deploy do what they say, as far as a machine without containers can tell.

The lines of the Dockerfile are run by hand in the long mode: SHOPBELL_TEST_LONG=1.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any  # Any: what YAML holds

import pytest
import typer
from ruamel.yaml import YAML

from server.cli import app
from server.config import Settings
from tests.docs.pages import ROOT
from tests.support import processes
from tests.support.ports import HOST, free_port
from tests.support.waiting import wait_until

DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(path.name for ending in ("service", "timer") for path in DEPLOY.glob(f"*.{ending}"))
LONG = os.environ.get("SHOPBELL_TEST_LONG") == "1"
PINNED = re.compile(r"^[a-z]+:\d+(\.\d+)*-[a-z-]+$")


def _instructions() -> list[tuple[str, str]]:
    """(INSTRUCTION, arguments) of the Dockerfile, continued lines joined, arguments filled in."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    found = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    known = dict(arguments.split("=", 1) for word, arguments in found if word == "ARG")
    return [
        (word, re.sub(r"\$\{(\w+)\}", lambda name: known.get(name[1], name[0]), arguments))
        for word, arguments in found
    ]


def _stages() -> list[list[tuple[str, str]]]:
    stages: list[list[tuple[str, str]]] = []
    for word, arguments in _instructions():
        if word == "FROM":
            stages.append([])
        if stages:
            stages[-1].append((word, arguments))
    return stages


def _settings_in(text: str) -> set[str]:
    return set(re.findall(r"\bSHOPBELL_([A-Z_]+)\b", text))


KNOWN = {name.upper() for name in Settings.model_fields}


# -- Dockerfile ---------------------------------------------------------------------------------


def test_the_image_is_pinned_small_and_runs_as_nobody_in_particular() -> None:
    build, final = _stages()
    for stage in (build, final):
        assert PINNED.match(stage[0][1].split()[0]), stage[0]
    words = [word for word, _ in final]
    for needed in ("USER", "HEALTHCHECK", "ENTRYPOINT", "CMD", "VOLUME", "EXPOSE", "STOPSIGNAL"):
        assert words.count(needed) == 1, needed
    said = dict(final)
    assert said["USER"] == "10001:10001"
    assert words.index("RUN") < words.index("USER") < words.index("ENTRYPOINT")
    assert f"SHOPBELL_DATA_DIR={said['VOLUME']}" in said["ENV"]
    assert all("--from=build" in arguments for word, arguments in final if word == "COPY")
    assert not re.search(r"apt|gcc|build-essential", " ".join(a for _, a in final))
    assert "PIP_CONSTRAINT=/src/constraints.txt" in dict(build)["ENV"]


def test_what_the_image_is_built_from_is_let_in_and_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert "*" in ignored
    copied = {
        source
        for word, arguments in _stages()[0]
        if word == "COPY"
        for source in arguments.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied
    assert set(project["project"]["license-files"]) <= copied


def test_the_image_starts_a_command_that_exists() -> None:
    final = dict(_stages()[1])
    command = [*json.loads(final["ENTRYPOINT"]), *json.loads(final["CMD"])]
    assert command[0] == "shopbell"
    _check_command(command[1:])


def _check_command(words: list[str]) -> None:
    """Fails unless the command exists and takes each option."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group
    assert words[0] in commands, words
    options = {name for parameter in commands[words[0]].params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options, words


def _let_in(folder: Path) -> None:
    """Copies to ``folder`` what .dockerignore lets in."""
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if line.startswith("!"):
            source, target = ROOT / line[1:], folder / line[1:]
            if source.is_dir():
                skip = shutil.ignore_patterns("__pycache__", "*.pyc", "node_modules")
                shutil.copytree(source, target, ignore=skip)
            else:
                shutil.copy(source, target)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are their owner's alone."""
    folder = Path(tempfile.mkdtemp(prefix="shopbell-image-"))
    folder.chmod(0o755)
    yield folder
    processes.remove(folder)


def _python() -> str | None:
    """A Python that also a user without rights may run, as an image has."""
    for python in (sys.executable, "/usr/bin/python3"):
        real = Path(python).resolve()
        if all(folder.stat().st_mode & 0o005 == 0o005 for folder in real.parents):
            done = subprocess.run(
                [real, "-c", "import ensurepip"], capture_output=True, check=False
            )
            if done.returncode == 0:
                return str(real)
    return None


@pytest.mark.skipif(not LONG, reason="takes a minute and a package index: SHOPBELL_TEST_LONG=1")
@pytest.mark.timeout(400)
def test_the_lines_of_the_image_make_a_server_that_runs(open_folder: Path) -> None:
    python = _python()
    if python is None:
        pytest.skip("no Python here that other users may run")
    source, opt, data = (open_folder / name for name in ("src", "opt", "data"))
    for folder in (source, data):
        folder.mkdir()
    _let_in(source)
    build, final = _stages()

    def moved(words: str) -> str:
        return (
            words.replace("/opt/shopbell", str(opt))
            .replace("/src", str(source))
            .replace("/var/lib/shopbell", str(data))
        )

    def variables(stage: list[tuple[str, str]]) -> dict[str, str]:
        pairs = shlex.split(moved(dict(stage)["ENV"]))
        found = dict(pair.split("=", 1) for pair in pairs)
        return {name: value.replace("$PATH", os.environ["PATH"]) for name, value in found.items()}

    clean = {"PATH": os.environ["PATH"], "HOME": str(data), "LANG": "C.UTF-8"}
    pip = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    for word, line in build:
        if word == "RUN":
            steps = moved(line).replace("python -m venv", f"{python} -m venv")
            built = subprocess.run(
                ["/bin/sh", "-ec", steps],
                cwd=source,
                env=pip | clean | variables(build),
                capture_output=True,
                text=True,
                timeout=300,
                check=False,
            )
            assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    shutil.rmtree(source)
    assert not (opt / "bin" / "pip").exists()

    user: pwd.struct_passwd | None = processes.unprivileged_user()
    if user is not None:
        os.chown(data, user.pw_uid, user.pw_gid)
    port = str(free_port())
    words = [*json.loads(dict(final)["ENTRYPOINT"]), *json.loads(dict(final)["CMD"])]
    words = [{"8080": port, "0.0.0.0": HOST}.get(word, word) for word in words]
    env = clean | variables(final)
    server = processes.start(
        [opt / "bin" / words[0], *words[1:]],
        log=open_folder / "log",
        cwd=data,
        env=env,
        user=user,
    )
    check = re.search(r"CMD (\[.*\])", dict(final)["HEALTHCHECK"])
    assert check is not None
    health = [str(word).replace("8080", port) for word in json.loads(check[1])]

    def healthy() -> bool:
        done = subprocess.run(
            [opt / "bin" / health[0], *health[1:]],
            env=env,
            cwd=data,
            user=user.pw_uid if user else None,
            capture_output=True,
            check=False,
        )
        return done.returncode == 0

    wait_until(healthy, 90.0, f"the health check: {processes.tail(open_folder / 'log')}")
    with urllib.request.urlopen(f"http://{HOST}:{port}/setup", timeout=60) as page:
        assert page.status == 200
    server.send_signal(signal.SIGTERM)
    assert server.wait(90) == 0


# -- compose.yaml -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services of compose.yaml, merged."""
    found: dict[str, Any] = YAML(typ="safe").load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return dict(found["services"])


def test_the_compose_file_is_one() -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*command, str(DEPLOY / "compose.yaml")],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_foreign_image_is_pinned(services: dict[str, Any]) -> None:
    images = {service["image"] for service in services.values()} - {"shopbell"}
    assert images
    assert [image for image in images if not PINNED.match(image)] == []


def test_our_containers_can_do_little_and_are_given_time(services: dict[str, Any]) -> None:
    ours = [service for service in services.values() if service["image"] == "shopbell"]
    assert len(ours) == 4
    for service in ours:
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert "no-new-privileges:true" in service["security_opt"]
        assert float(service["stop_grace_period"].rstrip("s")) > Settings().drain_s + 10
        for command in [service["command"]] if "command" in service else []:
            _check_command(command)


def test_there_is_one_process_on_sqlite_or_several_on_the_others(services: dict[str, Any]) -> None:
    def of(profile: str) -> set[str]:
        return {name for name, service in services.items() if service["profiles"] == [profile]}

    assert of("single") == {"shopbell"}
    assert of("scaled") == set(services) - {"shopbell"}
    assert "SHOPBELL_DATABASE_URL" not in services["shopbell"]["environment"]
    for name in ("migrate", "first", "second"):
        assert services[name]["environment"]["SHOPBELL_DATABASE_URL"].startswith("postgresql://")
    for name in ("first", "second"):
        waits_for = services[name]["depends_on"]
        assert waits_for["migrate"]["condition"] == "service_completed_successfully"
    # Only the one behind a proxy of the machine's own, and nginx, can be reached from outside.
    assert {name for name, service in services.items() if "ports" in service} == {
        "shopbell",
        "nginx",
    }
    assert all(port.startswith("127.0.0.1:") for port in services["shopbell"]["ports"])


def test_nginx_is_told_the_names_of_the_processes(services: dict[str, Any]) -> None:
    shell, flag, script = services["nginx"]["command"]
    assert (shell, flag) == ("sh", "-c")
    edits = re.findall(r"-e '([^']+)'", script)
    done = subprocess.run(
        ["sed", *[part for edit in edits for part in ("-e", edit)], str(DEPLOY / "nginx.conf")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "127.0.0.1" not in re.sub(r"#.*", "", done.stdout)
    for name in ("first", "second"):
        assert done.stdout.count(f"server {name}:8080") == 2
        assert name in services
    targets = {volume["target"] for volume in services["nginx"]["volumes"]}
    for certificate in re.findall(r"ssl_certificate(?:_key)?\s+(\S+);", done.stdout):
        assert certificate in targets


# -- systemd ------------------------------------------------------------------------------------


def _unit(name: str) -> dict[str, list[str]]:
    """{key: values} of a unit, sections together."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / name).read_text("utf-8").splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(key, []).append(value)
    return found


@pytest.mark.parametrize("name", ["shopbell.service", "shopbell@.service"])
def test_a_service_is_ended_gently_begun_anew_and_can_do_little(name: str) -> None:
    unit = _unit(name)
    assert unit["KillSignal"] == ["SIGTERM"]
    assert unit["Restart"] == ["on-failure"]
    assert float(unit["TimeoutStopSec"][0]) > Settings().drain_s + 10
    assert unit["User"] == ["shopbell"]
    assert int(unit["LimitNOFILE"][0]) >= 65536
    for key in ("NoNewPrivileges", "PrivateTmp", "PrivateDevices", "ProtectHome"):
        assert unit[key] == ["yes"], key
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["CapabilityBoundingSet"] == [""]
    program, *words = unit["ExecStart"][0].split()
    assert program == "/opt/shopbell/bin/shopbell"
    _check_command(words)


def test_the_template_differs_from_the_service_by_its_port_alone() -> None:
    one, several = _unit("shopbell.service"), _unit("shopbell@.service")
    differing = {key for key in one if one[key] != several.get(key)}
    assert one.keys() == several.keys()
    assert differing == {"Description", "ExecStart"}
    assert several["ExecStart"][0] == one["ExecStart"][0].replace("8080", "%i")


def test_the_timer_makes_a_backup_that_is_new_each_time() -> None:
    unit = _unit("shopbell-backup.service")
    assert "shopbell backup" in unit["ExecStart"][0]
    assert "$(date" in unit["ExecStart"][0]
    assert _unit("shopbell-backup.timer")["Persistent"] == ["yes"]


@pytest.mark.parametrize("name", UNITS)
def test_systemd_finds_nothing_wrong_with_a_unit(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed on this machine")
    # It looks whether the program is there, which here it is not; a template needs an instance.
    for path in (DEPLOY / unit for unit in UNITS):
        unit = path.read_text("utf-8").replace("/opt/shopbell/bin/shopbell", "/bin/true")
        (tmp_path / path.name.replace("@.", "@8081.")).write_text(unit, "utf-8")
    done = subprocess.run(
        [analyze, "verify", "--man=no", str(tmp_path / name.replace("@.", "@8081."))],
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


# -- all of them --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(DEPLOY.iterdir()), ids=lambda path: path.name)
def test_every_setting_that_is_named_exists(path: Path) -> None:
    # The password of the compose file's own database goes into the address.
    assert _settings_in(path.read_text("utf-8")) - KNOWN - {"DB_PASSWORD"} == set()
